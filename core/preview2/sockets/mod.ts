/**
 * `wasi:sockets`: TCP, UDP and names.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/sockets
 *
 * @module
 */
import type { Interface } from "../interface.ts";
import type { IoError } from "../io.ts";
import { resolveAddresses, ResolveAddressStream } from "./lookup.ts";
import { type Family, Network } from "./network.ts";
import { createTcpSocket, TcpSocket } from "./tcp.ts";
import {
  createUdpSocket,
  IncomingDatagramStream,
  OutgoingDatagramStream,
  UdpSocket,
} from "./udp.ts";
import * as wit from "./wit.ts";

const network: Interface = {
  wit: wit.NETWORK,
  classes: { network: Network },
  functions: () => ({
    "network-error-code": ({ failure }: IoError) =>
      typeof failure === "string" ? failure : undefined,
  }),
};

const instanceNetwork: Interface = {
  wit: wit.INSTANCE_NETWORK,
  functions: () => ({ "instance-network": () => new Network() }),
};

const lookup: Interface = {
  wit: wit.IP_NAME_LOOKUP,
  classes: { "resolve-address-stream": ResolveAddressStream },
  functions: (world) => ({
    "resolve-addresses": (network: Network, name: string) => resolveAddresses(world, network, name),
  }),
  waits: ["[method]resolve-address-stream.resolve-next-address"],
};

const tcp: Interface = {
  wit: wit.TCP,
  classes: { "tcp-socket": TcpSocket },
  waits: [
    "[method]tcp-socket.finish-bind",
    "[method]tcp-socket.finish-connect",
    "[method]tcp-socket.accept",
  ],
};

const tcpCreateSocket: Interface = {
  wit: wit.TCP_CREATE_SOCKET,
  functions: (world) => ({
    "create-tcp-socket": (family: Family) => createTcpSocket(world, family),
  }),
};

const udp: Interface = {
  wit: wit.UDP,
  classes: {
    "udp-socket": UdpSocket,
    "incoming-datagram-stream": IncomingDatagramStream,
    "outgoing-datagram-stream": OutgoingDatagramStream,
  },
  waits: [
    "[method]udp-socket.finish-bind",
    "[method]incoming-datagram-stream.receive",
    "[method]outgoing-datagram-stream.check-send",
  ],
};

const udpCreateSocket: Interface = {
  wit: wit.UDP_CREATE_SOCKET,
  functions: (world) => ({
    "create-udp-socket": (family: Family) => createUdpSocket(world, family),
  }),
};

/** In the order in which they use each other. */
export const INTERFACES: readonly Interface[] = [
  network,
  instanceNetwork,
  lookup,
  tcp,
  tcpCreateSocket,
  udp,
  udpCreateSocket,
];
