/** `limits.memoryPages` in the class: whatever kind of buffer the memory has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Guest } from "../support/guest.ts";

const limits = { memoryPages: 20 };
const wanted = { code: "ERR_OUT_OF_RANGE", message: /memoryPages/ };

/** What a call gives once the memory has grown, or the cause that it ends the guest with. */
function grown(memory: WebAssembly.Memory, by: number): number {
  const guest = new Guest({ limits }, memory);
  assert.equal(guest.call.sched_yield!(), 0);
  memory.grow(by);
  try {
    return guest.call.sched_yield!();
  } catch (error) {
    throw (error as Error).cause;
  }
}

test("a memory that grows within the limit is served, beyond it ends the guest", () => {
  assert.equal(grown(new WebAssembly.Memory({ initial: 16, maximum: 100 }), 4), 0);
  assert.throws(() => grown(new WebAssembly.Memory({ initial: 16, maximum: 100 }), 5), wanted);
});

test("a shared memory, of which only the beginning is used", () => {
  const shared = new WebAssembly.Memory({ initial: 16, maximum: 100, shared: true });
  assert.throws(() => grown(shared, 5), wanted);
});

test("a memory whose buffer can be resized", () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 100 });
  const { toResizableBuffer } = memory as { toResizableBuffer?: () => ArrayBuffer };
  // where there is none, a memory has no such buffer either
  if (toResizableBuffer !== undefined) toResizableBuffer.call(memory);
  assert.throws(() => grown(memory, 5), wanted);
});
