/** Where programs come from, and what is said of those that are none. */
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { wabtFor } from "../../cli/load.ts";
import { command, each, guest, wasi } from "../support/command.ts";
import { root, runtime, scratch } from "../support/harness.ts";
import { assemble } from "../support/wat.ts";

const options = { timeout: 120_000 };
const show = guest("show");
const bytes = fs.readFileSync(show);

const HELLO = `
(; says hello ;)
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00hello\\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))
`;

test("FILE is a path, a file: URL, or - for standard input", options, async () => {
  const folder = scratch("wasi-cli");
  const odd = path.join(folder, "näme with #%? 🦀.wasm");
  fs.writeFileSync(odd, bytes);
  const forms: [words: string[], name: string, input?: Uint8Array][] = [
    [[show], "show.wasm"],
    [[path.relative(root, show)], "show.wasm"],
    [[odd], path.basename(odd)],
    [[pathToFileURL(odd).href], path.basename(odd)],
    [["-"], "-", bytes],
    [["run", "--", "-"], "-", bytes],
    [["--argv0=given", "-"], "given", bytes],
  ];
  await each(forms, async ([words, name, input]) => {
    const { out, err } = await wasi([...words, "a", "b"], { input });
    assert.equal(err, "");
    assert.equal(out, `[${name}]\n[a]\n[b]\n`);
  });
  // the program's own input is then empty
  const { out } = await wasi(["-", "upper"], { input: fs.readFileSync(guest("tool")) });
  assert.equal(out, "");
  const piped = await wasi([], { shell: `cat ${show} | "$@" - a | cat` });
  assert.equal(piped.out, "[-]\n[a]\n");
});

test("FILE may be text", options, async () => {
  const folder = scratch("wasi-cli");
  const file = path.join(folder, "hello.wat");
  const unnamed = path.join(folder, "hello");
  fs.writeFileSync(file, HELLO);
  fs.writeFileSync(unnamed, `;; no suffix\n${HELLO}`);
  fs.writeFileSync(path.join(folder, "fields.wat"), HELLO.replace(/\(module|\)\s*$/g, ""));
  const forms: [words: string[], input?: string][] = [
    [[file]],
    [[unnamed]],
    [["fields.wat"]],
    [["-"], HELLO],
    [["-W", "max-memory-size=1M", "--timeout=20s", file]],
  ];
  await each(forms, async ([words, input]) => {
    const { code, out, err } = await wasi(words, { input, cwd: folder });
    assert.deepEqual({ code, out, err }, { code: 0, out: "hello\n", err: "" });
  });
});

test("text that is wrong is told with line and column", options, async () => {
  const folder = scratch("wasi-cli");
  const wrong: [text: string, line: string][] = [
    ["(module\n  (func $f (call $g)))", '2:18: undefined function variable "$g"'],
    ["(module", '1:8: unexpected token "EOF", expected a module field.'],
    ["(component)", '1:2: unexpected token "component", expected a module field or a module.'],
  ];
  await each(wrong, async ([text, line]) => {
    const name = `${wrong.findIndex((one) => one[0] === text)}.wat`;
    fs.writeFileSync(path.join(folder, name), text);
    const { code, out, err } = await wasi([name], { cwd: folder });
    assert.deepEqual({ code, out, err }, { code: 1, out: "", err: `wasi: ${name}:${line}\n` });
  });
});

test("text without wabt is told what to install", options, async () => {
  // a copy of the command where no package is
  const folder = scratch("wasi-cli");
  const file = path.join(folder, "hello.wat");
  fs.writeFileSync(file, HELLO);
  const from = path.dirname(command.at(-1)!);
  for (const part of ["cli", "core", "adapters", path.basename(command.at(-1)!)]) {
    fs.cpSync(path.join(from, part), path.join(folder, part), { recursive: true });
  }
  fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
  fs.mkdirSync(path.join(folder, "node_modules")); // or Bun would install it by itself
  const words = [...command.slice(1, -1), path.join(folder, path.basename(command.at(-1)!)), file];
  // Deno could fetch it: not here
  const { code, err } = await wasi([], {
    shell: `exec "$1" ${command[1] === "run" ? "run -A --cached-only" : ""} ${
      words.slice(-2).join(" ")
    }`,
  });
  assert.equal(code, 1);
  const how: Record<string, string> = { deno: "deno cache npm:wabt@1", bun: "bun add wabt" };
  assert.equal(
    err,
    `wasi: ${file}: it is text, which needs the package wabt: ${
      how[runtime] ?? "npm install wabt"
    }\n`,
  );
  // where the command is installed otherwise: each line was tried
  if (runtime === "deno") return;
  const places: [place: string, how: string][] = [
    ["/home/a/.npm/_npx/e27e710651/node_modules/@x/wasi", "npx -p @x/wasi -p wabt wasi ..."],
    ["/usr/lib/node_modules/@x/wasi", "npm install -g wabt"],
    ["/C:/Users/a/AppData/Roaming/npm/node_modules/@x/wasi", "npm install -g wabt"],
    ["/home/a/.bun/install/global/node_modules/@x/wasi", "bun add -g wabt"],
    [
      "/tmp/bunx-1000-@x/wasi@latest/node_modules/@x/wasi",
      "bun add -g @x/wasi wabt, and then wasi ...",
    ],
  ];
  for (const [place, how] of places) {
    assert.equal(wabtFor(`file://${place}/esm/cli/load.js`), how);
  }
});

test("FILE is fetched from a URL", options, async () => {
  const server = http.createServer((request, response) => {
    switch (request.url) {
      case "/dir/show.wasm?v=1#x":
      case "/dir/show.wasm?v=1":
        response.end(bytes);
        break;
      case "/moved":
        response.writeHead(302, { location: "/dir/show.wasm?v=1" }).end();
        break;
      case "/hello.wat":
        response.end(HELLO);
        break;
      case "/html":
        response.end("<html>");
        break;
      case "/short":
        response.writeHead(200, { "content-length": "1000" });
        response.write(bytes.subarray(0, 100), () => response.destroy());
        break;
      default:
        response.writeHead(404).end("nothing");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const forms: [place: string, code: number, out: string, err: string | RegExp][] = [
      ["/dir/show.wasm?v=1", 0, "[show.wasm]\n[a]\n", ""],
      ["/moved", 0, "[moved]\n[a]\n", ""],
      ["/hello.wat", 0, "hello\n", ""],
      ["/none.wasm", 1, "", `wasi: ${at}/none.wasm: the server answered 404\n`],
      ["/html", 1, "", `wasi: ${at}/html: it is not a module of WebAssembly\n`],
      ["/short", 1, "", /^wasi: http:\/\/127\.0\.0\.1:\d+\/short: .+\n$/],
    ];
    await each(forms, async ([place, code, out, err]) => {
      const ran = await wasi([`${at}${place}`, "a"]);
      assert.equal(ran.code, code, ran.err);
      assert.equal(ran.out, out);
      if (typeof err === "string") assert.equal(ran.err, err);
      else assert.match(ran.err, err);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  const gone = await wasi([`${at}/dir/show.wasm`]);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /^wasi: http:\/\/127\.0\.0\.1:\d+\/dir\/show\.wasm: .+\n$/);
});

test("what is no program is told in one line", options, async () => {
  const folder = scratch("wasi-cli");
  const component = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
  const files: Record<string, Uint8Array | string | number[]> = {
    empty: "",
    text: "#!/bin/sh\necho hello\n",
    magic: [0x00, 0x61, 0x73, 0x6d],
    future: [0x00, 0x61, 0x73, 0x6d, 0x02, 0x00, 0x00, 0x00],
    component,
    "component.wat": component,
    truncated: bytes.subarray(0, 5000),
    broken: bytes.map((byte, i) => i > 2000 && i < 2100 ? 0xff : byte),
    library: await assemble('(module (func (export "add")))'),
    alien: await assemble(`(module
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_fly" (func))
      (import "env" "memory" (memory 1)) (import "env" "toString" (func))
      (import "e\\1b[31mnv" "g" (global i32)) (func (export "_start")))`),
    many: await assemble(
      `(module ${
        Array.from({ length: 300 }, (_, i) => `(import "js" "f${i}" (func))`).join("")
      } (func (export "_start")))`,
    ),
    go: await assemble('(module (import "gojs" "runtime.wasmExit" (func (param i32))))'),
    threads: await assemble(`(module (import "env" "memory" (memory 1 2 shared))
      (import "wasi" "thread-spawn" (func (param i32) (result i32))) (func (export "_start")))`),
    wrong: await assemble(`(module (memory (export "memory") 1)
      (import "wasi_snapshot_preview1" "fd_write" (global i32)) (func (export "_start")))`
      .replace('(memory (export "memory") 1)\n      ', "")),
  };
  for (const [name, content] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, name), new Uint8Array(Buffer.from(content as Uint8Array)));
  }
  const isComponent = "it exports no wasi:cli/run; use --invoke NAME to call one of its functions";
  const said: [name: string, line: string | RegExp][] = [
    ["empty", "it is empty"],
    ["text", "it is not a module of WebAssembly"],
    ["magic", "the module ends too early"],
    ["future", "it has an unknown version of WebAssembly (02 00 00 00)"],
    ["component", isComponent],
    ["component.wat", isComponent],
    ["truncated", /^the engine rejects this module: .+$/],
    ["broken", /^the engine rejects this module: .+$/],
    ["library", "it has no _start to run; use --invoke NAME to call one of its functions"],
    [
      "alien",
      "it has imports that are not in WASI preview1: wasi_snapshot_preview1.fd_fly (function), " +
      "env.memory (memory), env.toString (function), e\\x1b[31mnv.g (global); " +
      "a script can provide them, in options.imports of run() or instantiate()",
    ],
    [
      "many",
      "it has imports that are not in WASI preview1: js.f0 (function), js.f1 (function), " +
      "js.f2 (function), js.f3 (function), js.f4 (function), js.f5 (function), " +
      "js.f6 (function), js.f7 (function), js.f8 (function), js.f9 (function) and 290 more; " +
      "a script can provide them, in options.imports of run() or instantiate()",
    ],
    [
      "go",
      "it has imports that are not in WASI preview1: gojs.runtime.wasmExit (function); " +
      "it was built for JavaScript: build it with GOOS=wasip1 GOARCH=wasm",
    ],
    [
      "threads",
      "it has threads; use --threads (it needs env.memory (memory), wasi.thread-spawn (function))",
    ],
    ["wrong", /fd_write/],
  ];
  await each(said, async ([name, line]) => {
    const { code, out, err } = await wasi([name], { cwd: folder });
    assert.equal(code, 1, err);
    assert.equal(out, "");
    assert.match(err, /^[^\n]+\n$/);
    const prefix = `wasi: ${name}: `;
    assert.equal(err.slice(0, prefix.length), prefix);
    const rest = err.slice(prefix.length, -1);
    if (typeof line === "string") assert.equal(rest, line);
    else assert.match(rest, line);
  });
});

test("programs of both snapshots, and those that need nothing, are run", options, async () => {
  const folder = scratch("wasi-cli");
  const unstable = path.join(folder, "unstable.wat");
  fs.writeFileSync(unstable, HELLO.replace("wasi_snapshot_preview1", "wasi_unstable"));
  const nothing = path.join(folder, "nothing.wat");
  fs.writeFileSync(nothing, '(module (func (export "_start")))');
  const exits = path.join(folder, "exits.wat");
  fs.writeFileSync(
    exits,
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "_start") (call $exit (i32.const 9))))`,
  );
  const reactor = guest("reactor");
  const bare = path.join(folder, "bare.wat");
  fs.writeFileSync(bare, '(module (func (export "_initialize")) (func (export "f")))');
  const leaving = path.join(folder, "leaving.wat");
  fs.writeFileSync(
    leaving,
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "_initialize") (call $exit (i32.const 5))))`,
  );
  const forms: [file: string, code: number, out: string][] = [
    [unstable, 0, "hello\n"],
    [nothing, 0, ""],
    [exits, 9, ""],
    [reactor, 0, ""],
    [bare, 0, ""],
    [leaving, 5, ""],
  ];
  await each(forms, async ([file, code, out]) => {
    const ran = await wasi([file]);
    assert.deepEqual({ code: ran.code, out: ran.out, err: ran.err }, { code, out, err: "" });
  });
});
