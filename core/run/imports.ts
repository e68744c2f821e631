/**
 * What a module is linked with.
 *
 * @module
 */
import { offeredOf } from "../preview1/imports.ts";

/**
 * The functions of a WASI object, and of what is given besides only what the module asks for. The
 * other snapshot is a property that is not enumerable.
 */
export function importsFor(
  module: WebAssembly.Module,
  given: WebAssembly.Imports,
  wasi: { getImportObject(): object },
): WebAssembly.Imports {
  return Object.defineProperties(
    offeredOf(module, given),
    Object.getOwnPropertyDescriptors(wasi.getImportObject()) as PropertyDescriptorMap,
  );
}
