/** Names between bytes and text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, encodeInto, harmless, isEscaped, quoted } from "../../core/text.ts";
import { generator } from "../support/fuzz.ts";

test("valid UTF-8 becomes the text it is, and back", () => {
  for (
    const text of ["", "a", "file.txt", "ä", "日本語", "😀", "\ufeffbom", "\u{10ffff}", "e\u0301"]
  ) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(decode(bytes, 0, bytes.length), text);
    assert.deepEqual(encode(text), bytes);
    assert.equal(isEscaped(text), false);
  }
});

test("bytes that are not UTF-8 keep their place and come back", () => {
  const cases: [number[], string][] = [
    [[0xff], "\udcff"],
    [[0x61, 0x80, 0x62], "a\udc80b"],
    [[0xc3], "\udcc3"],
    [[0xc0, 0xaf], "\udcc0\udcaf"], // an overlong slash is no slash
    [[0xed, 0xa0, 0x80], "\udced\udca0\udc80"], // a surrogate is no character
    [[0xf0, 0x9f, 0x98], "\udcf0\udc9f\udc98"],
    [[0xc3, 0xa4, 0xff], "ä\udcff"],
    [[0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ];
  for (const [bytes, text] of cases) {
    assert.equal(decode(Uint8Array.from(bytes), 0, bytes.length), text);
    assert.deepEqual([...encode(text)], bytes);
    assert.equal(isEscaped(text), true);
  }
});

test("any bytes survive the way to text and back, and no two give one text", () => {
  const random = generator(1);
  const seen = new Map<string, string>();
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from(
      { length: random(12) },
      () => [0x61, 0xc3, 0xa4, 0xff, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xb3, 0xbf][random(11)]!,
    );
    const text = decode(bytes, 0, bytes.length);
    assert.deepEqual(encode(text), bytes);
    const key = bytes.join();
    assert.equal(seen.get(text) ?? key, key);
    seen.set(text, key);
    const into = new Uint8Array(64).fill(63);
    const end = encodeInto(text, into, 3);
    assert.equal(end, 3 + bytes.length + 1);
    assert.deepEqual(into.slice(3, end), Uint8Array.from([...bytes, 0]));
    assert.equal(into[end], 63);
  }
});

test("encodeInto() gives -1 for what does not fit with its NUL", () => {
  assert.equal(encodeInto("abc", new Uint8Array(3), 0), -1);
  assert.equal(encodeInto("abc", new Uint8Array(4), 0), 4);
  assert.equal(encodeInto("ä", new Uint8Array(2), 0), -1);
});

/** What must not reach a terminal as it is. */
const HARMFUL: number[] = [
  ...Array.from({ length: 0x20 }, (_, i) => i),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  0x61c,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e],
  ...[0x2066, 0x2067, 0x2068, 0x2069],
  0xd800,
  0xdc80,
  0xdcff,
  0xdfff,
];

test("text of others is shown with nothing that moves a terminal, and everything else", () => {
  for (const code of HARMFUL) {
    const unit = String.fromCharCode(code);
    const hex = code.toString(16);
    const escaped = code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`;
    assert.equal(harmless(`a${unit}b`), `a${escaped}b`);
    const shown = quoted(`a${unit}b`);
    assert.match(shown, /^"a\\[\w"\\]+b"$/);
    assert.equal(JSON.parse(shown), `a${unit}b`);
  }
  for (const text of ["", "ä 日本 🦀", "e\u0301", "\u200d", "\u00a0", "\ufeff", "~!"]) {
    assert.equal(harmless(text), text);
    assert.equal(quoted(text), `"${text}"`);
  }
  assert.equal(quoted('"\\x1b"'), '"\\"\\\\x1b\\""'); // not to be taken for an escape of ours
});
