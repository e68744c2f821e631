/** The programs that compilers make of the sources beside this file. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inside, must } from "../../debian.mjs";

const folder = fileURLToPath(new URL("./sources", import.meta.url));

export const sources = fs.readdirSync(folder).map((name) => [
  name,
  fs.readFileSync(path.join(folder, name), "utf8"),
]);

export const debianPackages = `
  clang lld wasi-libc libclang-rt-dev-wasm32 libc++-dev-wasm32 ldc rustc libstd-rust-dev-wasm32
  emscripten openjdk-21-jre-headless
`.trim().split(/\s+/);

const CLANG = "clang --target=wasm32-wasi -O1";
const EMSCRIPTEN = "-O1 -sSTANDALONE_WASM";
const KOTLIN =
  "java -cp kotlin/kotlin-compiler.jar:kotlin/kotlin-stdlib.jar:kotlin/annotations-13.0.jar" +
  " org.jetbrains.kotlin.cli.js.KotlinWasmCompiler -Xwasm-target=wasm-wasi" +
  " -libraries kotlin/kotlin-stdlib-wasm-wasi.klib -ir-output-name program";

/** What is run in the Debian, in the folder with the sources. */
export const steps = `
  ${CLANG.replace("clang", "clang++")} -fno-exceptions words.cc -o clang.wasm
  ${CLANG} -mllvm -wasm-enable-sjlj jump.c -lsetjmp -o clang_jump.wasm
  ${CLANG} -msimd128 -mtail-call vectors.c -o clang_vectors.wasm
  ldc2 -mtriple=wasm32-unknown-wasi -betterC -c program.d -of=d.o
  ${CLANG} d.o -o d.wasm
  rustc --target wasm32-wasip1 -C linker=wasm-ld -O program.rs -o rust.wasm
  rustc --target wasm32-wasip1 -C linker=wasm-ld -C target-feature=+simd128 -C lto -O program.rs -o rust_simd.wasm
  em++ ${EMSCRIPTEN} -fno-exceptions words.cc -o emscripten.wasm
  em++ ${EMSCRIPTEN} -fwasm-exceptions exceptions.cc -o emscripten_legacy.wasm
  em++ ${EMSCRIPTEN} -fwasm-exceptions -sWASM_EXNREF exceptions.cc -o emscripten_exnref.wasm
  em++ ${EMSCRIPTEN} -fexceptions exceptions.cc -o emscripten_javascript.wasm
  emcc ${EMSCRIPTEN} -sSUPPORT_LONGJMP=wasm jump.c -o emscripten_jump.wasm
  ${KOTLIN} -Xir-produce-klib-file -ir-output-dir klib program.kt
  ${KOTLIN} -Xir-produce-js -Xinclude=klib/program.klib -Xir-dce -ir-output-dir kotlin_exnref
  ${KOTLIN} -Xir-produce-js -Xinclude=klib/program.klib -Xir-dce -ir-output-dir kotlin_legacy -Xwasm-use-new-exception-proposal=false
`.trim().split("\n").map((step) => step.trim());

/** Compiles all of them into `built`. */
export function build(home, debian, built) {
  const place = path.join(debian, "w");
  fs.rmSync(place, { recursive: true, force: true });
  fs.cpSync(folder, place, { recursive: true });
  fs.cpSync(path.join(home, "node_modules/kotlin-compiler/lib"), path.join(place, "kotlin"), {
    recursive: true,
  });
  for (const step of steps) {
    inside(debian, "A source cannot be compiled.", `cd /w\nexport HOME=/w\n${step}`);
  }
  fs.renameSync(path.join(place, "kotlin_exnref/program.wasm"), path.join(place, "kotlin.wasm"));
  fs.renameSync(
    path.join(place, "kotlin_legacy/program.wasm"),
    path.join(place, "kotlin_legacy.wasm"),
  );
  for (const name of fs.readdirSync(place)) {
    if (name.endsWith(".wasm")) fs.copyFileSync(path.join(place, name), path.join(built, name));
  }
  fs.rmSync(place, { recursive: true });
  buildAssemblyScript(home, built);
  fs.writeFileSync(path.join(home, "program.js"), "console.log([3, 1, 2].sort().join());\n");
  must(
    "Porffor's source cannot be compiled.",
    process.execPath,
    [
      "node_modules/porffor/runtime/index.js",
      "wasm",
      "program.js",
      path.join(built, "porffor.wasm"),
    ],
    { cwd: home },
  );
}

function buildAssemblyScript(home, built) {
  const shim = "./node_modules/@assemblyscript/wasi-shim/asconfig.json";
  fs.copyFileSync(path.join(folder, "program.as"), path.join(home, "program.ts"));
  const compile = (output, ...options) =>
    must(
      "AssemblyScript's source cannot be compiled.",
      process.execPath,
      ["node_modules/assemblyscript/bin/asc.js", "program.ts", "-o", output, "-O", ...options],
      { cwd: home },
    );
  compile(path.join(built, "assemblyscript.wasm"), "--config", shim);
  compile(path.join(built, "assemblyscript_javascript.wasm"));
}
