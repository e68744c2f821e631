/**
 * Sockets over macOS' libc. Run over tests/darwin/library.c on Linux, not yet on a Mac.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import * as darwin from "./darwin.ts";
import type { DarwinLibc } from "./darwin_libc.ts";
import type { Context } from "./directory.ts";
import * as linux from "./linux.ts";
import { Sockets } from "./sockets.ts";

const { Sockaddr } = darwin;

/** Those of macOS. */
export class DarwinSockets extends Sockets {
  declare protected readonly libc: DarwinLibc;

  constructor(libc: DarwinLibc, context: () => Context) {
    super(libc, darwin, context);
  }

  protected make(family: number): number {
    const { libc } = this;
    const { symbols } = libc.foreign;
    const fd = libc.result(symbols.socket!(family, darwin.SOCK_STREAM, 0), libc.errno[0]!);
    return fd < 0 ? fd : this.#settle(fd);
  }

  protected take(fd: number): number {
    const { libc } = this;
    const taken = libc.result(libc.foreign.symbols.accept!(fd, null, null), libc.errno[0]!);
    return taken < 0 ? taken : this.#settle(taken);
  }

  /**
   * What Linux does within the call: a program that another thread starts at this very moment may
   * still get the descriptor. Gives the descriptor, or closes it; of a connection that the other end
   * has reset already the option cannot be set (bsd/kern/uipc_socket.c, sosetoptlock).
   */
  #settle(fd: number): number {
    const { libc } = this;
    let error = libc.closeOnExec(fd);
    if (error >= 0) error = libc.fcntl(fd, linux.F_SETFL, linux.O_NONBLOCK);
    if (error >= 0) error = this.setOption(fd, darwin.SO_NOSIGPIPE);
    if (error >= 0) return fd;
    libc.close(fd);
    return error === -Errno.INVAL ? -Errno.CONNABORTED : error;
  }

  protected putFamily(view: DataView, family: number, size: number): void {
    view.setUint8(Sockaddr.len, size);
    view.setUint8(Sockaddr.family, family);
  }

  protected familyOf(view: DataView): number {
    return view.getUint8(Sockaddr.family);
  }

  /** The option is the socket's, for others as well: an error instead of the end of a process. */
  protected prepare(fd: number): void {
    this.setOption(fd, darwin.SO_NOSIGPIPE);
  }

  /** MSG_TRUNC does not tell a message's length here: it is asked for before. */
  receive(
    fd: number,
    into: Uint8Array,
    offset: number,
    length: number,
    peeks: boolean,
    messages: boolean,
  ): number {
    const { foreign, errno } = this.libc;
    const whole = messages ? this.option(fd, darwin.SO_NREAD) : 0;
    const flags = darwin.MSG_DONTWAIT | (peeks ? darwin.MSG_PEEK : 0);
    for (;;) {
      const count = this.libc.result(
        foreign.symbols.recv!(fd, foreign.pointer(into, offset), length, flags),
        errno[0]!,
      );
      // where it did not fill the array, somebody else has taken the message that was asked about
      if (count !== -Errno.INTR) return count === length ? Math.max(count, whole) : count;
    }
  }

  /**
   * No MSG_DONTWAIT: the kernel does not look at it when it sends (bsd/kern/uipc_socket.c,
   * sosendcheck). A socket that was inherited and blocks may hold the thread until there is room.
   */
  send(fd: number, from: Uint8Array, offset: number, length: number): number {
    const { foreign, errno } = this.libc;
    for (;;) {
      const count = this.libc.result(
        foreign.symbols.send!(fd, foreign.pointer(from, offset), length, 0),
        errno[0]!,
      );
      if (count !== -Errno.INTR) return count;
    }
  }
}
