/** What is opened is closed again, and how a guest ends. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { ProcExit } from "../../core/exit.ts";
import { Guest } from "../support/guest.ts";
import { type Ended, mod, runRuntime, runtime, scratch } from "../support/harness.ts";
import { WASI } from "../support/wasi.ts";

const folder = scratch("lifecycle");
fs.writeFileSync(path.join(folder, "file"), "hello");

/** Open descriptors that lead into the scratch folder. */
function openThere(): number {
  let count = 0;
  for (const fd of fs.readdirSync("/proc/self/fd")) {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)) count++;
    } catch {
      // the one that reading the list had open
    }
  }
  return count;
}

const memory = new WebAssembly.Memory({ initial: 16 });

/** A WASI over the scratch folder, and a command that runs `body` with its system calls. */
function command(body: (call: Guest["call"]) => void, ffi: boolean): [WASI, WebAssembly.Instance] {
  const wasi = new WASI({ version: "preview1", preopens: { "/": folder }, ffi });
  const instance = { exports: { memory, _start: () => body(wasi.wasiImport) } };
  return [wasi, instance as unknown as WebAssembly.Instance];
}

function openFile(call: Guest["call"]): number {
  new Uint8Array(memory.buffer).set(new TextEncoder().encode("file"), 100);
  return call.path_open!(3, 0, 100, 4, 0, 2n, 0n, 0, 200);
}

for (const ffi of [true, false]) {
  const how = ffi ? "with the best host" : "over node:fs";

  test(`start() closes what the guest left open, ${how}`, () => {
    assert.equal(openThere(), 0);
    for (let i = 0; i < 50; i++) {
      const [wasi, instance] = command((call) => {
        for (let j = 0; j < 5; j++) assert.equal(openFile(call), 0);
        assert.equal(openThere(), 6);
      }, ffi);
      assert.equal(wasi.start(instance), 0);
      assert.equal(openThere(), 0);
    }
  });

  test(`start() closes all after a trap and after an exit, ${how}`, () => {
    const [trapping, instance] = command((call) => {
      openFile(call);
      throw new WebAssembly.RuntimeError("unreachable");
    }, ffi);
    assert.throws(() => trapping.start(instance), WebAssembly.RuntimeError);
    assert.equal(openThere(), 0);
    const [exiting, other] = command((call) => {
      openFile(call);
      call.proc_exit!(3);
    }, ffi);
    assert.equal(exiting.start(other), 3);
    assert.equal(openThere(), 0);
  });

  test(`preopens still serve exports that are called after start(), ${how}`, () => {
    const [wasi, instance] = command(() => {}, ffi);
    wasi.start(instance);
    assert.equal(openThere(), 0);
    assert.equal(openFile(wasi.wasiImport), 0);
    assert.equal(openThere(), 2);
    wasi[Symbol.dispose]();
    assert.equal(openThere(), 0);
    assert.equal(openFile(wasi.wasiImport), 8);
  });

  test(`a preopen that was replaced after start() is not opened again, ${how}`, () => {
    const mine = fs.mkdtempSync(path.join(folder, "mine-"));
    const wasi = new WASI({ version: "preview1", preopens: { "/": mine }, ffi });
    wasi.start({ exports: { memory, _start() {} } } as unknown as WebAssembly.Instance);
    fs.renameSync(mine, `${mine}-moved`);
    fs.mkdirSync(mine);
    assert.equal(openFile(wasi.wasiImport), 8);
    assert.equal(openThere(), 0);
  });

  test(`dispose closes everything, ${how}`, () => {
    const guest = new Guest({ preopens: { "/": folder }, ffi });
    assert.ok(guest.open("file") > 3);
    assert.equal(openThere(), 2);
    guest.wasi[Symbol.dispose]();
    assert.equal(openThere(), 0);
    assert.equal(guest.open("file"), -8);
  });

  test(`a constructor that fails leaves nothing open, ${how}`, () => {
    const preopens = { "/": folder, "/gone": path.join(folder, "gone") };
    assert.throws(() => new WASI({ version: "preview1", preopens, ffi }), {
      code: "UVWASI_ENOENT",
    });
    // deno-lint-ignore no-explicit-any
    const wrong: any = { version: "preview1", preopens: { "/": folder }, returnOnExit: 1, ffi };
    assert.throws(() => new WASI(wrong), { code: "ERR_INVALID_ARG_TYPE" });
    assert.equal(openThere(), 0);
  });
}

test("a WASI object that is dropped gives its descriptors back", { timeout: 60_000 }, async () => {
  const collect = await collector();
  for (let i = 0; i < 20; i++) {
    new Guest({ preopens: { "/": folder } }, memory).open("file");
  }
  for (let i = 0; i < 50 && openThere() > 0; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // a conservative collector may take one of them for still in use
  assert.ok(openThere() <= 2, `${openThere()} are still open`);
});

/** Something that makes the garbage collector run. */
async function collector(): Promise<() => void> {
  if (runtime === "bun") {
    return () => (globalThis as unknown as { Bun: { gc(sync: boolean): void } }).Bun.gc(true);
  }
  if (runtime === "deno") {
    // no way in: make work for it
    return () => void Array.from({ length: 200 }, () => new Uint8Array(1 << 20));
  }
  const v8 = await import("node:v8");
  v8.setFlagsFromString("--expose-gc");
  const vm = await import("node:vm");
  return vm.runInNewContext("gc");
}

test("an exit that JavaScript swallows on its way still gives its code", () => {
  const [wasi, instance] = command((call) => {
    try {
      call.proc_exit!(7);
    } catch {
      // swallowed
    }
  }, true);
  assert.equal(wasi.start(instance), 7);
});

test("the caller of a reactor's export sees ProcExit with the code", () => {
  const guest = new Guest();
  assert.throws(() => guest.call.proc_exit!(9), (error) => {
    assert.ok(error instanceof ProcExit);
    assert.ok(error instanceof Error);
    assert.equal(error.code, 9);
    assert.equal(error.name, "ProcExit");
    assert.match(error.message, /proc_exit\(9\)/);
    return true;
  });
  assert.equal(guest.call.sched_yield!(), 0, "and the guest can be called again");
});

test("a replaced proc_exit is what the guest calls", () => {
  const wasi = new WASI({ version: "preview1" });
  let code = -1;
  wasi.wasiImport.proc_exit = (value: number) => {
    code = value;
  };
  const start = () => wasi.getImportObject().wasi_snapshot_preview1!.proc_exit!(5);
  assert.equal(
    wasi.start({ exports: { memory, _start: start } } as unknown as WebAssembly.Instance),
    0,
  );
  assert.equal(code, 5);
});

/** Runs a script in a process of its own, on this runtime; it imports `WASI` from `mod`. */
function runScript(source: string): Ended {
  const file = path.join(folder, `script-${Math.random().toString(36).slice(2)}.mjs`);
  fs.writeFileSync(file, `import { WASI } from ${JSON.stringify(mod)};\n${source}`);
  const flags = runtime === "deno" ? ["run", "-A", "--no-lock"] : [];
  return runRuntime([...flags, file], folder);
}

test("with returnOnExit false the process ends with the code, without exit listeners", () => {
  const outcome = runScript(`
        import fs from "node:fs";
    process.on("exit", () => fs.writeSync(1, "listener"));
    const wasi = new WASI({ version: "preview1", returnOnExit: false });
    const memory = new WebAssembly.Memory({ initial: 1 });
    fs.writeSync(1, "before ");
    wasi.start({ exports: { memory, _start: () => wasi.wasiImport.proc_exit(42) } });
    fs.writeSync(1, "after");
  `);
  assert.deepEqual(outcome, { status: 42, stdout: "before ", stderr: "" });
});

test("a process that uses the class ends by itself and prints nothing of its own", () => {
  const outcome = runScript(`
    const wasi = new WASI({ version: "preview1", preopens: { "/": "." } });
    const memory = new WebAssembly.Memory({ initial: 1 });
    console.log(wasi.start({ exports: { memory, _start: () => wasi.wasiImport.sched_yield() } }));
  `);
  assert.deepEqual(outcome, { status: 0, stdout: "0\n", stderr: "" });
});

test("fd_close of a standard stream leaves the host's open", () => {
  const guest = new Guest();
  for (const fd of [0, 1, 2]) assert.equal(guest.call.fd_close!(fd), 0);
  for (const fd of [0, 1, 2]) {
    assert.equal(guest.call.fd_close!(fd), 8);
    assert.ok(fs.fstatSync(fd));
  }
});
