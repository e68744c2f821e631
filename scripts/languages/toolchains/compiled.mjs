/** Programs that compilers of Debian and npm make of the sources beside this file. */
import assert from "node:assert/strict";
import fs from "node:fs";

/** What words.cc prints, as the standards of C++ have it. */
async function countsWords(t, program, files = ["3 numbers\n"]) {
  await t.prints("a=2\nü=1\n-1 0.5 2 \n0\n", program, ["a", "ü", "a"], {
    stdin: "2 0.5\n-1",
    code: 2,
  });
  assert.deepEqual(fs.readdirSync(t.folder).map((name) => t.read(name)), files);
}

const jumps = (t, program) => t.prints("42 after 2\n42 after 3\n", program);

const unwinds = (t, program) =>
  t.prints(
    "left inner\nleft outer\n1\nleft inner\nrethrown\nleft outer\ncaught: it is 3\n" +
      "caught something\n",
    program,
  );

const debianClang = {
  "runs C++ with streams and files": (t) => countsWords(t, "built/clang.wasm"),
  "jumps by exceptions": (t) => jumps(t, "built/clang_jump.wasm"),

  async "adds vectors and makes tail calls"(t) {
    const sum = 99 * 100 / 2;
    let total = 0;
    for (let left = 7_000_000; left > 0; left--) total += left % 7;
    const expected = `${[1, 2, 3, 4].map((times) => times * sum).join(" ")}\n${total}\n`;
    await t.prints(expected, "built/clang_vectors.wasm");
  },
};

const emscripten = {
  // which opens no files without JavaScript
  "runs C++ with streams": (t) => countsWords(t, "built/emscripten.wasm", []),
  "unwinds by exceptions of the old kind": (t) => unwinds(t, "built/emscripten_legacy.wasm"),
  "unwinds by exceptions of the new kind": (t) => unwinds(t, "built/emscripten_exnref.wasm"),
  "jumps by exceptions": (t) => jumps(t, "built/emscripten_jump.wasm"),
};

const d = {
  async "runs what is compiled with -betterC"(t) {
    await t.prints("30 42 ä\n", "built/d.wasm", ["ä"], { code: 2 });
  },
};

async function runsRust(t, program) {
  const expected = '{"a": 2, "ü": 1}\n["b", "moved.txt"] ["x", "é"]\nErr(NotFound)\n' +
    "Err(DirectoryNotEmpty)\nword\n";
  await t.prints(expected, program, ["x", "é"], {
    stdin: "a ü\ta\n",
    options: ["--env=WORD=word"],
    code: 7,
  });
  assert.deepEqual(fs.readdirSync(`${t.folder}/a`).sort(), ["b", "moved.txt"]);
}

const rust = {
  "runs files, arguments and variables": (t) => runsRust(t, "built/rust.wasm"),
  "runs the same with vectors": (t) => runsRust(t, "built/rust_simd.wasm"),
};

/** What program.kt prints, as the language has it. */
const runsKotlin = (t, program) =>
  t.prints(
    "{ä=Pair2(number=1, text=ä), 🦀=Pair2(number=2, text=🦀)}\n2.25\ncaught boom\nfinally\ntrue\n" +
      "1, 2, 4, 8, 16, 32, 64, 128, 256, 512\n2432902008176640000\ntrue\ntrue\n",
    program,
  );

const kotlin = {
  "runs with exceptions of the new kind": (t) => runsKotlin(t, "built/kotlin.wasm"),
  "runs with exceptions of the old kind": (t) => runsKotlin(t, "built/kotlin_legacy.wasm"),
};

const assemblyscript = {
  async "runs with the shim for WASI"(t) {
    await t.prints(
      "fib(20) = 6765\nä,b 1.4142135623730952\n1-2-3\n",
      "built/assemblyscript.wasm",
      [],
      { code: 3 },
    );
  },
};

export const compiled = {
  "debian-clang": debianClang,
  emscripten,
  d,
  rust,
  kotlin,
  assemblyscript,
};
