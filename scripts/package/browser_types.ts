/** Compiled, never run: what a strict compiler makes of the types for browsers. */
import { memory, opfs, type OpfsDirectory, run } from "@x/wasi/browser";

declare const chosen: FileSystemDirectoryHandle;

export async function use(): Promise<number | WebAssembly.Instance> {
  const root = await navigator.storage.getDirectory();
  const files: OpfsDirectory = await opfs(root);
  await opfs(await root.getDirectoryHandle("project", { create: true }));
  const preopens = { "/": files, "/chosen": await opfs(chosen), "/memory": memory({ a: "1" }) };
  const result = await run(fetch("tool.wasm"), { args: ["tool"], preopens });
  await files.flush();
  return result;
}

// @ts-expect-error: a file is no directory
void opfs({} as FileSystemFileHandle);
// @ts-expect-error: nor is anything else
void opfs({ kind: "directory" });
