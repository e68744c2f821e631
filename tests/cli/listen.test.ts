/** `wasi --listen`: a server in a guest, asked by a client of its own. */
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { freePort, guest, wasi } from "../support/command.ts";
import { runtime } from "../support/harness.ts";

/** Asks until somebody answers. */
async function ask(port: number, path: string): Promise<string> {
  for (let tries = 0;; tries++) {
    try {
      return await new Promise((resolve, reject) => {
        http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk) => body += chunk);
          response.on("end", () => resolve(body));
        }).on("error", reject);
      });
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test("--listen gives a guest a socket", { timeout: 60_000 }, async () => {
  if (runtime === "node20") {
    const { code, err } = await wasi(["--listen", "127.0.0.1:0", guest("http"), "3", "0"]);
    assert.equal(code, 1);
    assert.match(err, /^wasi: .*listen.*foreign functions.*\n$/);
    return;
  }
  const port = await freePort();
  const served = wasi([`--listen=127.0.0.1:${port}`, "--tmp", guest("http"), "4", "2"]);
  assert.deepEqual([await ask(port, "/a"), await ask(port, "/b")], ["/a 1\n", "/b 2\n"]);
  const { code, out } = await served;
  assert.deepEqual([code, out], [0, "served 2\n"]);
});

test("an address that is none is refused by name", { timeout: 60_000 }, async () => {
  for (
    const [words, message] of [
      [["--listen", "80"], /^wasi: --listen 80: it must be HOST:PORT/],
      [["--listen", "h:70000"], /^wasi: --listen h:70000: it must be HOST:PORT/],
      [["-S", "tcplisten=x"], /^wasi: -S tcplisten x: it must be HOST:PORT/],
    ] as const
  ) {
    const { code, err } = await wasi([...words, guest("http")]);
    assert.equal(code, 2);
    assert.match(err, message);
  }
});
