/**
 * The embedder's side against the words of Node 26: each error's class, code and text, written out
 * here; on Node 26 itself the same calls are also made on `node:wasi` and compared.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import vm from "node:vm";
import { runtime, scratch } from "../support/harness.ts";
import { WASI } from "../support/wasi.ts";

// deno-lint-ignore no-explicit-any
type Loose = any;

interface Failure {
  class: string;
  code: unknown;
  message: string;
}

function failureOf(use: () => unknown): Failure | undefined {
  try {
    use();
    return undefined;
  } catch (error) {
    const { constructor, code, message } = error as Error & { code?: unknown };
    return { class: constructor.name, code, message };
  }
}

/** node:wasi, where it is the one that ours is to agree with. */
async function builtIn(): Promise<Loose> {
  if (runtime !== "node26") return undefined;
  process.removeAllListeners("warning");
  return (await import("node:wasi")).WASI;
}

const dir = scratch("parity");
const preview1 = { version: "preview1" };
const TYPE = "ERR_INVALID_ARG_TYPE";

/** [what is given, class, code, text]; no class: it is accepted. */
const constructions: [string, Loose, string?, string?, string?][] = [
  [
    "no options",
    undefined,
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received undefined',
  ],
  ["null", null, "TypeError", TYPE, 'The "options" argument must be of type object. Received null'],
  [
    "an array",
    [],
    "TypeError",
    TYPE,
    'The "options" argument must be of type object. Received an instance of Array',
  ],
  [
    "a function",
    function fun() {},
    "TypeError",
    TYPE,
    'The "options" argument must be of type object. Received function fun',
  ],
  [
    "a string",
    "preview1",
    "TypeError",
    TYPE,
    `The "options" argument must be of type object. Received type string ('preview1')`,
  ],
  [
    "a number as version",
    { version: 1 },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received type number (1)',
  ],
  [
    "a bigint as version",
    { version: 1n },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received type bigint (1n)',
  ],
  [
    "a symbol as version",
    { version: Symbol("v") },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received type symbol (Symbol(v))',
  ],
  [
    "an object as version",
    { version: {} },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received an instance of Object',
  ],
  [
    "a bare object as version",
    { version: Object.create(null) },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received [Object: null prototype] {}',
  ],
  [
    "a bare object with a property as version",
    { version: Object.assign(Object.create(null), { a: 1 }) },
    "TypeError",
    TYPE,
    'The "options.version" property must be of type string. Received [Object: null prototype]',
  ],
  [
    "an unknown version",
    { version: "x" },
    "TypeError",
    "ERR_INVALID_ARG_VALUE",
    "The property 'options.version' unsupported WASI version. Received 'x'",
  ],
  [
    "a version with a quote",
    { version: "it's\n\u0001" },
    "TypeError",
    "ERR_INVALID_ARG_VALUE",
    `The property 'options.version' unsupported WASI version. Received "it's\\n\\x01"`,
  ],
  [
    "a long version",
    { version: "v".repeat(200) },
    "TypeError",
    "ERR_INVALID_ARG_VALUE",
    `The property 'options.version' unsupported WASI version. Received '${"v".repeat(127)}...`,
  ],
  [
    "a string as args",
    { ...preview1, args: "x" },
    "TypeError",
    TYPE,
    `The "options.args" property must be an instance of Array. Received type string ('x')`,
  ],
  [
    "null as args",
    { ...preview1, args: null },
    "TypeError",
    TYPE,
    'The "options.args" property must be an instance of Array. Received null',
  ],
  [
    "null as env",
    { ...preview1, env: null },
    "TypeError",
    TYPE,
    'The "options.env" property must be of type object. Received null',
  ],
  [
    "a string with a quote as env",
    { ...preview1, env: "it's" },
    "TypeError",
    TYPE,
    `The "options.env" property must be of type object. Received type string ("it's")`,
  ],
  [
    "a long string as env",
    { ...preview1, env: "e".repeat(40) },
    "TypeError",
    TYPE,
    `The "options.env" property must be of type object. Received type string ('${
      "e".repeat(25)
    }...')`,
  ],
  [
    "an array as preopens",
    { ...preview1, preopens: [] },
    "TypeError",
    TYPE,
    'The "options.preopens" property must be of type object. Received an instance of Array',
  ],
  [
    "a string as stdin",
    { ...preview1, stdin: "0" },
    "TypeError",
    TYPE,
    `The "options.stdin" property must be of type number. Received type string ('0')`,
  ],
  [
    "an object as stdout",
    { ...preview1, stdout: {} },
    "TypeError",
    TYPE,
    'The "options.stdout" property must be of type number. Received an instance of Object',
  ],
  [
    "a fraction as stdin",
    { ...preview1, stdin: 1.5 },
    "RangeError",
    "ERR_OUT_OF_RANGE",
    'The value of "options.stdin" is out of range. It must be an integer. Received 1.5',
  ],
  [
    "NaN as stderr",
    { ...preview1, stderr: NaN },
    "RangeError",
    "ERR_OUT_OF_RANGE",
    'The value of "options.stderr" is out of range. It must be an integer. Received NaN',
  ],
  [
    "-1 as stdin",
    { ...preview1, stdin: -1 },
    "RangeError",
    "ERR_OUT_OF_RANGE",
    'The value of "options.stdin" is out of range. It must be >= 0 && <= 2147483647. Received -1',
  ],
  [
    "2 ** 31 as stdin",
    { ...preview1, stdin: 2 ** 31 },
    "RangeError",
    "ERR_OUT_OF_RANGE",
    'The value of "options.stdin" is out of range. It must be >= 0 && <= 2147483647. Received 2147483648',
  ],
  [
    "2 ** 40 as stdin",
    { ...preview1, stdin: 2 ** 40 },
    "RangeError",
    "ERR_OUT_OF_RANGE",
    'The value of "options.stdin" is out of range. It must be >= 0 && <= 2147483647. Received 1_099_511_627_776',
  ],
  [
    "a number as returnOnExit",
    { ...preview1, returnOnExit: 1 },
    "TypeError",
    TYPE,
    'The "options.returnOnExit" property must be of type boolean. Received type number (1)',
  ],
  ["the least", preview1],
  ["unstable", { version: "unstable" }],
  ["undefined everywhere", {
    ...preview1,
    args: undefined,
    env: undefined,
    preopens: undefined,
    stdin: undefined,
    returnOnExit: undefined,
  }],
  ["odd values in args and env", {
    ...preview1,
    args: [1, null, undefined, {}],
    env: { a: 1, b: undefined, c: null },
  }],
];

test("the constructor refuses what Node refuses, in Node's words", async (t) => {
  const Node = await builtIn();
  for (const [what, options, name, code, message] of constructions) {
    await t.test(what, () => {
      const expected = name && { class: name, code, message };
      assert.deepEqual(failureOf(() => new WASI(options)), expected);
      if (Node) assert.deepEqual(failureOf(() => new Node(options)), expected);
    });
  }
});

test("a Symbol in env is a TypeError, as in Node", () => {
  assert.throws(() => new WASI({ ...preview1, env: { a: Symbol("x") } } as Loose), TypeError);
});

test("options are checked in Node's order", () => {
  const wrong: Loose = {
    version: 1,
    args: 1,
    env: 1,
    preopens: 1,
    stdin: "",
    stdout: "",
    stderr: "",
    returnOnExit: 1,
  };
  const right: Loose = {
    version: "preview1",
    args: [],
    env: {},
    preopens: {},
    stdin: 0,
    stdout: 1,
    stderr: 2,
  };
  for (const name of Object.keys(right)) {
    const failure = failureOf(() => new WASI(wrong));
    assert.match(failure!.message, new RegExp(`^The "options\\.${name}" property`));
    wrong[name] = right[name];
  }
  // preopens are opened before returnOnExit is looked at
  wrong.preopens = { "/": `${dir}/missing` };
  assert.equal(failureOf(() => new WASI(wrong))!.code, "UVWASI_ENOENT");
  wrong.preopens = {};
  assert.match(failureOf(() => new WASI(wrong))!.message, /^The "options\.returnOnExit" property/);
});

test("what cannot be opened at construction has Node's code, errno, syscall and text", async () => {
  const Node = await builtIn();
  const cases: [Loose, string, number][] = [
    [{ ...preview1, preopens: { "/": `${dir}/missing` } }, "UVWASI_ENOENT", 44],
    [
      { ...preview1, preopens: { "/": import.meta.filename ?? process.execPath } },
      "UVWASI_ENOTDIR",
      54,
    ],
    [{ ...preview1, stdin: 12345 }, "UVWASI_EBADF", 8],
  ];
  for (const [options, code, errno] of cases) {
    for (const Class of Node ? [WASI, Node] : [WASI]) {
      assert.throws(() => new Class(options), (error: Loose) => {
        assert.ok(error instanceof Error);
        assert.equal(error.constructor, Error);
        assert.equal((error as Loose).code, code);
        assert.equal((error as Loose).errno, errno);
        assert.equal((error as Loose).syscall, "uvwasi_init");
        assert.ok(error.message.startsWith(`${code}, uvwasi_init`), error.message);
        return true;
      });
    }
  }
  const failure = failureOf(() => new WASI(cases[0]![0]))!;
  assert.ok(failure.message.includes('preopen "/"') && failure.message.includes(`${dir}/missing`));
});

/** Each makes an instance-like thing from a class under test and does something to it. */
const memory = new WebAssembly.Memory({ initial: 1 });
const start = (): void => {};
const uses: [string, (wasi: Loose) => unknown, string?, string?, string?][] = [
  [
    "start(undefined)",
    (w) => w.start(),
    "TypeError",
    TYPE,
    'The "instance" argument must be of type object. Received undefined',
  ],
  [
    "start(null)",
    (w) => w.start(null),
    "TypeError",
    TYPE,
    'The "instance" argument must be of type object. Received null',
  ],
  [
    "start({})",
    (w) => w.start({}),
    "TypeError",
    TYPE,
    'The "instance.exports" property must be of type object. Received undefined',
  ],
  [
    "start without memory",
    (w) => w.start({ exports: { _start: start } }),
    "TypeError",
    TYPE,
    '"instance.exports.memory" property must be a WebAssembly.Memory object',
  ],
  [
    "start with a false memory",
    (w) => w.start({ exports: { _start: start, memory: { buffer: 1 } } }),
    "TypeError",
    TYPE,
    '"instance.exports.memory" property must be a WebAssembly.Memory object',
  ],
  [
    "start without _start",
    (w) => w.start({ exports: { memory } }),
    "TypeError",
    TYPE,
    'The "instance.exports._start" property must be of type function. Received undefined',
  ],
  [
    "start with a number as _start",
    (w) => w.start({ exports: { memory, _start: 1 } }),
    "TypeError",
    TYPE,
    'The "instance.exports._start" property must be of type function. Received type number (1)',
  ],
  [
    "start with _initialize",
    (w) => w.start({ exports: { memory, _start: start, _initialize() {} } }),
    "TypeError",
    TYPE,
    'The "instance.exports._initialize" property must be undefined. Received function _initialize',
  ],
  [
    "initialize with _start",
    (w) => w.initialize({ exports: { memory, _start() {} } }),
    "TypeError",
    TYPE,
    'The "instance.exports._start" property must be undefined. Received function _start',
  ],
  [
    "initialize with a string as _initialize",
    (w) => w.initialize({ exports: { memory, _initialize: "x" } }),
    "TypeError",
    TYPE,
    `The "instance.exports._initialize" property must be of type function. Received type string ('x')`,
  ],
  [
    "a second start",
    (w) => {
      w.start({ exports: { memory, _start: start } });
      w.start({ exports: { memory, _start: start } });
    },
    "Error",
    "ERR_WASI_ALREADY_STARTED",
    "WASI instance has already started",
  ],
  [
    "a second start with nothing",
    (w) => {
      w.start({ exports: { memory, _start: start } });
      w.start();
    },
    "Error",
    "ERR_WASI_ALREADY_STARTED",
    "WASI instance has already started",
  ],
  [
    "initialize after start",
    (w) => {
      w.start({ exports: { memory, _start: start } });
      w.initialize({ exports: { memory } });
    },
    "Error",
    "ERR_WASI_ALREADY_STARTED",
    "WASI instance has already started",
  ],
  [
    "finalizeBindings after initialize",
    (w) => {
      w.initialize({ exports: { memory } });
      w.finalizeBindings({ exports: { memory } });
    },
    "Error",
    "ERR_WASI_ALREADY_STARTED",
    "WASI instance has already started",
  ],
  [
    "a start after one that found no _start",
    (w) => {
      assert.throws(() => w.start({ exports: { memory } }));
      w.start({ exports: { memory, _start: start } });
    },
    "Error",
    "ERR_WASI_ALREADY_STARTED",
    "WASI instance has already started",
  ],
  ["a start after one that was refused", (w) => {
    assert.throws(() => w.start({ exports: {} }));
    assert.equal(w.start({ exports: { memory, _start: start } }), 0);
  }],
  [
    "finalizeBindings without anything",
    (w) => w.finalizeBindings(),
    "TypeError",
    TYPE,
    'The "instance" argument must be of type object. Received undefined',
  ],
  ["finalizeBindings with a memory of its own", (w) => {
    w.finalizeBindings({ exports: {} }, { memory });
    assert.equal(w.wasiImport.sched_yield(), 0);
  }],
  [
    "finalizeBindings with a false memory",
    (w) => w.finalizeBindings({ exports: {} }, { memory: {} }),
    "TypeError",
    TYPE,
    '"instance.exports.memory" property must be a WebAssembly.Memory object',
  ],
  ["finalizeBindings with shared memory", (w) => {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    w.finalizeBindings({ exports: {} }, { memory: shared });
    assert.equal(w.wasiImport.random_get(0, 16), 0);
    assert.ok(new Uint8Array(shared.buffer, 0, 16).some((byte) => byte !== 0));
  }],
  [
    "a call before start",
    (w) => w.wasiImport.fd_write(1, 0, 0, 0),
    "Error",
    "ERR_WASI_NOT_STARTED",
    "wasi.start() has not been called",
  ],
  [
    "initialize without _initialize",
    (w) => assert.equal(w.initialize({ exports: { memory } }), undefined),
  ],
  [
    "an error of the guest's own",
    (w) =>
      w.start({
        exports: {
          memory,
          _start() {
            throw new SyntaxError("own");
          },
        },
      }),
    "SyntaxError",
    undefined,
    "own",
  ],
  ["calls with too few arguments do nothing", (w) => {
    w.initialize({ exports: { memory } });
    const before = new Uint8Array(memory.buffer).slice();
    for (const name of ["fd_write", "path_open", "fd_advise", "fd_seek", "path_rename"]) {
      // Node answers EINVAL; ours convert what is missing, as functions of WebAssembly do
      assert.notEqual(failureOf(() => assert.equal(w.wasiImport[name](), 0)), undefined, name);
    }
    assert.deepEqual(new Uint8Array(memory.buffer), before);
  }],
];

test("start, initialize and finalizeBindings refuse what Node refuses, in Node's words", async (t) => {
  const Node = await builtIn();
  for (const [what, use, name, code, message] of uses) {
    await t.test(what, () => {
      const expected = name && { class: name, code, message };
      assert.deepEqual(failureOf(() => use(new WASI(preview1 as Loose))), expected);
      if (Node) assert.deepEqual(failureOf(() => use(new Node(preview1))), expected);
    });
  }
});

test("wasiImport is one stable object of 46 own, writable functions", () => {
  const wasi = new WASI({ version: "preview1" });
  assert.deepEqual(Object.keys(wasi), ["wasiImport"]);
  assert.deepEqual(Reflect.ownKeys(wasi).filter((key) => typeof key === "string"), ["wasiImport"]);
  const names = Object.keys(wasi.wasiImport);
  assert.equal(names.length, 46);
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(wasi.wasiImport, name)!;
    assert.equal(typeof property.value, "function");
    assert.equal(property.writable, true);
  }
  assert.deepEqual(Object.keys(wasi.getImportObject()), ["wasi_snapshot_preview1"]);
  assert.equal(wasi.getImportObject().wasi_snapshot_preview1, wasi.wasiImport);
  const old = new WASI({ version: "unstable" });
  assert.equal(old.getImportObject().wasi_unstable, old.wasiImport);
});

test("the 46 names are Node's", async () => {
  const Node = await builtIn();
  const ours = Object.keys(new WASI({ version: "preview1" }).wasiImport).sort();
  if (Node) assert.deepEqual(ours, Object.keys(new Node(preview1).wasiImport).sort());
  assert.ok(ours.includes("sock_accept") && ours.includes("proc_exit"));
});

test("start can be replaced, called on a Proxy, and uses an overridden finalizeBindings", () => {
  const exports = { memory, _start: start };
  const wasi = new WASI({ version: "preview1" });
  const original = wasi.start;
  wasi.start = (instance) => original.call(wasi, instance);
  assert.equal(wasi.start({ exports }), 0);
  const proxied = new Proxy(new WASI({ version: "preview1" }), {});
  assert.equal(proxied.start({ exports } as Loose), 0);
  let called = 0;
  class Counting extends WASI {
    override finalizeBindings(...parameters: Parameters<WASI["finalizeBindings"]>): void {
      called++;
      super.finalizeBindings(...parameters);
    }
  }
  new Counting({ version: "preview1" }).start({ exports });
  new Counting({ version: "preview1" }).initialize({ exports: { memory } });
  assert.equal(called, 2);
});

test("instances and memories of other realms and proxies are accepted", () => {
  const foreign = vm.runInNewContext(
    "({ exports: { memory: new WebAssembly.Memory({ initial: 1 }), _start() {} } })",
    { WebAssembly },
  );
  assert.equal(new WASI({ version: "preview1" }).start(foreign), 0);
  const instance = { exports: new Proxy({ memory, _start: start }, {}) };
  assert.equal(new WASI({ version: "preview1" }).start(new Proxy(instance, {}) as Loose), 0);
});

test("using the class prints no warning and leaves process.stdin alone", () => {
  const property = Object.getOwnPropertyDescriptor(process, "stdin");
  if (property?.get === undefined) return; // Deno and Bun make it a value; nothing to watch
  let touched = false;
  Object.defineProperty(process, "stdin", { configurable: true, get: () => touched = true });
  const warnings: unknown[] = [];
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: unknown) => void warnings.push(warning);
  try {
    const wasi = new WASI({ version: "preview1", preopens: { "/": dir } });
    assert.equal(wasi.start({ exports: { memory, _start: start } }), 0);
  } finally {
    Object.defineProperty(process, "stdin", property);
    process.emitWarning = emitWarning;
  }
  assert.equal(touched, false);
  assert.deepEqual(warnings, []);
});
