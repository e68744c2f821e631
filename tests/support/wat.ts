/** Programs in WebAssembly's text format, for tests that need one of their own. */
import { createRequire } from "node:module";
import path from "node:path";
import { root } from "./harness.ts";

interface Wabt {
  parseWat(name: string, text: string, features: Record<string, boolean>): {
    toBinary(options: object): { buffer: Uint8Array };
  };
}

const require = createRequire(path.join(root, "package.json"));

/** The bytes of a module, with the names of its functions. */
export async function assemble(text: string): Promise<Uint8Array> {
  const wabt = await (require("wabt") as () => Promise<Wabt>)();
  const features = {
    exceptions: true,
    bulk_memory: true,
    multi_value: true,
    simd: true,
    reference_types: true,
    tail_call: true,
  };
  return wabt.parseWat("test.wat", text, { ...features, threads: true })
    .toBinary({ write_debug_names: true }).buffer;
}
