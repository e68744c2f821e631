/**
 * `outgoing-handler`: requests over the runtime's `fetch`.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { TIMER_MAX } from "../../constants.ts";
import { Errno } from "../../errno.ts";
import { Poll, type PollEntry, type StreamAccess } from "../../host.ts";
import { turn } from "../../next_task.ts";
import { AsyncStream } from "../../system/async_file.ts";
import { Wait } from "../../system/waiting.ts";
import { hostOf } from "../grant.ts";
import type { Pollable } from "../pollables.ts";
import { type OpenFile, openOwn, type World } from "../world.ts";
import { IncomingFile, type OutgoingFile } from "./body_files.ts";
import { cannotSuspend, type ErrorCode, errorCodeOf, internalError } from "./errors.ts";
import { bytesOf, Fields, isForbidden, textOf } from "./fields.ts";
import {
  type Case,
  filePollable,
  IncomingResponse,
  type OutgoingRequest,
  type RequestOptions,
} from "./messages.ts";

/** Times that apply without options, in milliseconds. */
const TIMEOUT = 600_000;
/** Most bytes of the names and values of a response's headers. */
const HEADERS_MAX = 1 << 17;

/** Methods that `fetch` refuses, or should. */
const NO_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];
/** Methods that are the same in small letters to some runtimes, and not to others. */
const METHODS: readonly string[] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/** A request as `fetch` takes it. */
interface Ready {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly [string, string][];
  /** whether the response may be compressed, which `fetch` undoes */
  readonly compressed: boolean;
  readonly body: OutgoingFile | undefined;
  /** milliseconds until there is a response */
  readonly first: number;
  /** milliseconds between two chunks of it */
  readonly between: number;
}

function methodOf({ tag, val }: Case): string {
  const name = tag === "other" ? val as string : tag;
  const upper = name.toUpperCase();
  return tag !== "other" || METHODS.includes(upper) || NO_METHODS.includes(upper) ? upper : name;
}

/** Where a request goes, or why it goes nowhere. */
function urlOf(request: OutgoingRequest): URL | ErrorCode {
  const scheme = request.scheme()?.tag ?? "HTTPS";
  if (scheme === "other") return { tag: "HTTP-protocol-error" };
  const authority = request.authority();
  const invalid = { tag: "HTTP-request-URI-invalid" };
  if (authority === undefined) return invalid;
  const path = request.pathWithQuery() ?? "";
  if (path.startsWith("*")) return invalid;
  let url: URL;
  try {
    url = new URL(`${scheme.toLowerCase()}://${authority}${path}`);
  } catch {
    return invalid;
  }
  return url.username !== "" || url.password !== "" ? invalid : url;
}

function milliseconds(duration: bigint | undefined): number {
  return duration === undefined ? TIMEOUT : Math.min(Math.ceil(Number(duration) / 1e6), TIMER_MAX);
}

/** Looks whether a request can and may be sent. */
function prepare(
  world: World,
  request: OutgoingRequest,
  options: RequestOptions | undefined,
): Ready | ErrorCode {
  const url = urlOf(request);
  if (!(url instanceof URL)) return url;
  const method = methodOf(request.method());
  if (NO_METHODS.includes(method)) return { tag: "HTTP-request-method-invalid" };
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const host = hostOf(url.hostname);
  if (host === undefined || world.grant?.mayConnect(host, port) !== true) {
    return { tag: "HTTP-request-denied" };
  }
  if (!world.system.suspends) return cannotSuspend();
  const all = request.headers().entries()
    .map(([name, value]): [string, string] => [name, textOf(value)]);
  const isCoding = ([name]: [string, string]): boolean => name.toLowerCase() === "accept-encoding";
  // fetch() decompresses by itself: gzip on every runtime, the others on some
  const compressed = all.some((field) => isCoding(field) && /gzip|\*/i.test(field[1]));
  const headers = all.filter((field) => !isCoding(field));
  headers.push(["accept-encoding", compressed ? "gzip" : "identity"]);
  const connect = milliseconds(options?.connectTimeout());
  const first = connect + milliseconds(options?.firstByteTimeout());
  return {
    url,
    method,
    headers,
    compressed,
    body: request.bodyFile,
    first: Math.min(first, TIMER_MAX),
    between: milliseconds(options?.betweenBytesTimeout()),
  };
}

/** The body for `fetch`: whole if it is, because that is sent with its length. */
async function bodyOf(
  { method, body }: Ready,
): Promise<Uint8Array | ReadableStream<Uint8Array> | undefined> {
  if (body === undefined) return undefined;
  const none = method === "GET" || method === "HEAD";
  if (none) await body.complete;
  if (!body.isFinished) return body.stream();
  if (none && body.written > 0) {
    throw Object.assign(new Error(), {
      errorCode: internalError(`fetch() sends no body with ${method}`),
    });
  }
  return body.written > 0 ? body.bytes() : undefined;
}

/** Sends a request. */
async function send(ready: Ready, abort: AbortController): Promise<Response> {
  const { url, method, headers, first } = ready;
  // from a stack of its own: Deno keeps errors with all that their stacks know, which is the guest
  await turn();
  const body = await bodyOf(ready);
  const timeout = (): void => abort.abort({ code: "UND_ERR_HEADERS_TIMEOUT" });
  const timer = setTimeout(timeout, first);
  const init = {
    method,
    headers: headers as [string, string][],
    body: body as BodyInit | undefined,
    duplex: "half",
    redirect: "manual",
    credentials: "omit",
    signal: abort.signal,
  };
  try {
    return await fetch(url.href, init as RequestInit);
  } finally {
    clearTimeout(timer);
  }
}

/** The headers of a response: without what belongs to the connection or is not so any more. */
function headersOf(response: Response, compressed: boolean): Fields | ErrorCode {
  if (response.type === "opaqueredirect") {
    return internalError("a redirect, which a browser does not show");
  }
  const entries: [string, Uint8Array][] = [];
  let size = 0;
  const coding = response.headers.get("content-encoding") ?? "identity";
  const encoded = coding.toLowerCase() !== "identity" && response.body !== null;
  // whether it has been undone depends on the runtime, unless it was asked for
  if (encoded && !(compressed && /^(?:x-)?gzip$/i.test(coding))) {
    return { tag: "HTTP-response-content-coding", val: coding };
  }
  for (const [name, value] of response.headers) {
    if (isForbidden(name)) continue;
    if (encoded && (name === "content-encoding" || name === "content-length")) continue;
    size += name.length + value.length;
    entries.push([name, bytesOf(value)]);
  }
  if (size > HEADERS_MAX) return { tag: "HTTP-response-header-section-size", val: size };
  return new Fields(entries, true);
}

/** What has come of a request, as a file that can be read from then on. */
class Arrival extends AsyncStream {
  readonly #abort: AbortController = new AbortController();
  outcome: Response | ErrorCode | undefined;
  /** Whether the response has been taken, whose body the guest reads on. */
  taken: boolean = false;

  constructor(ready: Ready) {
    super();
    send(ready, this.#abort).then(
      (response) => this.outcome = response,
      (error) => {
        this.outcome = (error as { errorCode?: ErrorCode }).errorCode ??
          ready.body?.failure ?? errorCodeOf(error);
        ready.body?.fail(this.outcome);
      },
    ).finally(() => this.wake());
  }

  read(): number {
    return -Errno.BADF;
  }

  write(): number {
    return -Errno.BADF;
  }

  access(): StreamAccess {
    return { read: true, write: false, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (this.outcome !== undefined) entry.found = Poll.READ;
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): void {
    this.close();
  }

  override close(): void {
    if (!this.taken) turn().then(() => this.#abort.abort());
    this.outcome ??= { tag: "connection-terminated" };
    this.wake();
  }
}

/** `future-incoming-response`. */
export class FutureIncomingResponse {
  readonly #open: OpenFile;
  readonly #arrival: Arrival;
  readonly #request: Ready;

  constructor(open: OpenFile, request: Ready) {
    this.#open = open;
    this.#arrival = open.file as Arrival;
    this.#request = request;
  }

  subscribe(): Pollable {
    return filePollable(this.#open);
  }

  get(): undefined | Case | Wait<undefined | Case> {
    if (this.#arrival.outcome !== undefined) return this.#take();
    // who only asks lets others through: they may be what it asks for
    return this.#open.world.system.suspends ? new Wait([], 0, () => this.#take()) : undefined;
  }

  #take(): undefined | Case {
    const { outcome, taken } = this.#arrival;
    if (outcome === undefined) return undefined;
    if (taken) return { tag: "err" };
    this.#arrival.taken = true;
    return { tag: "ok", val: this.#result(outcome) };
  }

  #result(outcome: Response | ErrorCode): Case {
    if (!(outcome instanceof Response)) return { tag: "err", val: outcome };
    const headers = headersOf(outcome, this.#request.compressed);
    const file = new IncomingFile(outcome.body, this.#request.between);
    if (!(headers instanceof Fields)) {
      file.close();
      return { tag: "err", val: headers };
    }
    const open = openOwn(this.#open.world, file);
    if (open === undefined) return { tag: "err", val: { tag: "connection-limit-reached" } };
    return { tag: "ok", val: new IncomingResponse(outcome.status, headers, open) };
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** `handle`. */
export function handle(
  world: World,
  request: OutgoingRequest,
  options: RequestOptions | undefined,
): FutureIncomingResponse | Err {
  const ready = prepare(world, request, options);
  if (!("url" in ready)) {
    request.bodyFile?.fail(ready);
    return new Err(ready);
  }
  if (world.system.table.full) return new Err({ tag: "connection-limit-reached" });
  return new FutureIncomingResponse(openOwn(world, new Arrival(ready))!, ready);
}
