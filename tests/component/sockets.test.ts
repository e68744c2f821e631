/** wasi:sockets: a component's connections to, and from, sockets that the test has. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { canSuspend, run, type RunOptions } from "../../mod.ts";
import { mod, root, runRuntime, runtime, scratch } from "../support/harness.ts";

type Network = RunOptions["network"];

const guest = fs.readFileSync(path.join(root, "tests/components/sockets.wasm"));
const home = "127.0.0.1";

/** Gives back what it gets. */
const echo = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  socket.pipe(socket);
});
/** Answers "re " and what it gets. */
const answers = dgram.createSocket("udp4");
/** Where they are. */
let tcp: number;
let udp: number;

before(async () => {
  await new Promise<void>((resolve) => echo.listen(0, home, resolve));
  tcp = (echo.address() as net.AddressInfo).port;
  answers.on("message", (message, { port, address }) => {
    answers.send(`re ${message}`, port, address);
  });
  await new Promise<void>((resolve) => answers.bind(0, home, resolve));
  udp = answers.address().port;
});

after(() => {
  echo.close();
  answers.close();
});

interface Started {
  /** The first line of the output, once it is there. */
  readonly line: Promise<string>;
  /** The exit code and the output. */
  readonly done: Promise<[code: number, out: string]>;
}

function start(args: unknown[], network: Network, options: RunOptions = {}): Started {
  let out = "";
  let first: (line: string) => void = () => {};
  const line = new Promise<string>((resolve) => first = resolve);
  const stdout = (chunk: Uint8Array): void => {
    out += new TextDecoder().decode(chunk);
    if (out.includes("\n")) first(out.split("\n")[0]!);
  };
  const all = { args: ["sockets", ...args.map(String)], stdout, network, ...options };
  const done = run(guest, all).then((code): [number, string] => [code, out]);
  done.catch(() => {}).finally(() => first(out));
  return { line, done };
}

async function ran(args: unknown[], network: Network, options?: RunOptions): Promise<string> {
  const [code, out] = await start(args, network, options).done;
  return `${code}: ${out.trimEnd()}`;
}

test("without a grant everything is denied", async () => {
  for (const network of [undefined, {}]) {
    assert.equal(await ran(["connect", home, tcp, "x"], network), "1: connect: access-denied");
    assert.equal(await ran(["serve", home, 0, 1], network), "1: bind: access-denied");
    assert.equal(await ran(["udp", home, udp, "x"], network), "1: bind: access-denied");
    assert.equal(await ran(["resolve", "localhost"], network), "1: resolve: access-denied");
  }
});

if (!canSuspend()) {
  test("without JSPI there are no sockets", async () => {
    const network = { connect: ["*"], listen: ["*"], lookup: true };
    assert.equal(await ran(["connect", home, tcp, "x"], network), "1: connect: not-supported");
    assert.equal(await ran(["serve", home, 0, 1], network), "1: bind: not-supported");
    assert.equal(await ran(["udp", home, udp, "x"], network), "1: bind: not-supported");
    assert.equal(await ran(["resolve", "localhost"], network), "1: resolve: not-supported");
  });
} else {
  test("connecting", async () => {
    const network = { connect: [`${home}:${tcp}`] };
    assert.equal(await ran(["connect", home, tcp, "hello"], network), "0: hello");
    assert.equal(await ran(["from", home, tcp, "hello"], network), "0: hello");
  });

  test("only where the grant lets it", async () => {
    for (const entry of [`${home}:1`, `127.0.0.2:${tcp}`, `localhost:${tcp}`, "*.0.0.example"]) {
      assert.equal(
        await ran(["connect", home, tcp, "x"], { connect: [entry], listen: ["*"] }),
        "1: connect: access-denied",
      );
    }
    for (const entry of ["*", `*:${tcp}`, home]) {
      assert.equal(await ran(["connect", home, tcp, "x"], { connect: [entry] }), "0: x");
    }
  });

  test("nobody listens", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, home, resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    assert.equal(
      await ran(["connect", home, port, "x"], { connect: ["*"] }),
      "1: connect: connection-refused",
    );
  });

  test("as much as the other side takes, at its pace", async () => {
    const network = { connect: [`${home}:${tcp}`] };
    assert.equal(await ran(["pump", home, tcp, 3_000_000], network), "0: 3000000 bytes");
  });

  test("a connection that the other side breaks off", async () => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => server.listen(0, home, resolve));
    const { port } = server.address() as net.AddressInfo;
    assert.match(
      await ran(["connect", home, port, "x"], { connect: ["*"] }),
      /^1: read: connection-reset$/,
    );
    server.close();
  });

  test("listening", async () => {
    const { line, done } = start(["serve", home, 0, 2], { listen: [`${home}:0`] });
    const port = Number(await line);
    for (const text of ["one", "x".repeat(300_000)]) {
      const socket = net.connect({ host: home, port, allowHalfOpen: true });
      let got = "";
      socket.on("data", (chunk: Uint8Array) => got += new TextDecoder().decode(chunk));
      socket.end(text);
      await new Promise((resolve, reject) => socket.on("end", resolve).on("error", reject));
      assert.equal(got.length, text.length + 4);
      assert.ok(got.startsWith(text.slice(0, 100)) && got.endsWith(" bye"));
    }
    assert.deepEqual(await done, [0, `${port}\n`]);
  });

  test("only on addresses and ports that the grant names", async () => {
    const denied = "1: bind: access-denied";
    assert.equal(await ran(["serve", home, 0, 1], { listen: [`${home}:80`] }), denied);
    assert.equal(await ran(["serve", "0.0.0.0", 0, 1], { listen: [home] }), denied);
    // a port of its own is what a client may have, too
    assert.equal(await ran(["serve", home, 0, 1], { connect: ["*"] }), "1: listen: access-denied");
    assert.equal(await ran(["serve", home, tcp, 1], { connect: ["*"] }), denied);
  });

  test("what calls say in each state", async () => {
    const out = await ran(["states", home, tcp], { connect: ["*"], listen: [home] });
    assert.deepEqual(out.split("\n"), [
      "0: finish-bind: not-in-progress",
      "finish-connect: not-in-progress",
      "start-listen: invalid-state",
      "finish-listen: not-in-progress",
      "accept: invalid-state",
      "local-address: invalid-state",
      "remote-address: invalid-state",
      "shutdown: invalid-state",
      "listening 0, family 0",
      "bind to IPv6: invalid-argument",
      "bind to multicast: invalid-argument",
      "connect to 0.0.0.0: invalid-argument",
      "connect to port 0: invalid-argument",
      "backlog 0: invalid-argument",
      "idle 0: invalid-argument",
      "keep-alive: ok",
      "hop-limit 0: invalid-argument",
      "receive-buffer-size 0: invalid-argument",
      "receive-buffer-size 10000",
      "start-bind: ok",
      "start-bind again: concurrency-conflict",
      "finish-bind: ok",
      "start-bind when bound: invalid-state",
      "start-listen: ok",
      "finish-listen: ok",
      "listening 1",
      "accept: would-block",
      "connect when listening: invalid-state",
      "connected",
      "connect when connected: invalid-state",
      "listen when connected: invalid-state",
      "backlog when connected: invalid-state",
      "shutdown: ok",
      "shutdown again: ok",
      "bind to a port in use: address-in-use",
    ]);
  });

  test("datagrams", async () => {
    const network = { connect: [`${home}:${udp}`] };
    assert.deepEqual((await ran(["udp", home, udp, "hi"], network)).split("\n"), [
      "0: remote: invalid-state",
      "send: datagram-too-large",
      "send: access-denied", // to the next port
      "send: invalid-argument", // to nobody
      `re hi from ${udp}`,
    ]);
    assert.deepEqual((await ran(["udp-one", home, udp, "hi"], network)).split("\n"), [
      `0: remote: ${home} ${udp}`,
      "send: datagram-too-large",
      "send: invalid-argument", // to another
      `re hi from ${udp}`,
    ]);
  });

  test("datagrams from others", async () => {
    const network = { listen: [`${home}:0`], connect: [home] };
    const { line, done } = start(["datagrams", home, 0], network);
    const port = Number(await line);
    const client = dgram.createSocket("udp4");
    const answer = new Promise((resolve) => client.once("message", (text) => resolve(`${text}`)));
    client.send("question", port, home);
    assert.equal(await answer, "answer");
    client.close();
    assert.deepEqual(await done, [0, `${port}\ngot question\n`]);
  });

  test("who may not listen gets nothing from those it may not send to", async () => {
    const { line, done } = start(["datagrams", home, 0], { connect: [`127.0.0.2:1`, "*:1"] }, {
      timeout: 1000,
    });
    const port = Number(await line);
    const client = dgram.createSocket("udp4");
    client.send("question", port, home, () => client.close());
    await assert.rejects(done, { name: "TimeoutError" });
  });

  test("names", async () => {
    const resolved = await ran(["resolve", "localhost"], { lookup: true });
    assert.match(resolved, /^0: (?:127\.0\.0\.1|\.\.\.1)/);
    assert.equal(await ran(["resolve", "LOCALHOST"], { connect: ["localhost:1"] }), resolved);
    assert.equal(
      await ran(["resolve", "localhost"], { connect: ["other.example"], listen: ["localhost"] }),
      "1: resolve: access-denied",
    );
    assert.equal(await ran(["resolve", "::1"], {}), "0: ...1");
    assert.equal(await ran(["resolve", "10.1.2.3"], {}), "0: 10.1.2.3");
    assert.equal(await ran(["resolve", "a b"], { lookup: true }), "1: resolve: invalid-argument");
  });

  test("a guest that waits for a connection can be stopped", async () => {
    const { line, done } = start(["serve", home, 0, 1], { listen: [home] }, { timeout: 500 });
    const port = Number(await line);
    await assert.rejects(done, { name: "TimeoutError" });
    const socket = net.connect(port, home);
    const refused = await new Promise((resolve) => socket.on("error", resolve));
    assert.equal((refused as { code?: unknown }).code, "ECONNREFUSED");
  });

  test("limits.openFiles counts sockets", async () => {
    const network = { connect: ["*"] };
    assert.equal(
      await ran(["connect", home, tcp, "x"], network, { limits: { openFiles: 0 } }),
      "1: create: new-socket-limit",
    );
    assert.equal(
      await ran(["connect", home, tcp, "x"], network, { limits: { openFiles: 1 } }),
      "0: x",
    );
  });
}

/** Runs the guest in every way that needs a permission, and shows what it says. */
const script = `
import fs from "node:fs";
const { run } = await import(${JSON.stringify(mod)});
const network = { connect: ["*"], listen: ["*"], lookup: true };
for (const args of [["connect", "${home}", "9", "x"], ["from", "${home}", "9", "x"],
  ["serve", "${home}", "0", "0"], ["datagrams", "${home}", "0"], ["udp", "${home}", "9", "x"],
  ["resolve", "localhost"]]) {
  let out = "";
  const stdout = (chunk) => out += new TextDecoder().decode(chunk);
  const program = fs.readFileSync(${
  JSON.stringify(path.join(root, "tests/components/sockets.wasm"))
});
  const code = await run(program, { args: ["sockets", ...args], stdout, network });
  console.log(args[0], code, out.trim());
}
`;

// Bun has no permissions, and Node before 25 none for the network
if (runtime === "deno" || Number(runtime.slice(4)) >= 25) {
  test("what the runtime's permissions do not allow is denied, too", () => {
    const folder = scratch("wasi-network");
    const file = path.join(folder, "script.mjs");
    fs.writeFileSync(file, script);
    const parameters = runtime === "deno"
      ? ["run", "--quiet", "--no-check", "--no-prompt", "--allow-read", "--allow-env", file]
      : ["--no-warnings", "--permission", "--allow-fs-read=*", file];
    const { status, stdout, stderr } = runRuntime(parameters, root);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), [
      "connect 1 connect: access-denied",
      "from 1 bind: access-denied",
      "serve 1 bind: access-denied",
      "datagrams 1 bind: access-denied",
      "udp 1 bind: access-denied",
      "resolve 1 resolve: access-denied",
    ]);
  });
}
