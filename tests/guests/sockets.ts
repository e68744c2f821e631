/** Sockets that listen: servers in a guest, clients in other threads and in this one. */
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { canSuspend, memory, OutputBuffer, type WASIOptions } from "../../mod.ts";
import { Errno, Filetype } from "../../core/preview1/abi.ts";
import { scratch, sockets as canListen } from "../support/harness.ts";
import { socketPair } from "../support/socket_pair.ts";
import { Shared } from "../support/subject.ts";
import { guestModule, type Guests } from "./guest.ts";

export const sockets: Shared<Guests> = new Shared();

const skip = canListen ? false : "no sockets that listen on this runtime";
/** Where pairs of sockets can be made. */
const linux = skip || process.platform !== "linux";
const local = [{ host: "127.0.0.1", port: 0 }];

/** Runs a client, a script of CommonJS that has `port`, in a thread of its own. */
function client(script: string, port: number): Promise<unknown> {
  const file = path.join(scratch("client"), "client.cjs");
  fs.writeFileSync(
    file,
    `const { parentPort, workerData: port } = require("node:worker_threads");
     const net = require("node:net");
     const http = require("node:http");
     (async () => {${script}})().then(
       (value) => parentPort.postMessage(value),
       (error) => parentPort.postMessage(String(error)),
     );`,
  );
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: port });
    worker.on("message", (value) => {
      resolve(value);
      void worker.terminate();
    });
    worker.on("error", reject);
  });
}

/** Asks `count` times for a path, some at once, and gives the bodies. */
const ASK = `
  const ask = (path) => new Promise((resolve, reject) => {
    http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => body += chunk).on("end", () => resolve(body));
    }).on("error", reject);
  });
  const all = async (count) => {
    const bodies = [];
    for (let i = 0; i < count; i += 10) {
      bodies.push(...await Promise.all(Array.from({ length: 10 }, (_, k) => ask("/" + (i + k)))));
    }
    return bodies;
  };`;

function options(args: string[], stdout: OutputBuffer): WASIOptions {
  return { version: "preview1", args, stdin: null, stdout, stderr: stdout, listen: local };
}

/** What the answers must be: each path once, each number once. */
function check(bodies: unknown, count: number): void {
  assert.ok(Array.isArray(bodies), String(bodies));
  const parts = (bodies as string[]).map((body) => body.trim().split(" "));
  const numbers = (texts: string[]): number[] => texts.map(Number).sort((a, b) => a - b);
  const paths = parts.map(([path]) => path!.slice(1));
  assert.deepEqual(numbers(paths), [...Array(count).keys()]);
  assert.deepEqual(
    numbers(parts.map(([, number]) => number!)),
    [...Array(count).keys()].map((n) => n + 1),
  );
}

for (const [how, count] of [["recv", 1000], ["read", 100], ["poll", 200]] as const) {
  sockets.test(
    `a guest that holds the thread serves ${count} requests (${how})`,
    { skip },
    async (on) => {
      const out = new OutputBuffer();
      const wasi = new on.WASI(options(["http", "3", String(count), how], out));
      const answers = client(`${ASK} return all(${count});`, wasi.ports[0]!);
      const instance = new WebAssembly.Instance(guestModule("http"), wasi.getImportObject());
      assert.equal(wasi.start(instance), 0, out.text());
      assert.equal(out.text(), `served ${count}\n`);
      check(await answers, count);
    },
  );
}

for (const [how, count] of [["recv", 1000], ["poll", 100]] as const) {
  sockets.test(`a suspended guest serves ${count} requests of this very thread (${how})`, {
    skip: skip || !canSuspend(),
  }, async (on) => {
    const out = new OutputBuffer();
    const wasi = new on.AsyncWASI(options(["http", "3", String(count), how], out));
    const [port] = wasi.ports;
    const ask = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk) => body += chunk);
          response.on("end", () => resolve(body));
        }).on("error", reject);
      });
    const instance = new WebAssembly.Instance(guestModule("http"), wasi.getImportObject());
    const code = wasi.start(instance);
    const bodies: string[] = [];
    for (let i = 0; i < count; i += 10) {
      const asked = Array.from({ length: 10 }, (_, k) => ask(`/${i + k}`));
      bodies.push(...await Promise.all(asked));
    }
    assert.equal(await code, 0, out.text());
    check(bodies, count);
  });
}

sockets.test(
  "receiving peeks, waits for all, and says when there is nothing",
  { skip },
  async (on) => {
    const out = new OutputBuffer();
    const wasi = new on.WASI(options(["recv", "3"], out));
    const talk = client(
      `
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    socket.setNoDelay(true);
    socket.write("first");
    for (const part of ["one part, ", "two, ", "end"]) {
      await pause(60);
      socket.write(part);
    }
    let said = "";
    for await (const chunk of socket) said += chunk;
    socket.end();
    return said;`,
      wasi.ports[0]!,
    );
    const instance = new WebAssembly.Instance(guestModule("recv"), wasi.getImportObject());
    const code = wasi.start(instance);
    assert.equal(code, 0, out.text());
    assert.equal(out.text().split("\n").filter((line) => line.startsWith("ok")).length, 18);
    assert.equal(await talk, "bye");
  },
);

sockets.test(
  "sockets come after the directories, and are free again at the end",
  { skip },
  (on) => {
    const out = new OutputBuffer();
    const wasi = new on.WASI({
      ...options(["http", "5", "0"], out),
      preopens: { "/": memory(), "/tmp": memory() },
      listen: [...local, { host: "::1", port: 0 }],
    });
    const [first, second] = wasi.ports;
    assert.ok(first! > 0 && second! > 0);
    const taken = (): unknown =>
      new on.WASI({ version: "preview1", listen: [{ host: "localhost", port: first! }] });
    assert.throws(taken, { code: "UVWASI_EADDRINUSE", message: new RegExp(`port ${first}`) });
    const instance = new WebAssembly.Instance(guestModule("http"), wasi.getImportObject());
    assert.equal(wasi.start(instance), 0);
    (taken() as Disposable)[Symbol.dispose]();
  },
);

sockets.test("an inherited socket is one to the guest as well", { skip: linux }, (on) => {
  const pair = socketPair("stream");
  const guest = puppet(on, pair.fd);
  assert.equal(guest.filetype(), Filetype.SOCKET_STREAM);
  pair.send("text");
  assert.deepEqual(guest.recv(2, 1), { errno: 0, text: "te", isCut: false });
  assert.deepEqual(guest.recv(100), { errno: 0, text: "text", isCut: false });
  guest.close();
  pair.end();
  pair.close();
});

/** Calls of a guest without code whose standard input and output are a descriptor. */
function puppet(on: Guests, fd: number): {
  filetype(): number;
  recv(length: number, flags?: number): { errno: number; text: string; isCut: boolean };
  send(text: string): number;
  poll(): { nbytes: number; isEnd: boolean };
  close(): void;
} {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const wasi = new on.WASI({ version: "preview1", stdin: fd, stdout: fd });
  wasi.finalizeBindings({ exports: {} } as unknown as WebAssembly.Instance, { memory });
  const { fd_fdstat_get, sock_recv, sock_send, poll_oneoff } = wasi.wasiImport;
  return {
    filetype() {
      assert.equal(fd_fdstat_get!(0, 0), 0);
      return view.getUint8(0);
    },
    recv(length, flags = 0) {
      view.setUint32(0, 1024, true);
      view.setUint32(4, length, true);
      const errno = sock_recv!(0, 0, 1, flags, 8, 12);
      const count = view.getUint32(8, true);
      const text = new TextDecoder().decode(bytes.slice(1024, 1024 + count));
      return { errno, text, isCut: view.getUint16(12, true) === 1 };
    },
    send(text) {
      bytes.set(new TextEncoder().encode(text), 1024);
      view.setUint32(0, 1024, true);
      view.setUint32(4, text.length, true);
      return sock_send!(1, 0, 1, 0, 8);
    },
    poll() {
      bytes.fill(0, 0, 256);
      view.setUint8(8, 1); // FD_READ of descriptor 0
      assert.equal(poll_oneoff!(0, 128, 1, 252), 0);
      assert.equal(view.getUint16(136, true), 0);
      const nbytes = Number(view.getBigUint64(144, true));
      return { nbytes, isEnd: view.getUint16(152, true) === 1 };
    },
    close: () => wasi[Symbol.dispose](),
  };
}

sockets.test("a message is cut to its buffer, and that is told", { skip: linux }, (on) => {
  const pair = socketPair("datagram");
  const guest = puppet(on, pair.fd);
  for (const text of ["0123456789", "0123456789", "next", "", "last"]) pair.send(text);
  assert.deepEqual(guest.recv(4, 1), { errno: 0, text: "0123", isCut: true });
  assert.deepEqual(guest.recv(10), { errno: 0, text: "0123456789", isCut: false });
  assert.deepEqual(guest.recv(4), { errno: 0, text: "0123", isCut: true });
  assert.deepEqual(guest.recv(100), { errno: 0, text: "next", isCut: false });
  assert.deepEqual(guest.recv(100), { errno: 0, text: "", isCut: false });
  assert.deepEqual(guest.recv(4), { errno: 0, text: "last", isCut: false });
  guest.close();
  pair.end();
  pair.close();
});

sockets.test("an end is told of a stream, and nobody there is PIPE", { skip: linux }, (on) => {
  const pair = socketPair("stream");
  const guest = puppet(on, pair.fd);
  pair.send("text");
  assert.deepEqual(guest.poll(), { nbytes: 4, isEnd: false });
  assert.deepEqual(guest.recv(100), { errno: 0, text: "text", isCut: false });
  pair.end();
  assert.deepEqual(guest.poll(), { nbytes: 0, isEnd: true });
  assert.deepEqual(guest.recv(100), { errno: 0, text: "", isCut: false });
  assert.equal(guest.send("x"), Errno.PIPE);
  guest.close();
  pair.close();
});
