/**
 * System calls made from JavaScript, as a guest would make them: memory is filled with "?", paths
 * and buffers are laid into it, results are read back, and a stray write shows.
 */
import { BaseWASI, type HostMaker, type WASIOptions } from "../../core/guest/wasi.ts";
import { WASI } from "./wasi.ts";

/** Where the helper lays things; tests may use what lies above. */
const RESULT = 1024;
const PATH = 4096;
const PATH2 = 16384;
const IOVS = 32768;
/** Where data is read to and written from. */
export const DATA = 65536;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** All rights there are. */
export const ALL = 0x3fffffffn;

/** A guest without code. */
export class Guest {
  readonly wasi: BaseWASI;
  readonly memory: WebAssembly.Memory;
  // deno-lint-ignore no-explicit-any
  readonly call: Record<string, (...parameters: any[]) => number>;

  /** `makeHost` makes another host than the runtime's own. */
  constructor(
    { makeHost, ...given }: Partial<WASIOptions> & { makeHost?: HostMaker } = {},
    memory?: WebAssembly.Memory,
  ) {
    this.memory = memory ?? new WebAssembly.Memory({ initial: 16 });
    const options: WASIOptions = { version: "preview1", ...given };
    this.wasi = makeHost === undefined ? new WASI(options) : new BaseWASI(options, makeHost);
    this.bytes.fill(63, 0, 1 << 20);
    this.wasi.finalizeBindings({ exports: {} } as WebAssembly.Instance, { memory: this.memory });
    this.call = this.wasi.wasiImport;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** Lays a text or bytes down; gives pointer and length. */
  put(text: string | Uint8Array, at: number = PATH): [number, number] {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  /** One iovec over `length` bytes at `at`; gives pointer and count. */
  iov(at: number, length: number): [number, number] {
    this.view.setUint32(IOVS, at, true);
    this.view.setUint32(IOVS + 4, length, true);
    return [IOVS, 1];
  }

  /** path_open; the descriptor, or -errno. Follows links unless told not to. */
  open(
    path: string | Uint8Array,
    options: {
      fd?: number;
      oflags?: number;
      rights?: bigint;
      inheriting?: bigint;
      fdflags?: number;
      dirflags?: number;
    } = {},
  ): number {
    const { fd = 3, oflags = 0, rights = 2n, inheriting = ALL, fdflags = 0, dirflags = 1 } =
      options;
    const [at, length] = this.put(path);
    const errno = this.call.path_open!(
      fd,
      dirflags,
      at,
      length,
      oflags,
      rights,
      inheriting,
      fdflags,
      RESULT,
    );
    return errno === 0 ? this.view.getUint32(RESULT, true) : -errno;
  }

  /** Writes text at the descriptor's position; the count, or -errno. */
  write(fd: number, text: string): number {
    const [at, length] = this.put(text, DATA);
    const errno = this.call.fd_write!(fd, ...this.iov(at, length), RESULT);
    return errno === 0 ? this.view.getUint32(RESULT, true) : -errno;
  }

  /** Reads text from the descriptor's position, or gives -errno. */
  read(fd: number, length = 1000): string | number {
    const errno = this.call.fd_read!(fd, ...this.iov(DATA, length), RESULT);
    if (errno !== 0) return -errno;
    const count = this.view.getUint32(RESULT, true);
    return decoder.decode(this.bytes.slice(DATA, DATA + count));
  }

  /** A call with one path: fd, pointer, length and what follows. */
  path(name: string, path: string | Uint8Array, fd = 3): number {
    return this.call[name]!(fd, ...this.put(path));
  }

  /** path_filestat_get; the 64 bytes or -errno. */
  stat(path: string | Uint8Array, flags = 1, fd = 3): DataView | number {
    const errno = this.call.path_filestat_get!(fd, flags, ...this.put(path), DATA);
    return errno === 0 ? new DataView(this.bytes.slice(DATA, DATA + 64).buffer) : -errno;
  }

  /** path_rename within one descriptor. */
  rename(from: string, to: string, fd: number = 3, toFd: number = fd): number {
    return this.call.path_rename!(fd, ...this.put(from), toFd, ...this.put(to, PATH2));
  }

  /** path_link within one descriptor. */
  link(from: string, to: string, flags: number = 0, fd: number = 3, toFd: number = fd): number {
    return this.call.path_link!(fd, flags, ...this.put(from), toFd, ...this.put(to, PATH2));
  }

  /** path_symlink. */
  symlink(target: string, path: string, fd = 3): number {
    return this.call.path_symlink!(...this.put(target, PATH2), fd, ...this.put(path));
  }

  /** path_readlink; the target or -errno. */
  readlink(path: string, fd = 3): string | number {
    const errno = this.call.path_readlink!(fd, ...this.put(path), DATA, 1000, RESULT);
    if (errno !== 0) return -errno;
    return decoder.decode(this.bytes.slice(DATA, DATA + this.view.getUint32(RESULT, true)));
  }

  /** The names fd_readdir gives, as bytes turned into text one by one. */
  names(fd: number): string[] {
    const names: string[] = [];
    let cookie = 0n;
    for (;;) {
      const errno = this.call.fd_readdir!(fd, DATA, 4096, cookie, RESULT);
      if (errno !== 0) throw new Error(`fd_readdir: ${errno}`);
      const used = this.view.getUint32(RESULT, true);
      let at = DATA;
      while (at + 24 <= DATA + used) {
        const length = this.view.getUint32(at + 16, true);
        if (at + 24 + length > DATA + used) break;
        names.push(String.fromCharCode(...this.bytes.slice(at + 24, at + 24 + length)));
        cookie = this.view.getBigUint64(at, true);
        at += 24 + length;
      }
      if (used < 4096) return names;
    }
  }
}
