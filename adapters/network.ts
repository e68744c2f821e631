/**
 * The network over node:net, node:dgram and node:dns, which Node, Deno and Bun have.
 *
 * @module
 */
import { Errno, errnoOf } from "../core/errno.ts";
import type {
  Connection,
  ConnectionEvents,
  Datagrams,
  Endpoint,
  HostNetwork,
  Listener,
} from "../core/network.ts";

type Net = typeof import("node:net");
type Dgram = typeof import("node:dgram");
type Dns = typeof import("node:dns");
type Socket = import("node:net").Socket;

/** Most connections that the system keeps until they are accepted. */
const BACKLOG = 128;

function quiet(act: () => void): void {
  try {
    act();
  } catch {
    // it is closed already
  }
}

/** Why nothing can be bound. Deno says EINVAL of an address that is not this machine's. */
function notBindable(error: Error): number {
  const errno = errnoOf(error);
  return errno === Errno.INVAL ? Errno.ADDRNOTAVAIL : errno;
}

class NodeConnection implements Connection {
  readonly #socket: Socket;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  #events: ConnectionEvents | undefined;
  #failed = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    this.remote = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    socket.on("error", (error) => {
      this.#failed = errnoOf(error);
      this.#events?.failed(this.#failed);
    });
  }

  start(events: ConnectionEvents): void {
    this.#events = events;
    if (this.#failed !== 0) return events.failed(this.#failed);
    const socket = this.#socket;
    socket.on("data", (chunk: Uint8Array) => events.data(chunk));
    socket.on("end", () => events.ended());
    socket.on("close", () => events.ended());
    socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(chunk: Uint8Array, done: (errno: number) => void): void {
    this.#socket.write(chunk, (error) => done(error ? errnoOf(error) : 0));
  }

  end(done: () => void): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableFinished) return done();
    let called = false;
    const once = (): void => {
      if (!called) done();
      called = true;
    };
    socket.once("close", once);
    socket.end(once);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setKeepAlive(enabled: boolean, idle: number): void {
    quiet(() => this.#socket.setKeepAlive(enabled, idle));
  }
}

function connect(
  net: Net,
  to: Endpoint,
  from: Endpoint | undefined,
  connected: (connection: Connection) => void,
  failed: (errno: number) => void,
): () => void {
  let socket: Socket | undefined;
  try {
    const local = from && { localAddress: from.address, localPort: from.port };
    const made = net.connect({ host: to.address, port: to.port, allowHalfOpen: true, ...local });
    socket = made;
    let settled = false;
    // it stays, because an error that nobody listens for ends the process
    made.on("error", (error) => {
      if (!settled) failed(errnoOf(error));
      settled = true;
    });
    made.once("connect", () => {
      settled = true;
      made.pause();
      made.setNoDelay(true);
      connected(new NodeConnection(made));
    });
  } catch (error) {
    queueMicrotask(() => failed(errnoOf(error)));
  }
  return () => socket?.destroy();
}

function listen(net: Net, at: Endpoint, events: Parameters<HostNetwork["listen"]>[1]): void {
  try {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    let open = false;
    server.on("error", (error) => {
      if (!open) events.failed(notBindable(error));
    });
    server.on("connection", (socket: Socket) => {
      socket.setNoDelay(true);
      events.connection(new NodeConnection(socket));
    });
    const options = { host: at.address, port: at.port, backlog: BACKLOG, exclusive: true };
    server.listen({ ...options, ipv6Only: at.address.includes(":") }, () => {
      open = true;
      const { address, port } = server.address() as import("node:net").AddressInfo;
      const listener: Listener = {
        local: { address, port },
        close: (done) => void server.close(() => done()),
      };
      events.listening(listener);
    });
  } catch (error) {
    queueMicrotask(() => events.failed(errnoOf(error)));
  }
}

function datagrams(
  dgram: Dgram,
  at: Endpoint,
  events: Parameters<HostNetwork["datagrams"]>[1],
  refused: (to: Endpoint, failed: (errno: number) => void) => boolean,
): void {
  try {
    const six = at.address.includes(":");
    const socket = dgram.createSocket({ type: six ? "udp6" : "udp4", ipv6Only: six });
    let open = false;
    socket.on("error", (error) => {
      if (open) return; // of a message, whose sender is told
      quiet(() => socket.close());
      events.failed(notBindable(error));
    });
    socket.on("message", (data, { address, port }) => events.message(data, { address, port }));
    socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
      open = true;
      const { address, port } = socket.address();
      const bound: Datagrams = {
        local: { address, port },
        send(data, to, done) {
          if (refused(to, done)) return;
          try {
            socket.send(data, to.port, to.address, (error) => done(error ? errnoOf(error) : 0));
          } catch (error) {
            done(errnoOf(error));
          }
        },
        hopLimit: (value) => quiet(() => socket.setTTL(value)),
        bufferSize(which, value) {
          if (value !== undefined) {
            const set = which === "receive" ? "setRecvBufferSize" : "setSendBufferSize";
            quiet(() => socket[set](value));
          }
          return which === "receive" ? socket.getRecvBufferSize() : socket.getSendBufferSize();
        },
        close: () => quiet(() => socket.close()),
      };
      events.bound(bound);
    });
  } catch (error) {
    queueMicrotask(() => events.failed(errnoOf(error)));
  }
}

/** The network of the runtime, whose modules `load` gives, as far as its permissions go. */
export function nodeNetwork(
  load: (name: string) => unknown,
  mayReach: (address: string, port: number) => boolean,
): HostNetwork {
  const net = load("node:net") as Net;
  const dgram = load("node:dgram") as Dgram;
  const dns = load("node:dns") as Dns;
  const refused = ({ address, port }: Endpoint, failed: (errno: number) => void): boolean => {
    if (mayReach(address, port)) return false;
    queueMicrotask(() => failed(Errno.ACCES));
    return true;
  };
  return {
    connect(to, from, connected, failed) {
      if (refused(to, failed) || (from && refused(from, failed))) return () => {};
      return connect(net, to, from, connected, failed);
    },
    listen(at, events) {
      if (!refused(at, events.failed)) listen(net, at, events);
    },
    datagrams(at, events) {
      if (!refused(at, events.failed)) datagrams(dgram, at, events, refused);
    },
    async lookup(name) {
      const found = await dns.promises.lookup(name, { all: true });
      return found.map(({ address }) => address);
    },
  };
}
