/** What Windows tells of pipes and consoles, and what a guest that asks is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ntdll } from "../../core/directories/nt/ntdll.ts";
import { StandardHandles } from "../../core/directories/nt/stream.ts";
import type { CFunction, Foreign } from "../../core/foreign.ts";
import { type File, Poll, type PollEntry } from "../../core/host.ts";

function foreignOf(symbols: Record<string, CFunction>): Foreign {
  return {
    symbols,
    pointer: (bytes, offset) => bytes.subarray(offset),
    address: () => 0n,
    long: (value) => value,
    errnoView: () => new Int32Array(1),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset);
}

function asked(events: number): PollEntry {
  return { file: {} as File, events, found: 0, nbytes: 0, error: 0 };
}

/** Handles over a pipe in a state, laid out as FILE_PIPE_LOCAL_INFORMATION is documented. */
function piped(status: number, readable = 0, writable = 0, state = 3): StandardHandles {
  const ntdll = foreignOf({
    NtQueryInformationFile(_handle, _status, into, length, kind) {
      assert.deepEqual([length, kind], [40, 24]);
      const view = viewOf(into);
      view.setUint32(20, readable, true);
      view.setUint32(28, writable, true);
      view.setUint32(32, state, true);
      return status | 0;
    },
  });
  return new StandardHandles(new Ntdll(ntdll), foreignOf({}));
}

test("a pipe is ready for reading when it has bytes, and when its other end is gone", () => {
  const ask = (handles: StandardHandles, events: number): [boolean, number, number] => {
    const entry = asked(events);
    const isPipe = handles.pipe(4, entry);
    return [isPipe, entry.found, entry.nbytes];
  };
  const { READ, WRITE, HANGUP } = Poll;
  assert.deepEqual(ask(piped(0), READ), [true, 0, 0]);
  assert.deepEqual(ask(piped(0, 7), READ), [true, READ, 7]);
  assert.deepEqual(ask(piped(0, 7, 0, 4), READ), [true, READ | HANGUP, 7]);
  assert.deepEqual(ask(piped(0, 0, 0, 4), READ), [true, READ | HANGUP, 0]);
  assert.deepEqual(ask(piped(0xc000014b), READ), [true, READ | HANGUP, 0]);
  assert.deepEqual(ask(piped(0xc00000b1), READ), [true, READ | HANGUP, 0]);
  assert.deepEqual(ask(piped(0, 0, 0), WRITE), [true, 0, 0]);
  assert.deepEqual(ask(piped(0, 0, 4096), WRITE), [true, WRITE, 0]);
  assert.deepEqual(ask(piped(0xc000014b), WRITE), [true, WRITE | HANGUP, 0]);
  // no pipe: somebody else has to know
  assert.deepEqual(ask(piped(0xc000000d), READ), [false, 0, 0]);
});

/** Handles over a console with these events: [type, down, character]. */
function typing(events: [type: number, down: number, character: number][]): StandardHandles {
  const kernel = foreignOf({
    PeekConsoleInputW(_handle, into, length, count) {
      const shown = events.slice(0, length);
      shown.forEach(([type, down, character], i) => {
        const view = viewOf(into.subarray(20 * i));
        view.setUint16(0, type, true);
        view.setInt32(4, down, true);
        view.setUint16(14, character, true);
      });
      viewOf(count).setUint32(0, shown.length, true);
      return 1;
    },
  });
  return new StandardHandles(new Ntdll(foreignOf({})), kernel);
}

test("a console is ready when somebody types, not when a key goes up or the mouse moves", () => {
  assert.equal(typing([]).isTyped(4), false);
  assert.equal(typing([[2, 1, 97], [16, 1, 97], [1, 0, 97]]).isTyped(4), false);
  assert.equal(typing([[1, 1, 0]]).isTyped(4), false, "a key without a character, such as Shift");
  assert.equal(typing([[2, 0, 0], [1, 1, 97]]).isTyped(4), true);
  assert.equal(typing(new Array(1000).fill([2, 0, 0])).isTyped(4), true, "too many to know");
});

test("standard handles are asked for by their own numbers, and a missing one is none", () => {
  const seen: number[] = [];
  const answers = [8, 0, -1];
  const kernel = foreignOf({
    GetStdHandle: (which) => answers[seen.push(which) - 1],
  });
  const handles = new StandardHandles(new Ntdll(foreignOf({})), kernel);
  assert.deepEqual([handles.of(0), handles.of(1), handles.of(2)], [8, -1, -1]);
  assert.deepEqual(seen, [-10 >>> 0, -11 >>> 0, -12 >>> 0]);
  assert.equal(handles.of(3), -1);
  assert.equal(seen.length, 3);
});
