/** A component that makes any call of WASI 0.2 for a test; see tests/components/probe. */
import { instantiate, type RunOptions } from "../../mod.ts";
import { scripted } from "../support/components.ts";

/** A resource that the component holds. */
export interface Resource {
  readonly resource: number;
}

/** What a call gave: its value, or the error of a result. */
// deno-lint-ignore no-explicit-any
export type Given = any;

/** The error that a function gave. */
export class Failed extends Error {
  readonly payload: Given;

  constructor(payload: Given) {
    super(JSON.stringify(payload));
    this.payload = payload;
  }
}

/** Makes calls. Bytes are `{ bytes: [1] }`; numbers of 64 bits are numbers. */
export interface Probe {
  call(name: string, ...parameters: unknown[]): Promise<Given>;
  /** The error that the call gives. */
  error(name: string, ...parameters: unknown[]): Promise<Given>;
  /** The directory under a name. */
  directory(name?: string): Promise<Resource>;
  close(): void;
}

/** Instantiates the component. */
export async function probe(options: RunOptions = {}): Promise<Probe> {
  const { exports, close } = await instantiate(await scripted("probe"), options);
  const call = async (name: string, ...parameters: unknown[]): Promise<Given> => {
    try {
      return JSON.parse(await exports.call(name, JSON.stringify(parameters)) as string);
    } catch (error) {
      const { payload } = error as { payload?: unknown };
      if (typeof payload !== "string") throw error;
      throw new Failed(
        payload.startsWith("{") || payload.startsWith('"') ? JSON.parse(payload) : payload,
      );
    }
  };
  const error = async (name: string, ...parameters: unknown[]): Promise<Given> => {
    let value: unknown;
    try {
      value = await call(name, ...parameters);
    } catch (thrown) {
      if (thrown instanceof Failed) return thrown.payload;
      throw thrown;
    }
    throw new Error(`${name} gave ${JSON.stringify(value)}, not an error`);
  };
  return {
    call,
    error,
    close,
    async directory(name = "/") {
      const all = await call("getDirectories") as [Resource, string][];
      return all.find(([, at]) => at === name)![0];
    },
  };
}

/** Bytes of text, as the component takes them. */
export function bytes(text: string): { bytes: number[] } {
  return { bytes: [...new TextEncoder().encode(text)] };
}

/** The text of bytes that it gives. */
export function text({ bytes }: { bytes: number[] }): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
