/**
 * What tests run on that are shared between hosts: the classes under test, and how a test of them is
 * declared.
 */
import { test, type TestContext } from "node:test";
import { AsyncWASI, type WASIOptions } from "../../mod.ts";
import type { BaseAsyncWASI } from "../../core/guest/async_wasi.ts";
import type { BaseWASI } from "../../core/guest/wasi.ts";
import { WASI } from "./wasi.ts";

/** Options of a test. */
export interface TestOptions {
  timeout?: number;
  skip?: boolean | string;
}

/** What a test does. */
export type Body = (context: TestContext) => void | Promise<void>;

/** Declares a test. */
export type Declare = (sentence: string, options: TestOptions, body: Body) => void;

/** The classes of one host. */
export interface Subject {
  readonly WASI: new (options: WASIOptions) => BaseWASI;
  readonly AsyncWASI: new (options: WASIOptions) => BaseAsyncWASI;
  readonly test: Declare;
}

/** Declares a test as it stands. */
export function declare(sentence: string, options: TestOptions, body: Body): void {
  test(sentence, options, body);
}

/** The classes of the host that the runtime gets by itself. */
export const own: Subject = { WASI, AsyncWASI, test: declare };

/** Tests that are declared once and run on several subjects, of a kind that holds a subject. */
export class Shared<T extends { readonly test: Declare }> {
  readonly #tests: [string, TestOptions, (on: T, context: TestContext) => void | Promise<void>][] =
    [];

  /** Adds a test; its body gets what it runs on. */
  test(
    sentence: string,
    ...rest:
      | [body: (on: T, context: TestContext) => void | Promise<void>]
      | [options: TestOptions, body: (on: T, context: TestContext) => void | Promise<void>]
  ): void {
    if (rest.length === 1) this.#tests.push([sentence, {}, rest[0]]);
    else this.#tests.push([sentence, ...rest]);
  }

  /** Declares them all. */
  on(subject: T): void {
    for (const [sentence, options, body] of this.#tests) {
      subject.test(sentence, options, (context) => body(subject, context));
    }
  }
}
