/**
 * What the command puts between a guest and the class: its words for what the class refuses, and
 * the end of the process when nobody reads its output.
 *
 * @module
 */
import type { BaseWASI, WASIImport } from "../core/guest/wasi.ts";
import { CommandError, plain } from "./error.ts";
import { exit, OUTPUT_CLOSED, uncallable } from "./runtime.ts";

/** WASI's EPIPE. */
const PIPE = 64;
/** The descriptors that a reader may leave. */
const OUTPUT: readonly number[] = [1, 2];
/** Why something is not available, without the name that it has in the class's options. */
export function unavailable(message: string): string {
  return message.replace(/^The property '[^']*'/, "it").replace(/\. Received .*$/s, "");
}

/** An error of the class about its options, as an error of the command. */
export function refusedBy(error: unknown): CommandError {
  const { code, message } = error as { code?: string; message: string };
  if (code !== "ERR_INVALID_ARG_VALUE" || !message.includes("'options.listen'")) {
    return new CommandError(plain(error));
  }
  return new CommandError(`--listen: ${uncallable() ?? unavailable(message)}`);
}

/** Exits quietly if the reader of the guest's output is gone. */
export function endingWithReader(imports: WASIImport): WASIImport {
  const { fd_write } = imports as { fd_write: (...values: number[]) => number | Promise<number> };
  const seen = (fd: number, errno: number): number => {
    if (errno === PIPE && OUTPUT.includes(fd)) exit(OUTPUT_CLOSED);
    return errno;
  };
  imports.fd_write = (fd: number, iovs: number, iovs_len: number, nwritten: number) => {
    // a number, or a promise if it has to wait in a program with threads
    const errno = fd_write(fd, iovs, iovs_len, nwritten);
    return typeof errno === "number" ? seen(fd, errno) : errno.then((errno) => seen(fd, errno));
  };
  return imports;
}

/** Makes an instance ready for its functions to be called: those without memory are, too. */
export function bind(wasi: BaseWASI, instance: WebAssembly.Instance): void {
  const { memory } = instance.exports as { memory?: WebAssembly.Memory };
  wasi.finalizeBindings(instance, { memory: memory ?? new WebAssembly.Memory({ initial: 0 }) });
}
