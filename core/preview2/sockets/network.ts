/**
 * Addresses, error codes and the handle of `wasi:sockets/network`.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { Errno } from "../../errno.ts";
import type { PollEntry, StreamAccess } from "../../host.ts";
import type { Endpoint, HostNetwork } from "../../network.ts";
import { AsyncStream } from "../../system/async_file.ts";
import { known } from "../../system/polling.ts";
import { pollEntry, Wait } from "../../system/waiting.ts";
import { Pollable } from "../pollables.ts";
import type { World } from "../world.ts";

/** `network`: that there is one. What it may be used for is the grant's. */
export class Network {}

/** `ip-address-family`. */
export type Family = "ipv4" | "ipv6";

/** `ip-socket-address`. */
export interface SocketAddress {
  readonly tag: Family;
  readonly val: { readonly port: number; readonly address: readonly number[] };
}

const CODES: readonly (readonly [errno: number, code: string])[] = [
  [Errno.ACCES, "access-denied"],
  [Errno.PERM, "access-denied"],
  [Errno.NOTSUP, "not-supported"],
  [Errno.NOSYS, "not-supported"],
  [Errno.AFNOSUPPORT, "not-supported"],
  [Errno.INVAL, "invalid-argument"],
  [Errno.NOMEM, "out-of-memory"],
  [Errno.NOBUFS, "out-of-memory"],
  [Errno.TIMEDOUT, "timeout"],
  [Errno.MFILE, "new-socket-limit"],
  [Errno.NFILE, "new-socket-limit"],
  [Errno.ADDRNOTAVAIL, "address-not-bindable"],
  [Errno.ADDRINUSE, "address-in-use"],
  [Errno.HOSTUNREACH, "remote-unreachable"],
  [Errno.NETUNREACH, "remote-unreachable"],
  [Errno.NETDOWN, "remote-unreachable"],
  [Errno.CONNREFUSED, "connection-refused"],
  [Errno.CONNRESET, "connection-reset"],
  [Errno.PIPE, "connection-reset"],
  [Errno.CONNABORTED, "connection-aborted"],
  [Errno.MSGSIZE, "datagram-too-large"],
];

const byErrno: ReadonlyMap<number, string> = new Map(CODES);

/** The code of an errno. */
export function socketCode(errno: number): string {
  return byErrno.get(errno) ?? "unknown";
}

/** An address as text, such as 127.0.0.1 or ::1. */
export function textOf({ tag, val: { address } }: SocketAddress): string {
  if (tag === "ipv4") return address.join(".");
  // `URL` writes it as everybody does
  const text = address.map((part) => part.toString(16)).join(":");
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** Where an address leads. */
export function endpointOf(address: SocketAddress): Endpoint {
  return { address: textOf(address), port: address.val.port };
}

/** The numbers of an address as text; undefined for what is none. */
export function numbersOf(text: string): number[] | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return text.split(".").map(Number);
  if (!text.includes(":") || text.includes("%")) return undefined;
  let host: string;
  try {
    host = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [before, after] = host.split("::").map((half) =>
    half === "" ? [] : half.split(":").map((part) => parseInt(part, 16))
  );
  if (after === undefined) return before!;
  return [...before!, ...Array(8 - before!.length - after.length).fill(0), ...after];
}

/** An endpoint as an address; undefined for one that has a zone. */
export function addressOf({ address, port }: Endpoint): SocketAddress | undefined {
  const numbers = numbersOf(address.replace(/%.*$/, ""));
  if (numbers === undefined) return undefined;
  if (numbers.length === 4) return { tag: "ipv4", val: { port, address: numbers } };
  const val = { port, flowInfo: 0, address: numbers, scopeId: 0 };
  return { tag: "ipv6", val };
}

/** Whether it is an IPv6 address that stands for one of IPv4. */
export function isMapped(address: readonly number[]): boolean {
  return address.length === 8 && address.slice(0, 5).every((part) => part === 0) &&
    address[5] === 0xffff;
}

/** Whether it is 0.0.0.0 or ::. */
export function isUnspecified({ val }: SocketAddress): boolean {
  return val.address.every((part) => part === 0);
}

function isMulticast({ tag, val: { address } }: SocketAddress): boolean {
  return tag === "ipv4"
    ? (address[0]! >= 224 && address[0]! < 240) || address.every((part) => part === 255)
    : (address[0]! & 0xff00) === 0xff00;
}

/** Whether a socket can be bound to an address, or connect to it if it is not zero. */
export function fits(family: Family, address: SocketAddress, multicast: boolean): boolean {
  if (address.tag !== family || isMapped(address.val.address)) return false;
  return multicast || !isMulticast(address);
}

/** The same for the other side. */
export function fitsRemote(family: Family, address: SocketAddress, multicast: boolean): boolean {
  return fits(family, address, multicast) && !isUnspecified(address) && address.val.port !== 0;
}

/** The network, where it can be used: guests have to be suspended while they wait. */
export function networkOf(world: World): HostNetwork | undefined {
  return world.system.suspends ? world.network : undefined;
}

/**
 * Tries what may not be there yet, which is `would-block`; lets others through first, for they may be
 * what it asks for.
 *
 * @param otherwise what it gives instead of that error
 */
export function tried<T>(
  world: World,
  attempt: () => T | Err,
  otherwise?: T,
): T | Err | Wait<T | Err> {
  const isPending = (result: T | Err): result is Err =>
    result instanceof Err && result.val === "would-block";
  const settle = (result: T | Err): T | Err => isPending(result) ? otherwise ?? result : result;
  const now = attempt();
  if (!isPending(now) || !world.system.suspends) return settle(now);
  return new Wait([], 0, () => settle(attempt()));
}

/** Something that becomes ready, as a file that can be waited for. */
export class Signal extends AsyncStream {
  override readonly wakes: Set<() => void>;
  readonly #isReady: () => boolean;

  /** @param wakes of another that is notified in its place */
  constructor(isReady: () => boolean, wakes: Set<() => void> = new Set()) {
    super();
    this.#isReady = isReady;
    this.wakes = wakes;
  }

  /** It may have become ready. */
  notify(): void {
    this.wake();
  }

  read(): number {
    return -Errno.BADF;
  }

  write(): number {
    return -Errno.BADF;
  }

  access(): StreamAccess {
    return { read: false, write: false, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (this.#isReady()) entry.found = entry.events;
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): void {}

  pollable(world: World): Pollable {
    return new Pollable(world, () => ({ ...known(-1), entry: pollEntry(this, 1) }));
  }
}
