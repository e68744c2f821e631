/**
 * Programs that are used from JavaScript, and import functions of their host beside WASI. Some have a
 * library in JavaScript, which gets our class; the exports of others are called as theirs would.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

/** Our library, from its sources: this module is also loaded where TypeScript is not. */
const library = () => import(new URL("../../../mod.ts", import.meta.url).href);

const bytesOf = (home, name) => fs.readFileSync(path.join(home, name));

const encoder = new TextEncoder();

/** Instantiates a program with our class, whose exports are called at once. */
async function instantiated(file, options, imports) {
  const { WASI } = await library();
  const wasi = new WASI({ version: "preview1", ...options });
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(file), {
    ...wasi.getImportObject(),
    ...imports,
  });
  if ("_start" in instance.exports) assert.equal(wasi.start(instance), 0);
  else wasi.initialize(instance);
  return instance.exports;
}

/** Puts a text that ends with a zero where `allocate` has room. */
function put(exports, text, allocate = exports.malloc) {
  const bytes = encoder.encode(`${text}\0`);
  const at = allocate(bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, at);
  return at;
}

const ruby = {
  async "@ruby/wasm-wasi runs CRuby with its library and JavaScript's objects"({ require, home }) {
    const { DefaultRubyVM } = require("@ruby/wasm-wasi/dist/node");
    const bytes = bytesOf(home, "node_modules/@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm");
    const { vm, wasi } = await DefaultRubyVM(await WebAssembly.compile(bytes), {
      env: { WORD: "größe" },
    });
    assert.ok("confinement" in wasi); // ours
    const given = vm.eval(`
      require "json"; require "set"; require "js"; require "digest"; require "stringio"
      JSON.generate([ENV["WORD"], RUBY_VERSION, Set[1, 2].sum, JS.eval("return 6 * 7").to_i,
        Digest::SHA256.hexdigest("abc")[0, 8], StringIO.new("a\\nb").readlines.size])`);
    const [word, version, ...more] = JSON.parse(given.toString());
    assert.equal(word, "größe");
    assert.match(version, /^3\.4\./);
    assert.deepEqual(more, [3, 42, "ba7816bf", 2]);
    assert.throws(() => vm.eval("raise 'boom'"), /boom/);
    const list = vm.eval("[3, 1, 2]").call("sort").call("inspect");
    assert.equal(list.toString(), "[1, 2, 3]");
  },
};

const perl = {
  async "zeroperl runs scripts, and calls its host"({ home }) {
    const { memory, OutputBuffer } = await library();
    const stdout = new OutputBuffer();
    const work = memory({ "in.txt": "b\na\n", dev: { null: "" } }); // which it opens first
    const called = [];
    const call_host_function = (id, count) => {
      called.push([id, count]);
      return exports.zeroperl_new_int(41 + id);
    };
    const exports = await instantiated(
      path.join(home, "node_modules/@6over3/zeroperl-ts/dist/esm/zeroperl.wasm"),
      { stdout, preopens: { "/": work }, env: { WORD: "word" } },
      { env: { call_host_function } },
    );
    assert.equal(exports.zeroperl_init(), 0);
    exports.zeroperl_register_function(1, put(exports, "answer"));
    const script = `
      use strict; use warnings; use List::Util qw(sum);
      open(my $in, "<", "/in.txt") or die $!; my @lines = sort <$in>; close $in;
      open(my $out, ">", "/out.txt") or die $!; print $out @lines; close $out;
      print join(",", sum(1 .. 10), int(2.7), $ENV{WORD}, scalar reverse("abc")), "\\n";
      print "größe" =~ s/ß/ss/r, " ", answer(1, 2), "\\n";
      eval { die { code => 7 } }; print "caught $@->{code}\\n";
      print -e "/none" ? "there" : "not there: $!", "\\n";`;
    const ended = exports.zeroperl_eval(put(exports, script), 1, 0, 0);
    exports.zeroperl_flush();
    const told = () => {
      const bytes = Buffer.from(exports.memory.buffer, exports.zeroperl_last_error());
      return bytes.subarray(0, bytes.indexOf(0)).toString();
    };
    assert.equal(ended, 0, told());
    assert.equal(
      stdout.text(),
      "55,2,word,cba\ngrösse 42\ncaught 7\nnot there: No such file or directory\n",
    );
    assert.deepEqual(called, [[1, 2]]);
    assert.equal(work.text("out.txt"), "a\nb\n");
    assert.notEqual(exports.zeroperl_eval(put(exports, "die 'boom'"), 1, 0, 0), 0);
  },
};

const prolog = {
  async "Trealla answers queries"({ home }) {
    const { OutputBuffer } = await library();
    const stdout = new OutputBuffer();
    const host = () => {
      throw new Error("the host is not called");
    };
    const exports = await instantiated(
      path.join(home, "unpacked/trealla.wasm"),
      { args: ["tpl"], stdout, stdin: null },
      { trealla: { "host-call": host, "host-resume": host } },
    );
    const allocate = (size) => exports.canonical_abi_realloc(0, 0, 1, size);
    // one answer each: it asks without end for more where there is no input
    const asked = (query) => exports.pl_eval(exports.pl_global(), put(exports, query, allocate), 0);
    asked("X is 2 ^ 100, write(X), nl.");
    asked("once(append(X, [c], [a, b, c])), write(X), nl.");
    asked("findall(X-Y, (member(X, [1, 2]), member(Y, [a, b])), L), write(L), nl.");
    asked("catch(atom_length(_, _), error(E, _), (write(E), nl)).");
    const lines = stdout.text().split("\n");
    const expected = [`${2n ** 100n}`, "[a,b]", "[1-a,1-b,2-a,2-b]", "instantiation_error"];
    for (const line of expected) assert.ok(lines.includes(line), stdout.text().slice(0, 1000));
  },
};

/** Calls a function of Javy's plugins that gives a place with what it has made. */
function javyCompiled(exports, code) {
  const bytes = encoder.encode(code);
  const at = exports.cabi_realloc(0, 0, 1, bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, at);
  const made = exports["compile-src"](at, bytes.length);
  const [wrong, start, length] = new Uint32Array(exports.memory.buffer, made, 3);
  const result = new Uint8Array(exports.memory.buffer, start, length).slice();
  if (wrong !== 0) throw new Error(new TextDecoder().decode(result));
  return result;
}

const javy = {
  async "a plugin of Javy compiles and runs JavaScript"({ home }) {
    const { OutputBuffer } = await library();
    const stdout = new OutputBuffer();
    const logged = [];
    const names = "version_v2_typescript switch_modes now send_response";
    const wide = "get_secrets await_capabilities await_secrets random_seed call_capability";
    const env = Object.fromEntries([
      ...names.split(" ").map((name) => [name, () => 0]),
      ...wide.split(" ").map((name) => [name, () => 0n]),
    ]);
    env.log = (at, length) =>
      logged.push(Buffer.from(exports.memory.buffer, at, length).toString());
    const exports = await instantiated(
      path.join(
        home,
        "node_modules/@chainlink/cre-sdk-javy-plugin/dist/javy-chainlink-sdk.plugin.wasm",
      ),
      { stdout, stderr: stdout },
      { env },
    );
    exports["initialize-runtime"]();
    const code = "class A { #x = 6; get x() { return this.#x } }\n" +
      "console.log(JSON.stringify([new A().x * 7, 'größe'.toUpperCase(), [3, 1].sort(), 2n ** 70n + '']))";
    const made = javyCompiled(exports, code);
    const at = exports.cabi_realloc(0, 0, 1, made.length);
    new Uint8Array(exports.memory.buffer).set(made, at);
    exports.invoke(at, made.length, 0, 0, 0);
    const expected = JSON.stringify([42, "GRÖSSE", [1, 3], `${2n ** 70n}`]);
    assert.equal((stdout.text() + logged.join("\n")).trim(), expected);
    assert.throws(() => javyCompiled(exports, "let = ;"));
  },
};

const quickjs = {
  async "quickjs-wasi runs JavaScript, with a clock that is given"({ home }) {
    const names = "host_get_timezone_offset host_interrupt host_promise_rejection host_call " +
      "host_module_normalize host_module_load";
    const exports = await instantiated(
      path.join(home, "node_modules/quickjs-wasi/quickjs.wasm"),
      { clock: 86_400_000_000_000n, random: 7 },
      { env: Object.fromEntries(names.split(" ").map((name) => [name, () => 0])) },
    );
    assert.equal(exports.qjs_init(), 0);
    const evaluated = (code) => {
      const name = put(exports, "check.js");
      const length = Buffer.byteLength(code);
      const value = exports.qjs_eval(put(exports, code), length, name, 0);
      if (exports.qjs_is_exception(value)) return "an exception";
      const bytes = Buffer.from(exports.memory.buffer, exports.qjs_get_string(value));
      return bytes.subarray(0, bytes.indexOf(0)).toString();
    };
    assert.equal(evaluated("new Date().toISOString().slice(0, 10)"), "1970-01-02");
    assert.equal(evaluated("[...'a🦀'].map((c) => c.codePointAt(0)).join()"), "97,129408");
    assert.equal(evaluated("2n ** 70n + ' ' + 'größe'.toUpperCase()"), `${2n ** 70n} GRÖSSE`);
    assert.equal(evaluated("null.x"), "an exception");
  },
};

export const embedders = {
  "ruby 3.4": ruby,
  perl,
  prolog,
  javy,
  "quickjs-wasi": quickjs,
};
