/**
 * `udp-socket` and its streams of datagrams.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { Trap } from "../../component/trap.ts";
import type { Datagrams, Endpoint } from "../../network.ts";
import type { Wait } from "../../system/waiting.ts";
import type { Pollable } from "../pollables.ts";
import { type OpenFile, openOwn, type World } from "../world.ts";
import {
  addressOf,
  endpointOf,
  type Family,
  fits,
  fitsRemote,
  type Network,
  networkOf,
  Signal,
  type SocketAddress,
  socketCode,
  tried,
} from "./network.ts";

/** Most messages, and bytes of them, that wait to be received. */
const MESSAGES_MAX = 1024;
const BYTES_MAX = 1 << 20;
/** Most messages that are on their way at once. */
const SENDING_MAX = 64;
/** Longest message: what IPv4 takes. */
const LENGTH_MAX = 65507;

/** A datagram that has come. */
interface Incoming {
  readonly data: Uint8Array;
  readonly from: Endpoint;
}

/** What a socket and its streams share; a file, so that it is closed with the guest. */
class UdpFile extends Signal {
  socket: Datagrams | undefined;
  readonly queue: Incoming[] = [];
  bytes = 0;
  sending = 0;
  /** an errno of the last message that could not be sent */
  failed = 0;
  closed = false;
  /** Which messages are taken. */
  admits: (from: Endpoint) => boolean = () => false;
  /** Counts calls of `stream`: only what the last one gave is of use. */
  generation = 0;

  push(data: Uint8Array, from: Endpoint): void {
    if (!this.admits(from)) return;
    if (this.queue.length >= MESSAGES_MAX || this.bytes + data.length > BYTES_MAX) return;
    this.queue.push({ data: data.slice(), from });
    this.bytes += data.length;
    this.notify();
  }

  shift(): Incoming | undefined {
    const first = this.queue.shift();
    if (first !== undefined) this.bytes -= first.data.length;
    return first;
  }

  /** A message has left, or has not. */
  sent(errno: number): void {
    this.sending--;
    if (errno !== 0) this.failed = errno;
    if (this.closed && this.sending === 0) this.socket!.close();
    this.notify();
  }

  /** What is on its way leaves first. */
  override close(): void {
    this.closed = true;
    this.queue.length = 0;
    if (this.sending === 0) this.socket?.close();
    this.notify();
  }
}

/** `udp-socket`. */
export class UdpSocket {
  readonly #world: World;
  readonly #family: Family;
  readonly #open: OpenFile;
  readonly #file: UdpFile;
  #state: "unbound" | "bind-in-progress" | "bound" = "unbound";
  readonly #signal: Signal = new Signal(() =>
    this.#state !== "bind-in-progress" || this.#outcome !== undefined
  );
  #outcome: number | undefined;
  /** Whether everybody may send to it. */
  #listens = false;
  #remote: SocketAddress | undefined;
  #hopLimit = 64;
  readonly #buffers: Map<"receive" | "send", number> = new Map();

  constructor(world: World, family: Family, open: OpenFile) {
    this.#world = world;
    this.#family = family;
    this.#open = open;
    this.#file = open.file as UdpFile;
  }

  startBind(_: Network, address: SocketAddress): undefined | Err {
    if (this.#state === "bind-in-progress") return new Err("concurrency-conflict");
    if (this.#state !== "unbound") return new Err("invalid-state");
    if (!fits(this.#family, address, false)) return new Err("invalid-argument");
    const { grant } = this.#world;
    const at = endpointOf(address);
    const listens = grant?.mayListen(at.address, at.port) === true;
    // whoever sends may choose from where, but not the port
    if (!listens && !(at.port === 0 && grant?.connects === true)) return new Err("access-denied");
    const network = networkOf(this.#world);
    if (network === undefined) return new Err("not-supported");
    this.#listens = listens;
    this.#state = "bind-in-progress";
    this.#outcome = undefined;
    const settle = (errno: number): void => {
      if (this.#outcome !== undefined) return; // an error of a message that was sent
      this.#outcome = errno;
      this.#signal.notify();
    };
    const file = this.#file;
    network.datagrams(at, {
      bound(socket) {
        if (file.closed) return socket.close();
        file.socket = socket;
        settle(0);
      },
      failed: settle,
      message: (data, from) => file.push(data, from),
    });
    return undefined;
  }

  finishBind(): undefined | Err | Wait<undefined | Err> {
    if (this.#state !== "bind-in-progress") return new Err("not-in-progress");
    return tried(this.#world, () => {
      const outcome = this.#outcome;
      if (outcome === undefined) return new Err("would-block");
      this.#state = outcome === 0 ? "bound" : "unbound";
      if (outcome !== 0) return new Err(socketCode(outcome));
      this.#applyOptions();
      return undefined;
    });
  }

  #applyOptions(): void {
    const socket = this.#file.socket!;
    if (this.#hopLimit !== 64) socket.hopLimit(this.#hopLimit);
    for (const [which, size] of this.#buffers) socket.bufferSize(which, size);
  }

  stream(
    remote: SocketAddress | undefined,
  ): [IncomingDatagramStream, OutgoingDatagramStream] | Err {
    if (this.#state !== "bound") return new Err("invalid-state");
    const { grant } = this.#world;
    if (remote !== undefined) {
      if (!fitsRemote(this.#family, remote, true)) return new Err("invalid-argument");
      const { address, port } = endpointOf(remote);
      if (!grant!.mayConnect(address, port)) return new Err("access-denied");
    }
    this.#remote = remote;
    const file = this.#file;
    file.generation++;
    while (file.shift() !== undefined); // what came by another rule
    if (remote !== undefined) {
      const { address, port } = endpointOf(remote);
      file.admits = (from) => from.address === address && from.port === port;
    } else {
      file.admits = this.#listens
        ? () => true
        : (from) => grant!.mayConnect(from.address, from.port);
    }
    return [
      new IncomingDatagramStream(this.#open.retain()),
      new OutgoingDatagramStream(this.#open.retain(), this.#family, remote),
    ];
  }

  localAddress(): SocketAddress | Err {
    const { socket } = this.#file;
    if (socket === undefined || this.#state !== "bound") return new Err("invalid-state");
    return addressOf(socket.local) ?? new Err("unknown");
  }

  remoteAddress(): SocketAddress | Err {
    return this.#remote ?? new Err("invalid-state");
  }

  addressFamily(): Family {
    return this.#family;
  }

  unicastHopLimit(): number {
    return this.#hopLimit;
  }

  setUnicastHopLimit(value: number): undefined | Err {
    if (value === 0) return new Err("invalid-argument");
    this.#hopLimit = value;
    if (this.#state === "bound") this.#file.socket!.hopLimit(value);
    return undefined;
  }

  #bufferSize(which: "receive" | "send"): bigint {
    const { socket } = this.#file;
    return BigInt(socket?.bufferSize(which) ?? this.#buffers.get(which) ?? 65536);
  }

  #setBufferSize(which: "receive" | "send", value: bigint): undefined | Err {
    if (value === 0n) return new Err("invalid-argument");
    const size = value > BigInt(BYTES_MAX) ? BYTES_MAX : Number(value);
    this.#buffers.set(which, size);
    this.#file.socket?.bufferSize(which, size);
    return undefined;
  }

  receiveBufferSize(): bigint {
    return this.#bufferSize("receive");
  }

  setReceiveBufferSize(value: bigint): undefined | Err {
    return this.#setBufferSize("receive", value);
  }

  sendBufferSize(): bigint {
    return this.#bufferSize("send");
  }

  setSendBufferSize(value: bigint): undefined | Err {
    return this.#setBufferSize("send", value);
  }

  subscribe(): Pollable {
    return this.#signal.pollable(this.#world);
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** What both streams of a socket are. */
class DatagramStream {
  protected readonly open: OpenFile;
  protected readonly file: UdpFile;
  readonly #generation: number;

  constructor(open: OpenFile) {
    this.open = open;
    this.file = open.file as UdpFile;
    this.#generation = this.file.generation;
  }

  /** Whether another call of `stream` has taken its place, or the socket is gone. */
  protected get isOver(): boolean {
    return this.file.closed || this.file.generation !== this.#generation;
  }

  [Symbol.dispose](): void {
    this.open.release();
  }
}

/** `incoming-datagram-stream`. */
export class IncomingDatagramStream extends DatagramStream {
  receive(most: bigint): object[] | Err | Wait<object[] | Err> {
    if (most === 0n) return [];
    const attempt = (): object[] | Err => {
      if (this.isOver) return new Err("invalid-state");
      const list: object[] = [];
      while (BigInt(list.length) < most) {
        const message = this.file.shift();
        if (message === undefined) break;
        list.push({ data: message.data, remoteAddress: addressOf(message.from) });
      }
      return list.length > 0 ? list : new Err("would-block");
    };
    return tried(this.open.world, attempt, []);
  }

  subscribe(): Pollable {
    const { file, open } = this;
    const isReady = (): boolean => this.isOver || file.queue.length > 0;
    return new Signal(isReady, file.wakes).pollable(open.world);
  }
}

/** A datagram to be sent. */
interface Outgoing {
  readonly data: Uint8Array;
  readonly remoteAddress: SocketAddress | undefined;
}

/** `outgoing-datagram-stream`. */
export class OutgoingDatagramStream extends DatagramStream {
  readonly #family: Family;
  readonly #remote: SocketAddress | undefined;
  #permit = 0;

  constructor(open: OpenFile, family: Family, remote: SocketAddress | undefined) {
    super(open);
    this.#family = family;
    this.#remote = remote;
  }

  checkSend(): bigint | Err | Wait<bigint | Err> {
    const attempt = (): bigint | Err => {
      if (this.isOver) return new Err("invalid-state");
      const { failed } = this.file;
      if (failed !== 0) {
        this.file.failed = 0;
        return new Err(socketCode(failed));
      }
      this.#permit = SENDING_MAX - this.file.sending;
      return this.#permit > 0 ? BigInt(this.#permit) : new Err("would-block");
    };
    return tried(this.open.world, attempt, 0n);
  }

  send(datagrams: readonly Outgoing[]): bigint | Err {
    if (datagrams.length > this.#permit) {
      throw new Trap("more datagrams are sent than check-send allowed");
    }
    if (this.isOver) return new Err("invalid-state");
    let count = 0n;
    for (const { data, remoteAddress } of datagrams) {
      const error = this.#sendOne(data, remoteAddress);
      if (error !== undefined) return count > 0n ? count : new Err(error);
      this.#permit--;
      count++;
    }
    return count;
  }

  #sendOne(data: Uint8Array, given: SocketAddress | undefined): string | undefined {
    const to = given ?? this.#remote;
    if (to === undefined || !fitsRemote(this.#family, to, true)) return "invalid-argument";
    const { address, port } = endpointOf(to);
    if (given !== undefined && this.#remote !== undefined) {
      const only = endpointOf(this.#remote);
      if (only.address !== address || only.port !== port) return "invalid-argument";
    }
    if (data.length > LENGTH_MAX) return "datagram-too-large";
    const { world } = this.open;
    if (world.grant?.mayConnect(address, port) !== true) return "access-denied";
    const { file } = this;
    file.sending++;
    const sent = new Promise<void>((resolve) => {
      file.socket!.send(data.slice(), { address, port }, (errno) => {
        file.sent(errno);
        resolve();
      });
    });
    world.sending.add(sent);
    sent.finally(() => world.sending.delete(sent));
    return undefined;
  }

  subscribe(): Pollable {
    const { file, open } = this;
    const isReady = (): boolean => this.isOver || file.sending < SENDING_MAX || file.failed !== 0;
    return new Signal(isReady, file.wakes).pollable(open.world);
  }
}

/** `create-udp-socket`. */
export function createUdpSocket(world: World, family: Family): UdpSocket | Err {
  const open = openOwn(world, new UdpFile(() => true));
  return open === undefined ? new Err("new-socket-limit") : new UdpSocket(world, family, open);
}
