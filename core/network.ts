/**
 * What a host's network is to the core: connections, listeners, datagrams and names. Nothing here
 * waits: what comes of a call is told by another one, later.
 *
 * Errors are numbers of `Errno`, 0 for none.
 *
 * @module
 */

/** An address in numbers, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What is told of a connection. */
export interface ConnectionEvents {
  data(chunk: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** It is over. */
  failed(errno: number): void;
}

/** A connection of TCP. */
export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Begins to read. */
  start(events: ConnectionEvents): void;
  /** Stops reading; what is under way may still come. */
  pause(): void;
  resume(): void;
  /** Sends; the chunk is not used otherwise until `done`. */
  write(chunk: Uint8Array, done: (errno: number) => void): void;
  /** Sends no more, once all has been sent. */
  end(done: () => void): void;
  /** Closes it at once. */
  destroy(): void;
  /** @param idle milliseconds until the first probe */
  setKeepAlive(enabled: boolean, idle: number): void;
}

/** A socket that listens. Connections that nobody takes are closed by who listens. */
export interface Listener {
  readonly local: Endpoint;
  close(done: () => void): void;
}

/** A socket for datagrams. */
export interface Datagrams {
  readonly local: Endpoint;
  send(data: Uint8Array, to: Endpoint, done: (errno: number) => void): void;
  hopLimit(value: number): void;
  /** Bytes of a buffer, after they have been set if they are given. */
  bufferSize(which: "receive" | "send", value?: number): number;
  close(): void;
}

/** The network of a host. */
export interface HostNetwork {
  /** Connects. Calls one of the two functions, once. The returned one gives up. */
  connect(
    to: Endpoint,
    from: Endpoint | undefined,
    connected: (connection: Connection) => void,
    failed: (errno: number) => void,
  ): () => void;
  /** Listens. IPv6 addresses are not used for IPv4 as well. */
  listen(
    at: Endpoint,
    events: {
      listening(listener: Listener): void;
      failed(errno: number): void;
      connection(connection: Connection): void;
    },
  ): void;
  /** Makes a socket for datagrams. */
  datagrams(
    at: Endpoint,
    events: {
      bound(socket: Datagrams): void;
      failed(errno: number): void;
      message(data: Uint8Array, from: Endpoint): void;
    },
  ): void;
  /** The addresses of a name; rejects with an error that has a `code` such as "ENOTFOUND". */
  lookup(name: string): Promise<string[]>;
}
