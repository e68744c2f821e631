/**
 * Numbers that several parts have in common.
 *
 * @module
 */

/** Bytes of a page of WebAssembly's memory. */
export const PAGE = 65536;

/** Milliseconds; setTimeout() takes no more. */
export const TIMER_MAX: number = 2 ** 31 - 1;

/** Threads at once of a guest, besides its main, unless it is said how many. */
export const THREADS = 128;
