/** Gets programs: from the server with progress, or a file of the user's. */
import { opened } from "./storage.ts";

/** Told as bytes arrive; the total is undefined where the server does not tell it. */
export type Progress = (received: number, total: number | undefined) => void;

/** How the address of an opened file begins. */
export const OWN = "own:";

const modules = new Map<string, WebAssembly.Module>();

/** Forgets what was compiled for an address. */
export function unload(program: string): void {
  modules.delete(program);
}

async function request(program: string, signal: AbortSignal): Promise<Response> {
  if (program.startsWith(OWN)) return new Response(opened.get(program.slice(OWN.length)));
  const response = await fetch(program, { signal });
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${response.url}`);
  return response;
}

/** Downloads and compiles; once for each program. */
export async function load(
  program: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<WebAssembly.Module> {
  const known = modules.get(program);
  if (known !== undefined) return known;
  const { headers, body } = await request(program, signal);
  // the length of a compressed answer is not that of the program
  const length = headers.has("content-encoding") ? 0 : Number(headers.get("content-length"));
  let received = 0;
  const counted = body!.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        received += chunk.length;
        progress(received, length > 0 ? length : undefined);
        controller.enqueue(chunk);
      },
    }),
  );
  const whole = new Response(counted, { headers: { "content-type": "application/wasm" } });
  const module = await WebAssembly.compileStreaming(whole);
  modules.set(program, module);
  return module;
}

/** Why the page cannot run a file, as a sentence; undefined if it may. */
export async function problemOf(file: File): Promise<string | undefined> {
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  } catch {
    return `${file.name} cannot be read as a file.`; // such as a folder
  }
  const [magic, version] = [String(head.slice(0, 4)), String(head.slice(4))];
  if (magic !== "0,97,115,109") return `${file.name} is not a WebAssembly file.`;
  if (version === "13,0,1,0") {
    return `${file.name} is a WebAssembly component; this page runs modules of WASI preview1.`;
  }
  try {
    await WebAssembly.compile(await file.arrayBuffer());
    return undefined;
  } catch (error) {
    return `${file.name} is not a valid WebAssembly module (${(error as Error).message}).`;
  }
}
