/**
 * `tcp-socket`.
 *
 * Source: https://github.com/WebAssembly/WASI/blob/main/proposals/sockets/TcpSocketOperationalSemantics.md
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import type { Connection, Endpoint, Listener } from "../../network.ts";
import type { Wait } from "../../system/waiting.ts";
import { InputStream, OutputStream } from "../io.ts";
import type { Pollable } from "../pollables.ts";
import { type OpenFile, openOwn, type World } from "../world.ts";
import { ConnectionFile } from "./connection_file.ts";
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

type State =
  | "unbound"
  | "bind-in-progress"
  | "bound"
  | "listen-in-progress"
  | "listening"
  | "connect-in-progress"
  | "connected"
  | "closed";

type Streams = [InputStream, OutputStream];

/** Connections that wait to be accepted. */
const BACKLOG = 128;
const SECOND = 1_000_000_000n;

/** `tcp-socket`. */
export class TcpSocket {
  readonly #world: World;
  readonly #family: Family;
  readonly #open: OpenFile;
  readonly #file: ConnectionFile;
  readonly #signal: Signal = new Signal(() => this.#isReady());
  #state: State = "unbound";
  /** What it was to be bound to. */
  #wanted: Endpoint | undefined;
  #listener: Listener | undefined;
  readonly #waiting: Connection[] = [];
  #backlog = BACKLOG;
  /** What the operation in progress has come to. */
  #outcome: Connection | Listener | number | undefined;
  #giveUp: () => void = () => {};
  #keepAlive = { enabled: false, idle: 7200n * SECOND };

  constructor(world: World, family: Family, open: OpenFile) {
    this.#world = world;
    this.#family = family;
    this.#open = open;
    this.#file = open.file as ConnectionFile;
  }

  #isReady(): boolean {
    switch (this.#state) {
      case "bind-in-progress":
      case "connect-in-progress":
        return this.#outcome !== undefined;
      case "listening":
        return this.#waiting.length > 0;
      default:
        return true;
    }
  }

  #settle(outcome: Connection | Listener | number): void {
    this.#outcome = outcome;
    this.#signal.notify();
  }

  startBind(_: Network, address: SocketAddress): undefined | Err {
    if (this.#state === "bind-in-progress") return new Err("concurrency-conflict");
    if (this.#state !== "unbound") return new Err("invalid-state");
    if (!fits(this.#family, address, false)) return new Err("invalid-argument");
    const { grant } = this.#world;
    const at = endpointOf(address);
    // whoever connects may choose from where, but not the port
    const harmless = at.port === 0 && grant?.connects === true;
    if (grant?.mayListen(at.address, at.port) !== true && !harmless) {
      return new Err("access-denied");
    }
    const network = networkOf(this.#world);
    if (network === undefined) return new Err("not-supported");
    this.#wanted = at;
    this.#state = "bind-in-progress";
    this.#outcome = undefined;
    network.listen(at, {
      listening: (listener) => {
        if (this.#state === "closed") listener.close(() => {});
        else this.#settle(listener);
      },
      failed: (errno) => this.#settle(errno),
      connection: (connection) => this.#arrive(connection),
    });
    return undefined;
  }

  #arrive(connection: Connection): void {
    // a socket that is only bound is none to others; the system makes no difference here
    if (this.#state !== "listening" || this.#waiting.length >= this.#backlog) {
      return connection.destroy();
    }
    this.#waiting.push(connection);
    this.#signal.notify();
  }

  finishBind(): undefined | Err | Wait<undefined | Err> {
    if (this.#state !== "bind-in-progress") return new Err("not-in-progress");
    return tried(this.#world, () => {
      const outcome = this.#outcome;
      if (outcome === undefined) return new Err("would-block");
      if (typeof outcome === "number") {
        this.#state = "unbound";
        return new Err(socketCode(outcome));
      }
      this.#listener = outcome as Listener;
      this.#state = "bound";
      return undefined;
    });
  }

  startConnect(_: Network, address: SocketAddress): undefined | Err {
    const state = this.#state;
    if (state === "connect-in-progress" || state === "bind-in-progress") {
      return new Err("concurrency-conflict");
    }
    if (state !== "unbound" && state !== "bound") return new Err("invalid-state");
    if (!fitsRemote(this.#family, address, false)) return new Err("invalid-argument");
    const to = endpointOf(address);
    if (this.#world.grant?.mayConnect(to.address, to.port) !== true) {
      return new Err("access-denied");
    }
    const network = networkOf(this.#world);
    if (network === undefined) return new Err("not-supported");
    this.#state = "connect-in-progress";
    this.#outcome = undefined;
    const listener = this.#listener;
    this.#listener = undefined;
    const connect = (): void => {
      if (this.#state === "closed") return;
      this.#giveUp = network.connect(to, listener?.local, (connection) => {
        if (this.#state === "closed") connection.destroy();
        else this.#settle(connection);
      }, (errno) => this.#settle(errno));
    };
    if (listener === undefined) connect();
    else listener.close(connect);
    return undefined;
  }

  finishConnect(): Streams | Err | Wait<Streams | Err> {
    if (this.#state !== "connect-in-progress") return new Err("not-in-progress");
    return tried(this.#world, () => {
      const outcome = this.#outcome;
      if (outcome === undefined) return new Err("would-block");
      if (typeof outcome === "number") {
        this.#state = "closed";
        return new Err(socketCode(outcome));
      }
      return this.connected(outcome as Connection);
    });
  }

  /** It has this connection from now on. */
  connected(connection: Connection): Streams {
    this.#state = "connected";
    this.#file.attach(connection);
    if (this.#keepAlive.enabled) this.#applyKeepAlive();
    return [
      new InputStream(this.#open.retain(), -1),
      new OutputStream(this.#open.retain(), -1),
    ];
  }

  startListen(): undefined | Err {
    if (this.#state === "listen-in-progress") return new Err("concurrency-conflict");
    if (this.#state !== "bound") return new Err("invalid-state");
    const { address, port } = this.#wanted!;
    if (!this.#world.grant!.mayListen(address, port)) return new Err("access-denied");
    this.#state = "listen-in-progress";
    return undefined;
  }

  finishListen(): undefined | Err {
    if (this.#state !== "listen-in-progress") return new Err("not-in-progress");
    this.#state = "listening";
    return undefined;
  }

  accept(): [TcpSocket, ...Streams] | Err | Wait<[TcpSocket, ...Streams] | Err> {
    if (this.#state !== "listening") return new Err("invalid-state");
    return tried(this.#world, () => {
      const connection = this.#waiting.shift();
      if (connection === undefined) return new Err("would-block");
      const open = openOwn(this.#world, new ConnectionFile(this.#world));
      if (open === undefined) {
        connection.destroy();
        return new Err("new-socket-limit");
      }
      const socket = new TcpSocket(this.#world, this.#family, open);
      socket.#keepAlive = { ...this.#keepAlive };
      const file = open.file as ConnectionFile;
      file.receiveMax = this.#file.receiveMax;
      file.sendMax = this.#file.sendMax;
      return [socket, ...socket.connected(connection)];
    });
  }

  localAddress(): SocketAddress | Err {
    const local = this.#file.connection?.local ?? this.#listener?.local;
    if (local === undefined || this.#state === "closed") return new Err("invalid-state");
    return addressOf(local) ?? new Err("unknown");
  }

  remoteAddress(): SocketAddress | Err {
    const { connection } = this.#file;
    if (connection === undefined || this.#state !== "connected") return new Err("invalid-state");
    return addressOf(connection.remote) ?? new Err("unknown");
  }

  isListening(): boolean {
    return this.#state === "listening";
  }

  addressFamily(): Family {
    return this.#family;
  }

  setListenBacklogSize(value: bigint): undefined | Err {
    if (value === 0n) return new Err("invalid-argument");
    if (["connect-in-progress", "connected", "closed"].includes(this.#state)) {
      return new Err("invalid-state");
    }
    this.#backlog = value > BigInt(BACKLOG) ? BACKLOG : Number(value);
    return undefined;
  }

  keepAliveEnabled(): boolean {
    return this.#keepAlive.enabled;
  }

  setKeepAliveEnabled(enabled: boolean): undefined {
    this.#keepAlive.enabled = enabled;
    this.#applyKeepAlive();
  }

  #applyKeepAlive(): void {
    const { enabled, idle } = this.#keepAlive;
    this.#file.connection?.setKeepAlive(enabled, Number(idle / 1_000_000n));
  }

  keepAliveIdleTime(): bigint {
    return this.#keepAlive.idle;
  }

  /** In whole seconds, up to what systems take. */
  setKeepAliveIdleTime(value: bigint): undefined | Err {
    if (value === 0n) return new Err("invalid-argument");
    const seconds = (value + SECOND - 1n) / SECOND;
    this.#keepAlive.idle = (seconds > 32767n ? 32767n : seconds) * SECOND;
    if (this.#keepAlive.enabled) this.#applyKeepAlive();
    return undefined;
  }

  /** What the runtimes set, which cannot be changed. */
  keepAliveInterval(): bigint {
    return SECOND;
  }

  setKeepAliveInterval(value: bigint): undefined | Err {
    return value === 0n ? new Err("invalid-argument") : undefined;
  }

  keepAliveCount(): number {
    return 10;
  }

  setKeepAliveCount(value: number): undefined | Err {
    return value === 0 ? new Err("invalid-argument") : undefined;
  }

  hopLimit(): Err {
    return new Err("not-supported");
  }

  setHopLimit(value: number): Err {
    return new Err(value === 0 ? "invalid-argument" : "not-supported");
  }

  receiveBufferSize(): bigint {
    return this.#file.receiveMax;
  }

  setReceiveBufferSize(value: bigint): undefined | Err {
    if (value === 0n) return new Err("invalid-argument");
    this.#file.receiveMax = value;
    return undefined;
  }

  sendBufferSize(): bigint {
    return this.#file.sendMax;
  }

  setSendBufferSize(value: bigint): undefined | Err {
    if (value === 0n) return new Err("invalid-argument");
    this.#file.sendMax = value;
    return undefined;
  }

  subscribe(): Pollable {
    return this.#signal.pollable(this.#world);
  }

  shutdown(what: "receive" | "send" | "both"): undefined | Err {
    if (this.#state !== "connected") return new Err("invalid-state");
    if (what !== "send") this.#file.shutReading();
    if (what !== "receive") this.#file.shutWriting();
    return undefined;
  }

  /** Lets go of everything but what its streams still use. */
  close(): void {
    const outcome = this.#outcome;
    const state = this.#state;
    if (state !== "connected") this.#giveUp();
    this.#state = "closed";
    this.#listener?.close(() => {});
    for (const connection of this.#waiting.splice(0)) connection.destroy();
    if (typeof outcome !== "object") return;
    if (state === "connect-in-progress") (outcome as Connection).destroy();
    if (state === "bind-in-progress") (outcome as Listener).close(() => {});
  }

  [Symbol.dispose](): void {
    this.close();
    this.#open.release();
  }
}

/** `create-tcp-socket`. */
export function createTcpSocket(world: World, family: Family): TcpSocket | Err {
  const file = new ConnectionFile(world);
  const open = openOwn(world, file);
  if (open === undefined) return new Err("new-socket-limit");
  const socket = new TcpSocket(world, family, open);
  file.onClose = () => socket.close();
  return socket;
}
