/** What a process's own streams are to a guest that waits for them, and what waiting costs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { canSuspend } from "../../mod.ts";
import { root, runtime, scratch } from "../support/harness.ts";

const compiled = import.meta.url.endsWith(".js");
const module = path.join(root, compiled ? "build/mod.js" : "mod.ts");
const tool = path.join(root, "tests/guests/tool.wasm");

/** Runs the tool over its own standard streams; says what it cost and what else went on. */
const SCRIPT = `
import fs from "node:fs";
import process from "node:process";
const { run, WASI } = await import(${JSON.stringify(pathToFileURL(module).href)});
const [form, ...args] = process.argv.slice(2);
const module = new WebAssembly.Module(fs.readFileSync(${JSON.stringify(tool)}));
let ticks = 0;
const timer = setInterval(() => ticks++, 10);
const before = process.cpuUsage();
const began = performance.now();
let code;
fs.writeSync(2, "ready\\n");
if (form === "suspended") code = await run(module, { args: ["tool", ...args] });
else {
  const wasi = new WASI({ version: "preview1", args: ["tool", ...args] });
  code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
}
clearInterval(timer);
const { user, system } = process.cpuUsage(before);
const took = performance.now() - began;
fs.writeSync(2, JSON.stringify({ code, ticks, took, busy: (user + system) / 1000 }));
`;

interface Report {
  code: number;
  ticks: number;
  took: number;
  busy: number;
}

/** Feeds parts to a guest, with pauses between; gives what it wrote, and the report. */
async function feed(
  form: string,
  args: string[],
  parts: string[],
  pause: number,
): Promise<[string, Report]> {
  const file = path.join(scratch("waiting"), "script.mjs");
  fs.writeFileSync(file, SCRIPT);
  const flags = runtime === "deno" ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...flags, file, form, ...args], {
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk) => text.out += chunk);
  child.stderr.setEncoding("utf8").on("data", (chunk) => text.err += chunk);
  const ended = new Promise((resolve) => child.on("close", resolve));
  // a runtime may take seconds to start on a busy machine
  await Promise.race([ended, new Promise((resolve) => child.stderr.once("data", resolve))]);
  for (const part of parts) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    child.stdin.write(part);
  }
  child.stdin.end();
  await ended;
  const report = /\{.*\}$/.exec(text.err);
  assert.ok(report, text.err);
  return [text.out, JSON.parse(report[0]) as Report];
}

const forms = ["holding", ...(canSuspend() ? ["suspended"] : [])];

for (const form of forms) {
  test(`a guest that reads a slow pipe gets all of it and costs nothing meanwhile (${form})`, {
    timeout: 60000,
  }, async () => {
    const parts = ["one ", "two ", "three"];
    const [out, { code, ticks, took, busy }] = await feed(form, ["upper"], parts, 700);
    assert.deepEqual([out, code], ["ONE TWO THREE", 0]);
    // what a runtime does at its start counts as well
    assert.ok(busy < took / 2, `${busy} ms of the processor in ${took} ms`);
    if (form === "suspended") assert.ok(ticks > took / 40, `${ticks} ticks in ${took} ms`);
    else assert.ok(ticks <= 1, `${ticks} ticks although the thread is held`);
  });

  test(`a pipe's end and an empty input are ends (${form})`, { timeout: 60000 }, async () => {
    const [out, { code }] = await feed(form, ["upper"], [], 0);
    assert.deepEqual([out, code], ["", 0]);
  });

  test(`a megabyte goes through whole (${form})`, { timeout: 60000 }, async () => {
    const part = "abcdefghij".repeat(20000);
    const [out, { code }] = await feed(form, ["upper"], Array(5).fill(part), 5);
    assert.equal(code, 0);
    assert.equal(out, part.toUpperCase().repeat(5));
  });
}
