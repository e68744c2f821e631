/**
 * Sockets of the stream kind over Linux' libc: listening ones that an embedder opens, and their
 * connections.
 *
 * @module
 */
import { Errno, posixError } from "../../core/errno.ts";
import { type File, Filetype, Riflags, Sdflags, type StreamAccess } from "../../core/host.ts";
import { type Context, LibcFile } from "./directory.ts";
import type { Libc } from "./libc.ts";
import * as linux from "./linux.ts";

/** Connections that wait to be taken. */
const BACKLOG = 511;

const LOCALHOST = "127.0.0.1";

/** The bytes of an address written in numbers, or undefined. */
export function addressOf(host: string): Uint8Array | undefined {
  const text = host === "localhost" ? LOCALHOST : host.replace(/^\[(.*)\]$/, "$1");
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
  }
  return text.includes(":") ? addressOf6(text) : undefined;
}

function addressOf6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [first, last] = halves.map((half) => half === "" ? [] : half.split(":")) as [
    string[],
    string[] | undefined,
  ];
  const missing = 8 - first.length - (last?.length ?? 0);
  if (last === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...first, ...new Array<string>(missing).fill("0"), ...(last ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  }));
}

/** Opens and serves sockets. */
export class Sockets {
  readonly #context: () => Context;
  readonly #libc: Libc;
  readonly #block: Uint8Array = new Uint8Array(new ArrayBuffer(64));
  readonly #view: DataView = new DataView(this.#block.buffer);

  constructor(libc: Libc, context: () => Context) {
    this.#libc = libc;
    this.#context = context;
  }

  /** Opens a listening socket; throws an error with a POSIX `code`. */
  listen(host: string, port: number): File {
    const address = addressOf(host);
    if (address === undefined) {
      throw posixError(
        Errno.INVAL,
        `host ${
          JSON.stringify(host)
        } must be "localhost" or an address such as "127.0.0.1" or "::1"`,
      );
    }
    const libc = this.#libc;
    const { symbols } = libc.foreign;
    const six = address.length === 16;
    const type = linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    const fd = libc.result(symbols.socket!(six ? linux.AF_INET6 : linux.AF_INET, type, 0));
    if (fd < 0) throw posixError(-fd, "cannot make a socket");
    this.#view.setInt32(32, 1, true);
    symbols.setsockopt!(fd, linux.SOL_SOCKET, linux.SO_REUSEADDR, this.#pointer(32), 4);
    const size = this.#putAddress(address, port);
    let error = libc.result(symbols.bind!(fd, this.#pointer(0), size));
    if (error === 0) error = libc.result(symbols.listen!(fd, BACKLOG));
    if (error === 0) {
      const listening = this.#port(fd);
      return new LibcSocket(this.#context(), this, fd, { owned: true, messages: false, listening });
    }
    libc.close(fd);
    throw posixError(-error, `cannot listen on ${host} port ${port}`);
  }

  /** A socket that the process has open. */
  inherited(fd: number): File {
    const messages = this.#option(fd, linux.SO_TYPE) !== linux.SOCK_STREAM;
    const listening = this.#option(fd, linux.SO_ACCEPTCONN) === 1 ? this.#port(fd) : undefined;
    return new LibcSocket(this.#context(), this, fd, { owned: false, messages, listening });
  }

  /** A whole number among a socket's options, or -errno. */
  #option(fd: number, name: number): number {
    this.#view.setInt32(32, 0, true);
    this.#view.setUint32(36, 4, true);
    const { getsockopt } = this.#libc.foreign.symbols;
    const error = getsockopt!(fd, linux.SOL_SOCKET, name, this.#pointer(32), this.#pointer(36));
    return this.#libc.result(error < 0 ? error : this.#view.getInt32(32, true));
  }

  #pointer(at: number): unknown {
    return this.#libc.foreign.pointer(this.#block, at);
  }

  #putAddress(address: Uint8Array, port: number): number {
    const { Sockaddr } = linux;
    const six = address.length === 16;
    this.#block.fill(0, 0, Sockaddr.size);
    this.#view.setUint16(Sockaddr.family, six ? linux.AF_INET6 : linux.AF_INET, true);
    this.#view.setUint16(Sockaddr.port, port, false);
    this.#block.set(address, six ? Sockaddr.addr6 : Sockaddr.addr);
    return six ? Sockaddr.size : Sockaddr.size4;
  }

  /** The port that a socket is bound to, 0 for one that has none. */
  #port(fd: number): number {
    this.#view.setUint32(32, linux.Sockaddr.size, true);
    const { symbols } = this.#libc.foreign;
    const error = symbols.getsockname!(fd, this.#pointer(0), this.#pointer(32));
    const family = this.#view.getUint16(linux.Sockaddr.family, true);
    const known = error === 0 && (family === linux.AF_INET || family === linux.AF_INET6);
    return known ? this.#view.getUint16(linux.Sockaddr.port, false) : 0;
  }

  accept(fd: number): File | number {
    const flags = linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    for (;;) {
      const connection = this.#libc.result(
        this.#libc.foreign.symbols.accept4!(fd, null, null, flags),
      );
      if (connection >= 0) {
        const kind = { owned: true, messages: false, listening: undefined };
        return new LibcSocket(this.#context(), this, connection, kind);
      }
      // a connection that went before it was taken is nobody's error
      if (connection !== -Errno.INTR && connection !== -Errno.CONNABORTED) return connection;
    }
  }

  receive(fd: number, into: Uint8Array, offset: number, length: number, flags: number): number {
    const { foreign } = this.#libc;
    for (;;) {
      const count = this.#libc.result(
        foreign.symbols.recv!(fd, foreign.pointer(into, offset), length, flags),
      );
      if (count !== -Errno.INTR) return count;
    }
  }

  send(fd: number, from: Uint8Array, offset: number, length: number): number {
    const { foreign } = this.#libc;
    const flags = linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT;
    for (;;) {
      const count = this.#libc.result(
        foreign.symbols.send!(fd, foreign.pointer(from, offset), length, flags),
      );
      if (count !== -Errno.INTR) return count;
    }
  }

  shutdown(fd: number, how: number): number {
    return this.#libc.result(this.#libc.foreign.symbols.shutdown!(fd, how));
  }
}

/** What kind of socket it is. */
interface SocketKind {
  /** Closed with its descriptor; one that the process inherited stays open. */
  readonly owned: boolean;
  /** Whether it gives one message at a time, not a stream of bytes. */
  readonly messages: boolean;
  /** The port, if it listens. */
  readonly listening: number | undefined;
}

/** A socket: one that listens, or a connection. */
export class LibcSocket extends LibcFile {
  readonly #sockets: Sockets;
  readonly #kind: SocketKind;
  readonly listening: boolean;
  readonly port: number;
  /**
   * Only where the socket is the guest's alone: both ends of one that the process shares with others
   * would be shut for all of them.
   */
  readonly shutdown: ((how: number) => number) | undefined;

  constructor(context: Context, sockets: Sockets, fd: number, kind: SocketKind) {
    super(context, fd, kind.messages ? Filetype.SOCKET_DGRAM : Filetype.SOCKET_STREAM);
    this.#sockets = sockets;
    this.#kind = kind;
    this.listening = kind.listening !== undefined;
    this.port = kind.listening ?? 0;
    this.shutdown = kind.owned ? (how) => this.#shutdown(how) : undefined;
  }

  override read(into: Uint8Array, offset: number, length: number): number {
    return this.#sockets.receive(this.fd, into, offset, length, linux.MSG_DONTWAIT);
  }

  override write(from: Uint8Array, offset: number, length: number): number {
    return this.#sockets.send(this.fd, from, offset, length);
  }

  accept(): File | number {
    return this.#sockets.accept(this.fd);
  }

  receive(into: Uint8Array, offset: number, length: number, flags: number): number {
    let how = linux.MSG_DONTWAIT;
    if ((flags & Riflags.RECV_PEEK) !== 0) how |= linux.MSG_PEEK;
    // then the count is the message's own length, however much of it fits
    if (this.#kind.messages) how |= linux.MSG_TRUNC;
    return this.#sockets.receive(this.fd, into, offset, length, how);
  }

  /** shutdown(2) counts its ways from 0: reading, writing, both. */
  #shutdown(how: number): number {
    const ways = { [Sdflags.RD]: 0, [Sdflags.WR]: 1, [Sdflags.RD | Sdflags.WR]: 2 };
    return this.#sockets.shutdown(this.fd, ways[how]!);
  }

  /** Flags of a socket are shared with whoever else has it open. */
  override setFlags(): number {
    return -Errno.NOTSUP;
  }

  access(): StreamAccess {
    return { read: true, write: true, fdflags: 0 };
  }

  override close(): void {
    if (this.#kind.owned) super.close();
  }

  /** A command that has ended serves nobody: its port is free again. */
  park(): void {
    this.close();
  }
}
