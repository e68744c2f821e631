/**
 * Sockets of the stream kind over libc: listening ones that an embedder opens, and their
 * connections. linux_sockets.ts and darwin_sockets.ts have what differs between systems.
 *
 * @module
 */
import { Errno, posixError } from "../../errno.ts";
import { type File, Filetype, Riflags, Sdflags, type StreamAccess } from "../../host.ts";
import { type Context, LibcFile } from "./directory.ts";
import type { Foreign } from "../../foreign.ts";
import type { PosixLibc } from "./interface.ts";

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

/** Numbers and layouts of sockets, which each system has of its own. */
export interface SocketNumbers {
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_TYPE: number;
  readonly SO_ACCEPTCONN: number;
  readonly Sockaddr: {
    readonly size: number;
    readonly size4: number;
    readonly port: number;
    readonly addr: number;
    readonly addr6: number;
  };
}

/** libc as far as sockets need it. */
export interface SocketLibc extends PosixLibc {
  readonly foreign: Foreign;
  /** errno of this thread, to be read in the expression of a call. */
  readonly errno: Int32Array;
  /** A result, or for one below zero the errno of the call in WASI's numbers, negative. */
  result(result: number, errno: number): number;
}

/** Where things lie in the block: an address, a whole number, its size. */
const ADDRESS = 0;
const VALUE = 32;
const SIZE = 36;

/** Opens and serves sockets. Each system makes, takes, reads and writes them in its own way. */
export abstract class Sockets {
  readonly #context: () => Context;
  readonly #numbers: SocketNumbers;
  protected readonly libc: SocketLibc;
  readonly #block: Uint8Array = new Uint8Array(new ArrayBuffer(64));
  readonly #view: DataView = new DataView(this.#block.buffer);

  constructor(libc: SocketLibc, numbers: SocketNumbers, context: () => Context) {
    this.libc = libc;
    this.#numbers = numbers;
    this.#context = context;
  }

  /** Makes a socket of the stream kind that does not block and is not handed on; -errno. */
  protected abstract make(family: number): number;
  /** Takes a connection that does not block and is not handed on; -errno. */
  protected abstract take(fd: number): number;
  /** Lays the family into an address of so many bytes. */
  protected abstract putFamily(view: DataView, family: number, size: number): void;
  protected abstract familyOf(view: DataView): number;
  /** Prepares a socket that the process inherited. */
  protected abstract prepare(fd: number): void;
  /**
   * Receives without waiting; -errno. Of a socket that gives messages the count is the message's own
   * length, however much of it fits.
   */
  abstract receive(
    fd: number,
    into: Uint8Array,
    offset: number,
    length: number,
    peeks: boolean,
    messages: boolean,
  ): number;
  /** Sends, without a signal if nobody can receive; -errno. */
  abstract send(fd: number, from: Uint8Array, offset: number, length: number): number;

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
    const { libc } = this;
    const { symbols } = libc.foreign;
    const { AF_INET, AF_INET6, SO_REUSEADDR } = this.#numbers;
    const family = address.length === 16 ? AF_INET6 : AF_INET;
    const fd = this.make(family);
    if (fd < 0) throw posixError(-fd, "cannot make a socket");
    this.setOption(fd, SO_REUSEADDR);
    const size = this.#putAddress(family, address, port);
    const { errno } = libc;
    let error = libc.result(symbols.bind!(fd, this.#pointer(ADDRESS), size), errno[0]!);
    if (error === 0) error = libc.result(symbols.listen!(fd, BACKLOG), errno[0]!);
    if (error === 0) {
      const listening = this.#port(fd);
      return new LibcSocket(this.#context(), this, fd, { owned: true, messages: false, listening });
    }
    libc.close(fd);
    throw posixError(-error, `cannot listen on ${host} port ${port}`);
  }

  /** A socket that the process has open. */
  inherited(fd: number): File {
    const { SO_TYPE, SO_ACCEPTCONN, SOCK_STREAM } = this.#numbers;
    this.prepare(fd);
    const messages = this.option(fd, SO_TYPE) !== SOCK_STREAM;
    // a system may answer with the option's own bit instead of 1
    const listening = this.option(fd, SO_ACCEPTCONN) > 0 ? this.#port(fd) : undefined;
    return new LibcSocket(this.#context(), this, fd, { owned: false, messages, listening });
  }

  /** A whole number among a socket's options, or -errno. */
  protected option(fd: number, name: number): number {
    this.#view.setInt32(VALUE, 0, true);
    this.#view.setUint32(SIZE, 4, true);
    const { getsockopt } = this.libc.foreign.symbols;
    const { SOL_SOCKET } = this.#numbers;
    const error = this.libc.result(
      getsockopt!(fd, SOL_SOCKET, name, this.#pointer(VALUE), this.#pointer(SIZE)),
      this.libc.errno[0]!,
    );
    return error < 0 ? error : this.#view.getInt32(VALUE, true);
  }

  /** Turns an option on; -errno. */
  protected setOption(fd: number, name: number): number {
    this.#view.setInt32(VALUE, 1, true);
    const { setsockopt } = this.libc.foreign.symbols;
    return this.libc.result(
      setsockopt!(fd, this.#numbers.SOL_SOCKET, name, this.#pointer(VALUE), 4),
      this.libc.errno[0]!,
    );
  }

  #pointer(at: number): unknown {
    return this.libc.foreign.pointer(this.#block, at);
  }

  #putAddress(family: number, address: Uint8Array, port: number): number {
    const { Sockaddr } = this.#numbers;
    const six = address.length === 16;
    const size = six ? Sockaddr.size : Sockaddr.size4;
    this.#block.fill(0, ADDRESS, Sockaddr.size);
    this.putFamily(this.#view, family, size);
    this.#view.setUint16(ADDRESS + Sockaddr.port, port, false);
    this.#block.set(address, ADDRESS + (six ? Sockaddr.addr6 : Sockaddr.addr));
    return size;
  }

  /** The port that a socket is bound to, 0 for one that has none. */
  #port(fd: number): number {
    const { Sockaddr, AF_INET, AF_INET6 } = this.#numbers;
    this.#view.setUint32(SIZE, Sockaddr.size, true);
    const { getsockname } = this.libc.foreign.symbols;
    if (getsockname!(fd, this.#pointer(ADDRESS), this.#pointer(SIZE)) < 0) return 0;
    const family = this.familyOf(this.#view);
    const known = family === AF_INET || family === AF_INET6;
    return known ? this.#view.getUint16(ADDRESS + Sockaddr.port, false) : 0;
  }

  accept(fd: number): File | number {
    for (;;) {
      const connection = this.take(fd);
      if (connection >= 0) {
        const kind = { owned: true, messages: false, listening: undefined };
        return new LibcSocket(this.#context(), this, connection, kind);
      }
      // a connection that went before it was taken is nobody's error
      if (connection !== -Errno.INTR && connection !== -Errno.CONNABORTED) return connection;
    }
  }

  shutdown(fd: number, how: number): number {
    const { libc } = this;
    return libc.result(libc.foreign.symbols.shutdown!(fd, how), libc.errno[0]!);
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
    return this.#sockets.receive(this.fd, into, offset, length, false, false);
  }

  override write(from: Uint8Array, offset: number, length: number): number {
    return this.#sockets.send(this.fd, from, offset, length);
  }

  accept(): File | number {
    return this.#sockets.accept(this.fd);
  }

  receive(into: Uint8Array, offset: number, length: number, flags: number): number {
    const peeks = (flags & Riflags.RECV_PEEK) !== 0;
    return this.#sockets.receive(this.fd, into, offset, length, peeks, this.#kind.messages);
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
