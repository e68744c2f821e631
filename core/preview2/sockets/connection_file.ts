/**
 * A connection of TCP as a file, which both of its streams use.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { Filetype, Poll, type PollEntry, type StreamAccess } from "../../host.ts";
import type { Connection } from "../../network.ts";
import { AsyncStream } from "../../system/async_file.ts";
import type { RemoteFile } from "../io.ts";
import { SENDING_MAX, type World } from "../world.ts";
import { socketCode } from "./network.ts";

/** What a buffer may hold at least and at most. */
const BUFFER_MIN = 4096;
const BUFFER_MAX = 1 << 20;
const BUFFER = 1 << 16;

/** How much a guest wants of a buffer, within what it can have. */
function clamped(value: bigint): number {
  if (value > BigInt(BUFFER_MAX)) return BUFFER_MAX;
  return Math.max(BUFFER_MIN, Number(value));
}

/** A socket's connection, from before it connects on. */
export class ConnectionFile extends AsyncStream implements RemoteFile {
  override readonly filetype: number = Filetype.SOCKET_STREAM;
  readonly #world: World;
  #connection: Connection | undefined;
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  #sending = 0;
  #receiveMax = BUFFER;
  #sendMax = BUFFER;
  #paused = false;
  #ended = false;
  #error = 0;
  #shutRead = false;
  #shutWrite = false;
  #closed = false;
  /** Called when the guest ends while a socket is still open. */
  onClose: () => void = () => {};

  constructor(world: World) {
    super();
    this.#world = world;
  }

  get failure(): string | undefined {
    return this.#error === 0 ? undefined : socketCode(this.#error);
  }

  get broken(): number {
    return this.#error !== 0 ? this.#error : this.#shutWrite ? Errno.PIPE : 0;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get receiveMax(): bigint {
    return BigInt(this.#receiveMax);
  }

  set receiveMax(value: bigint) {
    this.#receiveMax = clamped(value);
  }

  get sendMax(): bigint {
    return BigInt(this.#sendMax);
  }

  set sendMax(value: bigint) {
    this.#sendMax = clamped(value);
  }

  /** Begins to use a connection. */
  attach(connection: Connection): void {
    if (this.#closed) return connection.destroy();
    this.#connection = connection;
    connection.start({
      data: (chunk) => {
        if (this.#shutRead || this.#closed) return;
        this.#chunks.push(chunk);
        this.#received += chunk.length;
        if (this.#received >= this.#receiveMax && !this.#paused) {
          this.#paused = true;
          connection.pause();
        }
        this.wake();
      },
      ended: () => {
        this.#ended = true;
        this.wake();
      },
      failed: (errno) => this.#fail(errno),
    });
  }

  #fail(errno: number): void {
    if (this.#error === 0) this.#error = errno;
    this.wake();
  }

  read(into: Uint8Array, offset: number, length: number): number {
    const chunk = this.#chunks[0];
    if (chunk !== undefined) {
      const part = chunk.subarray(0, length);
      into.set(part, offset);
      if (part.length < chunk.length) this.#chunks[0] = chunk.subarray(part.length);
      else this.#chunks.shift();
      this.#received -= part.length;
      if (this.#paused && this.#received < this.#receiveMax) {
        this.#paused = false;
        this.#connection!.resume();
      }
      return part.length;
    }
    if (this.#shutRead) return 0;
    if (this.#error !== 0) return -this.#error;
    return this.#ended ? 0 : -Errno.AGAIN;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    if (this.broken !== 0) return -this.broken;
    if (this.#sending >= this.#sendMax) return -Errno.AGAIN;
    this.#sending += length;
    this.#connection!.write(from.slice(offset, offset + length), (errno) => {
      this.#sending -= length;
      if (errno !== 0) this.#fail(errno);
      else this.wake();
    });
    return length;
  }

  access(): StreamAccess {
    return { read: true, write: true, fdflags: 0 };
  }

  ready(entry: PollEntry): void {
    if (entry.events === Poll.WRITE) {
      if (this.#sending < this.#sendMax || this.broken !== 0) entry.found = Poll.WRITE;
      return;
    }
    entry.nbytes = this.#received;
    if (this.#received > 0) entry.found = Poll.READ;
    else if (this.#ended || this.#shutRead || this.#error !== 0) {
      entry.found = Poll.READ | Poll.HANGUP;
    }
  }

  /** What is received from now on, and has been, is dropped. */
  shutReading(): void {
    this.#shutRead = true;
    this.#chunks.length = 0;
    this.#received = 0;
    if (this.#paused) this.#connection!.resume();
    this.#paused = false;
    this.wake();
  }

  /** Sends what is left, and the end. */
  shutWriting(): void {
    if (this.#shutWrite) return;
    this.#shutWrite = true;
    this.#send();
    this.wake();
  }

  /** Remembers that the end is on its way, so that a run waits for it. */
  #send(): Promise<void> {
    const { sending } = this.#world;
    const sent = new Promise<void>((resolve) => this.#connection!.end(resolve));
    sending.add(sent);
    return sent.finally(() => sending.delete(sent));
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): void {
    this.close();
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
    const connection = this.#connection;
    if (connection !== undefined) {
      if (this.#error !== 0 || this.#world.system.ended !== undefined) connection.destroy();
      else {
        const timer = setTimeout(() => connection.destroy(), SENDING_MAX);
        this.#send().then(() => {
          clearTimeout(timer);
          connection.destroy();
        });
      }
    }
    this.#fail(Errno.CONNABORTED);
  }
}
