/** wasi:http: requests of a component to a server that the test runs. */
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import zlib from "node:zlib";
import { canSuspend, instantiate, OutputBuffer, run, type RunOptions } from "../../mod.ts";
import { root } from "../support/harness.ts";

const guest = fs.readFileSync(path.join(root, "tests/components/http.wasm"));

/** Where the server is. */
let host: string;
/** Called when the other side of a request to /hang has gone. */
let gone: () => void = () => {};
/** Called when a request to /hang has come. */
let came: () => void = () => {};

/** What the server got, as JSON. */
interface Got {
  method: string;
  url: string;
  headers: Record<string, string>;
  length: number;
  body: string;
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, body: Buffer): void {
  const { method, url, headers } = request;
  switch (url) {
    case "/redirect":
      response.writeHead(302, { location: "/other" });
      return void response.end("moved");
    case "/headers":
      response.setHeader("x-many", ["1", "2"]);
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      return void response.end();
    case "/none":
      response.writeHead(204);
      return void response.end();
    case "/gzip":
      response.setHeader("content-encoding", "gzip");
      return void response.end(zlib.gzipSync("packed"));
    case "/cut":
      response.writeHead(200, { "content-length": 100 });
      response.write("part");
      return void setTimeout(() => response.destroy(), 500);
    case "/slow":
      response.write("one");
      return void setTimeout(() => response.end("two"), 1500);
    case "/large":
      return void response.end("y".repeat(1_000_000));
    default:
      response.end(JSON.stringify({
        method,
        url,
        headers,
        length: body.length,
        body: body.subarray(0, 100).toString(),
      }));
  }
}

const server = http.createServer((request, response) => {
  if (request.url === "/never") return;
  if (request.url === "/hang") {
    response.on("close", () => gone());
    came();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => {}); // those that the guest breaks off
  request.on("end", () => answer(request, response, Buffer.concat(chunks)));
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

interface Outcome {
  code: number;
  out: string;
  status: string;
  headers: string[];
  body: string;
}

async function request(args: string[], options: RunOptions = {}): Promise<Outcome> {
  const stdout = new OutputBuffer();
  const network = { connect: [host] };
  const code = await run(guest, { args: ["http", ...args], stdout, network, ...options });
  const out = stdout.text();
  const end = out.indexOf("\n\n");
  const [status = "", ...headers] = out.slice(0, end).split("\n");
  return { code, out, status, headers, body: out.slice(end + 2) };
}

async function got(args: string[], options: RunOptions = {}): Promise<Got> {
  const outcome = await request(args, options);
  assert.equal(outcome.status, "status 200", outcome.out);
  return JSON.parse(outcome.body) as Got;
}

test("fields", async () => {
  const { code, out } = await request(["fields"], { network: undefined });
  assert.equal(code, 0);
  assert.deepEqual(out.trimEnd().split("\n"), [
    "append: ok",
    "append another: ok",
    "bad name: invalid-syntax",
    "no name: invalid-syntax",
    "bad value: invalid-syntax",
    "value with NUL: invalid-syntax",
    "host: forbidden",
    "transfer-encoding: forbidden",
    "X-One: 1",
    "x-one: 2",
    "get: 2",
    "has: 1 0",
    "set: ok",
    "delete: ok",
    "delete bad name: invalid-syntax",
    "first:",
    "clone:",
    "X-one: 3",
    "X-one: ",
    "from: 0",
    "A: b",
    "a: c",
    "from: forbidden",
    "of a request: immutable",
    "of a request: immutable",
    "method 1, scheme 1, authority 1 1, path 1",
    "method 0, scheme 0, authority 0 0, path 0",
    "body 0 1",
    "stream 0 1",
  ]);
});

test("what is not granted is denied", async () => {
  const port = host.split(":")[1];
  const denied = async (network: RunOptions["network"], to = host): Promise<void> => {
    const { code, out } = await request(["GET", "http", to, "/"], { network });
    assert.deepEqual({ code, out }, { code: 1, out: "refused HTTP-request-denied\n" });
  };
  await denied(undefined);
  await denied({});
  await denied({ listen: [host], lookup: true });
  await denied({ connect: ["127.0.0.1:1", `127.0.0.2:${port}`, "*.example.org"] });
  await denied({ connect: ["*.example.org"] }, "example.org");
  await denied({ connect: ["*.example.org"] }, "badexample.org");
  await denied({ connect: ["example.org:443"] }, "example.org:80");
  await denied({ connect: ["127.0.0.1"] }, "[::1]");
});

test("requests that cannot be made are refused", async () => {
  const refused = async (args: string[], code: string): Promise<void> => {
    assert.equal((await request(args)).out, `refused ${code}\n`);
  };
  await refused(["GET", "ftp", host, "/"], "HTTP-protocol-error");
  await refused(["GET", "http", "-", "/"], "HTTP-request-URI-invalid");
  await refused(["GET", "http", `user@${host}`, "/"], "HTTP-request-URI-invalid");
  await refused(["GET", "http", `${host}@example.org`, "/"], "HTTP-request-URI-invalid");
  await refused(["TRACE", "http", host, "/"], "HTTP-request-method-invalid");
  await refused(["Connect", "http", host, "/"], "HTTP-request-method-invalid");
});

test("the option is checked", async () => {
  const bad = async (network: unknown, pattern: RegExp): Promise<void> => {
    await assert.rejects(
      run(guest, { args: ["http", "fields"], network: network as RunOptions["network"] }),
      pattern,
    );
  };
  await bad(true, /"options\.network" property must be of type object/);
  await bad({ conect: [] }, /'options\.network\.conect' is not an option: did you mean connect\?/);
  await bad({ connect: "example.com" }, /"options\.network\.connect" .* an instance of Array/);
  await bad({ connect: [1] }, /"options\.network\.connect\[0\]" .* of type string/);
  await bad({ connect: ["a", "https://b"] }, /connect\[1\]' must be a host and a port, without a/);
  await bad({ connect: ["a/b"] }, /without a path/);
  await bad({ connect: ["a:0"] }, /must have a port from 1 to 65535/);
  await bad({ connect: ["a:65536"] }, /must have a port from 1 to 65535/);
  await bad({ connect: ["a:"] }, /must have a port/);
  await bad({ connect: ["a b"] }, /must be a host/);
  await bad({ connect: ["a.*.b"] }, /must be a host/);
  await bad({ connect: [""] }, /must be a host/);
  await bad({ connect: ["*.0.0.1"] }, /must be a host/);
  await bad({ listen: ["example.com:80"] }, /listen\[0\]' must be an address of this machine/);
  await bad({ lookup: 1 }, /"options\.network\.lookup" property must be of type boolean/);
});

if (!canSuspend()) {
  test("without JSPI the guest is told what is missing", async () => {
    const { code, out } = await request(["GET", "http", host, "/"]);
    assert.equal(code, 1);
    assert.match(out, /^refused internal-error this runtime cannot suspend .* it has no JSPI/);
    const large = await request(["-N", "3000000", "POST", "http", host, "/"]);
    assert.match(large.out, /^error in .* internal-error this runtime cannot suspend/);
  });
} else {
  test("a request and its response", async () => {
    for (const wait of [[], ["-s"]]) {
      const { method, url, headers, length } = await got(
        [...wait, "-H", "x-one:1", "-H", "X-Two:é", "GET", "http", host, "/a?b=c"],
      );
      assert.deepEqual({ method, url, length }, { method: "GET", url: "/a?b=c", length: 0 });
      assert.equal(headers.host, host);
      assert.equal(headers["x-one"], "1");
      assert.equal(Buffer.from(headers["x-two"]!, "latin1").toString(), "é");
      assert.equal(headers["accept-encoding"], "identity");
    }
    assert.equal((await got(["GET", "http", host, "-"])).url, "/");
    assert.equal((await got(["PROPFIND", "http", host, "/"])).method, "PROPFIND");
    assert.equal((await got(["patch", "http", host, "/"])).method, "PATCH");
  });

  test("statuses and headers of responses", async () => {
    const many = await request(["GET", "http", host, "/headers"]);
    assert.ok(many.headers.includes("x-many: 1, 2"), many.out);
    assert.ok(many.headers.includes("set-cookie: a=1") && many.headers.includes("set-cookie: b=2"));
    assert.ok(!many.headers.some((line) => /^(?:connection|keep-alive|transfer-enc)/.test(line)));
    const none = await request(["GET", "http", host, "/none"]);
    assert.deepEqual([none.status, none.body], ["status 204", ""]);
    assert.deepEqual((await request(["HEAD", "http", host, "/"])).body, "");
  });

  test("redirects are the guest's to follow", async () => {
    const { status, headers, body } = await request(["GET", "http", host, "/redirect"]);
    assert.equal(status, "status 302");
    assert.ok(headers.includes("location: /other"));
    assert.equal(body, "moved");
  });

  test("bodies of requests", async () => {
    const whole = await got(["-b", "hello", "POST", "http", host, "/"]);
    assert.deepEqual([whole.method, whole.body], ["POST", "hello"]);
    assert.equal(whole.headers["content-length"], "5");
    const empty = await got(["-b", "", "POST", "http", host, "/"]);
    assert.equal(empty.headers["content-length"], "0");
    const streamed = await got(["-n", "3000000", "PUT", "http", host, "/"]);
    assert.deepEqual([streamed.method, streamed.length], ["PUT", 3_000_000]);
    const before = await got(["-N", "900000", "PUT", "http", host, "/"]);
    assert.deepEqual([before.length, before.headers["content-length"]], [900_000, "900000"]);
    const sized = ["-n", "300000", "-H", "content-length:300000", "PUT", "http", host, "/"];
    assert.equal((await got(sized)).length, 300_000);
    assert.equal((await got(["-b", "", "GET", "http", host, "/"])).length, 0);
    assert.match(
      (await request(["-b", "x", "GET", "http", host, "/"])).out,
      /^error internal-error fetch\(\) sends no body with GET/,
    );
  });

  test("bodies that are not finished as they should be", async () => {
    const short = ["-n", "300", "-H", "content-length:400", "PUT", "http", host, "/"];
    assert.equal(
      (await request(short)).out,
      "error in finish HTTP-request-body-size 300\nerror HTTP-request-body-size 300\n",
    );
    assert.match(
      (await request(["-x", "-n", "300", "PUT", "http", host, "/"])).out,
      /^error internal-error the body was dropped before it was finished/,
    );
    assert.match(
      (await request(["-t", "-b", "x", "PUT", "http", host, "/"])).out,
      /^error in finish internal-error trailers cannot be sent/,
    );
  });

  test("bodies of responses", async () => {
    assert.equal((await request(["GET", "http", host, "/large"])).body, "y".repeat(1_000_000));
    const cut = await request(["GET", "http", host, "/cut"]);
    assert.equal(cut.code, 1);
    assert.equal(cut.body, "part\nerror in body connection-terminated\n");
  });

  test("compressed responses are only there if they are asked for", async () => {
    const asked = await request(["-H", "accept-encoding:br, gzip", "GET", "http", host, "/gzip"]);
    assert.equal(asked.body, "packed");
    assert.ok(!asked.headers.some((line) => /^content-(?:encoding|length)/.test(line)));
    const { out } = await request(["GET", "http", host, "/gzip"]);
    assert.equal(out, "error HTTP-response-content-coding\n");
  });

  test("timeouts", async () => {
    const never = await request(["-f", "200", "GET", "http", host, "/never"]);
    assert.equal(never.out, "error connection-read-timeout\n");
    const slow = await request(["-g", "200", "GET", "http", host, "/slow"]);
    assert.equal(slow.body, "one\nerror in body connection-read-timeout\n");
    assert.equal((await request(["-g", "5000", "GET", "http", host, "/slow"])).body, "onetwo");
  });

  test("errors of the network", async () => {
    const network = { connect: ["*"] };
    const closed = http.createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const error = async (...args: string[]): Promise<string> =>
      (await request(args, { network })).out;
    assert.equal(
      await error("GET", "http", `127.0.0.1:${port}`, "/"),
      "error connection-refused\n",
    );
    assert.equal(await error("GET", "https", host, "/"), "error TLS-protocol-error\n");
  });

  test("a request ends with its guest", async () => {
    const closed = new Promise<void>((resolve) => gone = resolve);
    const stop = new AbortController();
    const mine = new Error("enough");
    came = () => stop.abort(mine);
    const { signal } = stop;
    await assert.rejects(request(["GET", "http", host, "/hang"], { signal }), (e) => e === mine);
    await closed;
  });

  test("instantiate() takes the option, and close() ends requests", async () => {
    const stdout = new OutputBuffer();
    const args = ["http", "GET", "http", host, "/hang"];
    const network = { connect: [host] };
    const { exports, close } = await instantiate(guest, { args, stdout, network });
    const closed = new Promise<void>((resolve) => gone = resolve);
    const arrived = new Promise<void>((resolve) => came = resolve);
    const ran = (exports.run as { run(): Promise<void> }).run().catch((error: unknown) => error);
    await arrived;
    close();
    await closed;
    assert.ok(await ran instanceof Error);
  });

  test("limits.openFiles counts requests", async () => {
    const { out } = await request(["GET", "http", host, "/"], { limits: { openFiles: 0 } });
    assert.equal(out, "refused connection-limit-reached\n");
    const one = await request(["GET", "http", host, "/"], { limits: { openFiles: 1 } });
    assert.equal(one.out, "error connection-limit-reached\n");
    assert.equal((await got(["GET", "http", host, "/"], { limits: { openFiles: 2 } })).url, "/");
  });
}
