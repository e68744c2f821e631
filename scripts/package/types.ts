/** Compiled, never run: what a strict compiler makes of the package's types. */
import {
  AsyncWASI,
  type AsyncWASIOptions,
  type Directory,
  Errno,
  host,
  memory,
  OutputBuffer,
  overlay,
  ProcExit,
  run,
  WASI,
  type WASIOptions,
} from "@x/wasi";
import { WASI as BunWASI } from "@x/wasi/bun";
import { WASI as DenoWASI } from "@x/wasi/deno";
import { host as host2, type HostDirectory } from "@x/wasi/host";
import { memory as memory2, type MemoryDirectory } from "@x/wasi/memory";
import { type Confinement, WASI as NodeWASI } from "@x/wasi/node";
import { overlay as overlay2, type OverlayChange } from "@x/wasi/overlay";
import { WASIShim } from "@x/wasi/preview2";
import { fromTar, toTar } from "@x/wasi/tar";

const files: MemoryDirectory = memory({ "a.txt": "hello", folder: { b: new Uint8Array(1) } });
const options: WASIOptions = {
  version: "preview1",
  args: ["tool"],
  env: { LANG: "C" },
  preopens: {
    "/memory": files,
    "/folder": "folder",
    "/host": host("folder", { readOnly: true }),
    "/overlay": overlay("folder"),
  },
  stdin: new Uint8Array(1),
  stdout: new OutputBuffer(),
  trace: (line: string): void => void line,
  limits: { files: 3 },
};
const wasi: WASI = new WASI(options);
const imports: WebAssembly.Imports = wasi.getImportObject();
export const code: number = wasi.start({} as WebAssembly.Instance);
export const confinement: Confinement = wasi.confinement;
export const classes: (new (options: WASIOptions) => { start(i: WebAssembly.Instance): number })[] =
  [WASI, NodeWASI, BunWASI, DenoWASI];
export const others: Directory[] = [host2("a") as HostDirectory, memory2(), overlay2("b")];
export const errno: number = Errno.NOENT;
export const codeOf = (error: unknown): number => error instanceof ProcExit ? error.code : 0;

export async function later(suspended: AsyncWASIOptions): Promise<string[]> {
  const ended: number = await new AsyncWASI(suspended).start({} as WebAssembly.Instance);
  const result: number | WebAssembly.Instance = await run(new Uint8Array(8), { imports });
  const packed: Uint8Array = await toTar(await fromTar(await toTar(files)));
  const changes: Iterable<OverlayChange> = overlay("folder").changes();
  return [ended, result, packed, ...changes].map(String);
}

// @ts-expect-error: what is no option is refused, so the types are not "any"
new WASI({ version: "preview1", args: 3 });
// @ts-expect-error: nor are those of the others
new NodeWASI({ version: "preview1", args: 3 });
// @ts-expect-error: the same for this
new BunWASI({ version: "preview1", args: 3 });
// @ts-expect-error: the same for this
new DenoWASI({ version: "preview1", args: 3 });
// @ts-expect-error: the same for this
memory2(3).text(4);
// @ts-expect-error: the same for this
overlay2("folder").changes().length.length;
// @ts-expect-error: the same for this
host2(3);
// @ts-expect-error: the same for this
void toTar("files");
// @ts-expect-error: there is no such method
wasi.stop();
