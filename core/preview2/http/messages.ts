/**
 * Requests, responses and their bodies, as resources.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { Trap } from "../../component/trap.ts";
import { Poll } from "../../host.ts";
import { known } from "../../system/polling.ts";
import { pollEntry } from "../../system/waiting.ts";
import { InputStream, OutputStream } from "../io.ts";
import { Pollable } from "../pollables.ts";
import { type OpenFile, openOwn, type World } from "../world.ts";
import { IncomingFile, OutgoingFile } from "./body_files.ts";
import { type ErrorCode, internalError } from "./errors.ts";
import { Fields, isToken, textOf } from "./fields.ts";

/** A variant without a value, or with one. */
export interface Case {
  readonly tag: string;
  readonly val?: unknown;
}

/** A stream of a body's: the body knows when it is dropped. */
function watched<S extends InputStream | OutputStream>(stream: S, dropped: () => void): S {
  const release = stream[Symbol.dispose];
  stream[Symbol.dispose] = () => {
    release.call(stream);
    dropped();
  };
  return stream;
}

/** `incoming-body`. */
export class IncomingBody {
  readonly #open: OpenFile;
  readonly #file: IncomingFile;
  #state: "whole" | "lent" | "read" = "whole";

  constructor(open: OpenFile) {
    this.#open = open;
    this.#file = open.file as IncomingFile;
  }

  stream(): InputStream | Err {
    if (this.#state !== "whole") return new Err();
    this.#state = "lent";
    return watched(new InputStream(this.#open.retain(), -1), () => this.#state = "read");
  }

  static finish(body: IncomingBody): FutureTrailers {
    if (body.#state === "lent") throw new Trap("a body is finished while its stream is in use");
    const { failure } = body.#file;
    body[Symbol.dispose]();
    return new FutureTrailers(body.#open.world, failure);
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** `future-trailers`: `fetch` gives none, so they are there at once. */
export class FutureTrailers {
  readonly #world: World;
  readonly #failure: ErrorCode | undefined;
  #taken = false;

  constructor(world: World, failure: ErrorCode | undefined) {
    this.#world = world;
    this.#failure = failure;
  }

  subscribe(): Pollable {
    return new Pollable(this.#world, () => known(0));
  }

  get(): Case {
    if (this.#taken) return { tag: "err" };
    this.#taken = true;
    const failure = this.#failure;
    const val: Case = failure ? { tag: "err", val: failure } : { tag: "ok" };
    return { tag: "ok", val };
  }
}

/** What becomes ready with a file. */
export function filePollable({ world, file }: OpenFile): Pollable {
  return new Pollable(world, () => ({ ...known(-1), entry: pollEntry(file!, Poll.READ) }));
}

/** `outgoing-body`. */
export class OutgoingBody {
  readonly #open: OpenFile;
  readonly #file: OutgoingFile;
  /** What the message says that the length is. */
  readonly #length: bigint | undefined;
  #state: "whole" | "lent" | "written" = "whole";

  constructor(open: OpenFile, length: bigint | undefined) {
    this.#open = open;
    this.#file = open.file as OutgoingFile;
    this.#length = length;
  }

  write(): OutputStream | Err {
    if (this.#state !== "whole") return new Err();
    this.#state = "lent";
    return watched(new OutputStream(this.#open.retain(), -1), () => this.#state = "written");
  }

  static finish(body: OutgoingBody, trailers: Fields | undefined): undefined | Err {
    if (body.#state === "lent") throw new Trap("a body is finished while its stream is in use");
    const file = body.#file;
    const written = BigInt(file.written);
    const before = file.failure;
    let error: ErrorCode | undefined = before;
    if (body.#length !== undefined && body.#length !== written) {
      error ??= { tag: "HTTP-request-body-size", val: written };
    }
    if (trailers !== undefined && trailers.entries().length > 0) {
      error ??= internalError("trailers cannot be sent: fetch() has none");
    }
    if (error === undefined) file.end();
    else file.fail(error);
    body.#open.release();
    return error && new Err(error);
  }

  [Symbol.dispose](): void {
    if (this.#state === "lent") throw new Trap("a body is dropped while its stream is in use");
    this.#file.fail(internalError("the body was dropped before it was finished"));
    this.#open.release();
  }
}

/** The length that a message's headers give; undefined if they give none, or none that is one. */
function lengthOf(headers: Fields): bigint | undefined {
  const [value] = headers.get("content-length");
  if (value === undefined) return undefined;
  const text = textOf(value);
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** What outgoing requests and responses have in common. */
class OutgoingMessage {
  readonly #world: World;
  readonly #headers: Fields;
  #body: OpenFile | undefined;

  constructor(world: World, headers: Fields) {
    this.#world = world;
    this.#headers = headers.frozen();
  }

  headers(): Fields {
    return this.#headers;
  }

  body(): OutgoingBody | Err {
    if (this.#body !== undefined) return new Err();
    const open = openOwn(this.#world, new OutgoingFile(this.#world.system.suspends));
    if (open === undefined) return new Err();
    this.#body = open;
    return new OutgoingBody(open, lengthOf(this.#headers));
  }

  /** The body, if the guest has taken it. */
  get bodyFile(): OutgoingFile | undefined {
    return this.#body?.file as OutgoingFile | undefined;
  }
}

/** `outgoing-request`. */
export class OutgoingRequest extends OutgoingMessage {
  #method: Case = { tag: "get" };
  #path: string | undefined;
  #scheme: Case | undefined;
  #authority: string | undefined;

  method(): Case {
    return this.#method;
  }

  setMethod(method: Case): undefined | Err {
    if (method.tag === "other" && !isToken(method.val as string)) return new Err();
    this.#method = method;
    return undefined;
  }

  pathWithQuery(): string | undefined {
    return this.#path;
  }

  setPathWithQuery(path: string | undefined): undefined | Err {
    // what stands in a request line, and nothing that `URL` would take for something else
    if (path !== undefined && !/^(?:[/?*][!-"$-[\]-~]*)?$/.test(path)) return new Err();
    this.#path = path;
    return undefined;
  }

  scheme(): Case | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Case | undefined): undefined | Err {
    if (scheme?.tag === "other" && !/^[a-z][a-z0-9+.-]*$/i.test(scheme.val as string)) {
      return new Err();
    }
    this.#scheme = scheme;
    return undefined;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): undefined | Err {
    if (authority !== undefined && !isAuthority(authority)) return new Err();
    this.#authority = authority;
    return undefined;
  }
}

/** Whether a text is a host, with or without a port. */
function isAuthority(text: string): boolean {
  if (!/^[!$&-.0-9:;=A-Z[\]_a-z~%@]+$/.test(text)) return false;
  try {
    return new URL(`http://${text}`).pathname === "/";
  } catch {
    return false;
  }
}

/** `outgoing-response`. */
export class OutgoingResponse extends OutgoingMessage {
  #status = 200;

  statusCode(): number {
    return this.#status;
  }

  setStatusCode(status: number): undefined | Err {
    if (status < 100 || status > 999) return new Err();
    this.#status = status;
    return undefined;
  }
}

/** `incoming-response`. */
export class IncomingResponse {
  readonly #status: number;
  readonly #headers: Fields;
  #body: OpenFile | undefined;

  constructor(status: number, headers: Fields, body: OpenFile) {
    this.#status = status;
    this.#headers = headers;
    this.#body = body;
  }

  status(): number {
    return this.#status;
  }

  headers(): Fields {
    return this.#headers;
  }

  consume(): IncomingBody | Err {
    const body = this.#body;
    if (body === undefined) return new Err();
    this.#body = undefined;
    return new IncomingBody(body);
  }

  [Symbol.dispose](): void {
    this.#body?.release();
    this.#body = undefined;
  }
}

/** `request-options`: times in nanoseconds. */
export class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;

  connectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(duration: bigint | undefined): undefined {
    this.#connect = duration;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): undefined {
    this.#firstByte = duration;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): undefined {
    this.#betweenBytes = duration;
  }
}
