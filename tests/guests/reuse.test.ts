/** A descriptor that another thread closes while one waits for it: its number may be another's. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { stateOf } from "../../core/guest/guest.ts";
import { fd_close } from "../../core/preview1/fd.ts";
import { poll_oneoff } from "../../core/preview1/poll.ts";
import { sock_accept, sock_recv } from "../../core/preview1/sock.ts";
import type { Preview1System } from "../../core/preview1/system.ts";
import { Wait } from "../../core/system/waiting.ts";
import { scratch, sockets } from "../support/harness.ts";
import { WASI } from "../support/wasi.ts";

const skip = sockets ? false : "no sockets that listen on this runtime";
const [IOVS, DATA, LENGTH, FLAGS, OPENED, SUBSCRIPTIONS, EVENTS] = [64, 4096, 8, 12, 16, 256, 512];

/** A guest whose descriptor 4 is a connection, from which nothing comes. */
async function connected(): Promise<
  { system: Preview1System; bytes: Uint8Array; client: net.Socket }
> {
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const wasi = new WASI({ version: "preview1", stdin: null, listen });
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.finalizeBindings({ exports: {} } as WebAssembly.Instance, { memory });
  const { system } = stateOf(wasi);
  system.suspends = true;
  const client = net.connect(wasi.ports[0]!, "127.0.0.1");
  await new Promise((resolve) => client.once("connect", resolve));
  for (let tries = 0; sock_accept(system, 3, 4, OPENED) !== 0; tries++) {
    assert.ok(tries < 200, "no connection came");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const view = new DataView(memory.buffer);
  assert.equal(view.getUint32(OPENED, true), 4);
  // what accept() got does not wait, for the guest's own flag says so: now it does
  system.table.get(4)!.flags = 0;
  view.setUint32(IOVS, DATA, true);
  view.setUint32(IOVS + 4, 100, true);
  return { system, bytes: new Uint8Array(memory.buffer), client };
}

/** Opens files until one has the number that was the socket's. */
function reuse(number: number): () => void {
  const file = path.join(scratch("reuse"), "stranger");
  fs.writeFileSync(file, "what the embedder opened");
  const opened: number[] = [];
  do opened.push(fs.openSync(file, "r")); while (opened.length < 50 && opened.at(-1) !== number);
  assert.ok(opened.includes(number), "the number was not given again");
  return () => opened.forEach((fd) => fs.closeSync(fd));
}

/** The number that a descriptor of the guest has in the system. */
function numberOf(system: Preview1System): number {
  return (system.table.get(4)!.file as unknown as { fd: number }).fd;
}

test("sock_recv() does not go on with a number that is another's", { skip }, async () => {
  const { system, bytes, client } = await connected();
  const wait = sock_recv(system, 4, IOVS, 1, 0, LENGTH, FLAGS);
  assert.ok(wait instanceof Wait);
  const number = numberOf(system);
  assert.equal(fd_close(system, 4), 0);
  const done = reuse(number);
  system.poll(wait.entries, 0);
  assert.equal(wait.resume(), 8);
  assert.equal(Buffer.from(bytes.slice(DATA, DATA + 24)).toString(), "\0".repeat(24));
  done();
  client.destroy();
});

test(
  "poll_oneoff() tells of what was closed, and not of a stranger's bytes",
  { skip },
  async () => {
    const { system, bytes, client } = await connected();
    const view = new DataView(bytes.buffer);
    view.setUint8(SUBSCRIPTIONS + 8, 1); // FD_READ
    view.setUint32(SUBSCRIPTIONS + 16, 4, true);
    const wait = poll_oneoff(system, SUBSCRIPTIONS, EVENTS, 1, LENGTH);
    assert.ok(wait instanceof Wait);
    const number = numberOf(system);
    fd_close(system, 4);
    const done = reuse(number);
    system.poll(wait.entries, 0);
    assert.equal(wait.resume(), 0);
    assert.equal(view.getUint32(LENGTH, true), 1);
    assert.equal(view.getUint16(EVENTS + 8, true), 8); // EBADF
    assert.equal(view.getBigUint64(EVENTS + 16, true), 0n);
    done();
    client.destroy();
  },
);

test("what is closed twice closes nobody else's number", { skip }, async () => {
  const { system, client } = await connected();
  const { file } = system.table.get(4)!;
  const number = numberOf(system);
  fd_close(system, 4);
  const done = reuse(number);
  file!.close();
  assert.equal(file!.read(new Uint8Array(4), 0, 4, -1), -8);
  assert.equal(fs.fstatSync(number).size, 24);
  done();
  client.destroy();
});

test("poll_oneoff() says when a connection is at its end, and not before", { skip }, async () => {
  const { system, bytes, client } = await connected();
  const view = new DataView(bytes.buffer);
  view.setUint8(SUBSCRIPTIONS + 8, 1); // FD_READ
  view.setUint32(SUBSCRIPTIONS + 16, 4, true);
  const polled = async (): Promise<[nbytes: bigint, hangup: number]> => {
    for (let tries = 0;; tries++) {
      const wait = poll_oneoff(system, SUBSCRIPTIONS, EVENTS, 1, LENGTH);
      assert.ok(wait instanceof Wait && tries < 200);
      system.poll(wait.entries, 0);
      if (wait.resume() === 0) {
        return [view.getBigUint64(EVENTS + 16, true), view.getUint16(EVENTS + 24, true)];
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  client.write("abc");
  assert.deepEqual(await polled(), [3n, 0]);
  client.end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await polled(), [3n, 0]);
  assert.equal(sock_recv(system, 4, IOVS, 1, 0, LENGTH, FLAGS), 0);
  assert.deepEqual(await polled(), [0n, 1]);
  client.destroy();
});
