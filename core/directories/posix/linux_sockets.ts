/**
 * Sockets over Linux' libc.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import type { Context } from "./directory.ts";
import * as linux from "./linux.ts";
import { type SocketLibc, Sockets } from "./sockets.ts";

const { Sockaddr } = linux;

/** Those of Linux. */
export class LinuxSockets extends Sockets {
  constructor(libc: SocketLibc, context: () => Context) {
    super(libc, linux, context);
  }

  protected make(family: number): number {
    const type = linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    const { libc } = this;
    return libc.result(libc.foreign.symbols.socket!(family, type, 0), libc.errno[0]!);
  }

  protected take(fd: number): number {
    const flags = linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    const { libc } = this;
    return libc.result(libc.foreign.symbols.accept4!(fd, null, null, flags), libc.errno[0]!);
  }

  protected putFamily(view: DataView, family: number): void {
    view.setUint16(Sockaddr.family, family, true);
  }

  protected familyOf(view: DataView): number {
    return view.getUint16(Sockaddr.family, true);
  }

  protected prepare(): void {}

  receive(
    fd: number,
    into: Uint8Array,
    offset: number,
    length: number,
    peeks: boolean,
    messages: boolean,
  ): number {
    const { foreign, errno } = this.libc;
    const flags = linux.MSG_DONTWAIT | (peeks ? linux.MSG_PEEK : 0) |
      (messages ? linux.MSG_TRUNC : 0);
    for (;;) {
      const count = this.libc.result(
        foreign.symbols.recv!(fd, foreign.pointer(into, offset), length, flags),
        errno[0]!,
      );
      if (count !== -Errno.INTR) return count;
    }
  }

  send(fd: number, from: Uint8Array, offset: number, length: number): number {
    const { foreign, errno } = this.libc;
    const flags = linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT;
    for (;;) {
      const count = this.libc.result(
        foreign.symbols.send!(fd, foreign.pointer(from, offset), length, flags),
        errno[0]!,
      );
      if (count !== -Errno.INTR) return count;
    }
  }
}
