/** Modules for tests: text with every feature that wabt knows, bytes by hand, and made up ones. */
import { createRequire } from "node:module";
import path from "node:path";
import { root } from "./harness.ts";

interface Wabt {
  parseWat(name: string, text: string, features: Record<string, boolean>): {
    toBinary(options: object): { buffer: Uint8Array };
  };
}

const require = createRequire(path.join(root, "package.json"));
const FEATURES = [
  "exceptions",
  "threads",
  "function_references",
  "tail_call",
  "memory64",
  "multi_memory",
  "extended_const",
  "relaxed_simd",
];

/** A module of text; `padded`: every length and number that can be takes five bytes. */
export async function textModule(text: string, padded = false): Promise<Uint8Array> {
  const wabt = await (require("wabt") as () => Promise<Wabt>)();
  const features = Object.fromEntries(FEATURES.map((name) => [name, true]));
  return wabt.parseWat("test.wat", text, features)
    .toBinary({ write_debug_names: true, canonicalize_lebs: !padded }).buffer;
}

/** Anything of bytes: numbers are bytes, arrays are what they hold, text has its length before. */
export type Bytes = number | string | Bytes[];

/** All bytes in their order. */
export function flat(bytes: Bytes): number[] {
  if (typeof bytes === "number") return [bytes];
  if (typeof bytes === "string") {
    const text = new TextEncoder().encode(bytes);
    return [...leb(text.length), ...text];
  }
  return bytes.flatMap(flat);
}

/** A whole number as an unsigned LEB128, in at least so many bytes. */
export function leb(value: number | bigint, length = 1): number[] {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    const low = Number(left & 127n);
    left >>= 7n;
    bytes.push(left > 0n || bytes.length + 1 < length ? low | 128 : low);
  } while (left > 0n || bytes.length < length);
  return bytes;
}

/** A whole number as a signed LEB128. */
export function signed(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let left = BigInt(value);;) {
    const low = Number(left & 127n);
    left >>= 7n;
    const done = (left === 0n && low < 64) || (left === -1n && low >= 64);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

/** How many, and then all of them. */
export function list(items: Bytes[]): Bytes {
  return [leb(items.length), items];
}

/** Bytes with their length before them. */
export function block(content: Bytes): number[] {
  const bytes = flat(content);
  return [...leb(bytes.length), ...bytes];
}

/** A section. */
export function section(id: number, content: Bytes): number[] {
  return [id, ...block(content)];
}

/** A module of its sections. */
export function module(...sections: Bytes[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...flat(sections)]);
}

/** A body of a function: groups of locals, and instructions without the last `end`. */
export function body(locals: Bytes[], code: Bytes): Bytes {
  return block([list(locals), code, 0x0b]);
}

const I32 = 0x7f;
const I64 = 0x7e;
/** Functions of a made up module take two numbers of 32 bits and one of 64, and give one of 32. */
const FUNCTIONS = 6;
const LOCALS = { i32: [0, 1, 3, 4], i64: [2, 5] };
/** Of the global that counts down to the end. */
const FUEL = 0;

/** Writes a function of made up instructions. */
class Made {
  readonly #random: (limit: number) => number;
  /** kinds of labels around: whether a branch there takes nothing */
  #labels = 0;
  #budget = 120;

  constructor(random: (limit: number) => number) {
    this.#random = random;
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#random(of.length)]!;
  }

  /** An address of 16 bits on the stack. */
  #address(): Bytes {
    return [this.i32(), 0x41, signed(0xfff8), 0x71];
  }

  i32(): Bytes {
    if (--this.#budget < 0) return [0x41, signed(this.#random(2 ** 31) | 0)];
    switch (this.#random(12)) {
      case 0:
        return [0x41, signed(this.#random(2 ** 32) | 0)];
      case 1:
      case 2:
        return [0x20, this.#one(LOCALS.i32)];
      case 3: // add, sub, mul, and, or, xor, shl, shr, rotl, comparisons
        return [this.i32(), this.i32(), this.#one([0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x77])];
      case 4:
        return [this.i32(), this.i32(), this.#one([0x46, 0x48, 0x49, 0x74, 0x76])];
      case 5: // what may trap
        return [this.i32(), this.i32(), this.#one([0x6d, 0x6e, 0x6f, 0x70])];
      case 6: // i32.load with an offset
        return [this.#address(), this.#one([0x28, 0x2d, 0x2f]), 0, leb(this.#random(70000))];
      case 7:
        return [this.i64(), this.#one([0xa7, 0x50])];
      case 8: // if with a result
        return [this.i32(), 0x04, I32, this.i32(), 0x05, this.i32(), 0x0b];
      case 9:
        return this.#call();
      case 10: // select
        return [this.i32(), this.i32(), this.i32(), 0x1b];
      default: // block with a result, and a branch out of it
        return [0x02, I32, this.i32(), this.i32(), 0x0d, 0, 0x0b];
    }
  }

  i64(): Bytes {
    if (--this.#budget < 0) return [0x42, signed(this.#random(2 ** 31))];
    switch (this.#random(5)) {
      case 0:
        return [0x42, signed(BigInt(this.#random(2 ** 32)) * BigInt(this.#random(2 ** 31)))];
      case 1:
        return [0x20, this.#one(LOCALS.i64)];
      case 2:
        return [this.i64(), this.i64(), this.#one([0x7c, 0x7d, 0x7e, 0x83, 0x84, 0x85, 0x89])];
      case 3:
        return [this.i32(), this.#one([0xac, 0xad])];
      default:
        return [this.#address(), 0x29, 0, leb(this.#random(64))];
    }
  }

  #call(): Bytes {
    const values = [this.i32(), this.i32(), this.i64()];
    // two functions are imported
    if (this.#random(3) > 0) return [values, 0x10, this.#random(FUNCTIONS + 2)];
    return [values, this.i32(), 0x41, 7, 0x71, 0x11, 0, 0];
  }

  /** Uses up fuel, and traps when there is none. */
  static fuel(): Bytes {
    return [0x23, FUEL, 0x41, 1, 0x6b, 0x24, FUEL, 0x23, FUEL, 0x45, 0x04, 0x40, 0x00, 0x0b];
  }

  #within(opening: Bytes, content: () => Bytes): Bytes {
    this.#labels++;
    const inner = content();
    this.#labels--;
    return [opening, inner, 0x0b];
  }

  statement(): Bytes {
    if (--this.#budget < 0) return 0x01;
    switch (this.#random(13)) {
      case 0:
      case 1:
        return [this.i32(), 0x21, this.#one(LOCALS.i32)];
      case 2:
        return [this.i64(), 0x21, this.#one(LOCALS.i64)];
      case 3:
        return [
          this.#address(),
          this.i32(),
          this.#one([0x36, 0x3a, 0x3b]),
          0,
          leb(this.#random(99)),
        ];
      case 4:
        return [this.#address(), this.i64(), 0x37, 0, leb(this.#random(99))];
      case 5: // if, sometimes with else
        return this.#within([this.i32(), 0x04, 0x40], () => [
          this.statements(),
          this.#random(2) === 0 ? [] : [0x05, this.statements()],
        ]);
      case 6:
        return this.#within([0x02, 0x40], () => this.statements());
      case 7: // a loop, which goes on if a number says so
        return this.#within([0x03, 0x40], () => [
          Made.fuel(),
          this.statements(),
          this.i32(),
          0x41,
          3,
          0x71,
          0x0d,
          0,
        ]);
      case 8:
        return [this.i32(), 0x0d, this.#random(this.#labels)];
      case 9: // br_table
        return this.#within([0x02, 0x40], () => {
          const labels = Array.from({ length: this.#random(4) }, () => this.#random(this.#labels));
          return [this.i32(), 0x41, 7, 0x71, 0x0e, list(labels), this.#random(this.#labels)];
        });
      case 10: // memory.fill, memory.copy and memory.init, some of them long
        return this.#bulk();
      case 11:
        return [this.i32(), 0x24, 1];
      default:
        return [this.i32(), 0x1a];
    }
  }

  #bulk(): Bytes {
    const length = this.#random(3) === 0 ? 20000 : this.#random(64);
    switch (this.#random(4)) {
      case 0:
        return [this.#address(), this.i32(), 0x41, signed(length), 0xfc, 11, 0];
      case 1:
        return [this.#address(), this.#address(), 0x41, signed(length), 0xfc, 10, 0, 0];
      case 2:
        return [this.#address(), 0x41, 0, 0x41, signed(length & 31), 0xfc, 8, 0, 0];
      default:
        return [this.i32(), 0x41, 1, 0x71, 0x40, 0, 0x1a]; // memory.grow
    }
  }

  statements(): Bytes {
    return Array.from({ length: 1 + this.#random(5) }, () => this.statement());
  }

  /** The whole body. */
  whole(): Bytes {
    this.#labels = 0;
    // a block around, so that there is a label that takes nothing
    const code = this.#within([0x02, 0x40], () => this.statements());
    const straight = this.#random(8) === 0
      ? Array.from({ length: 2000 }, () => [0x20, 0, 0x41, 7, 0x6a, 0x21, 0])
      : [];
    const tail = this.#random(4) === 0 // return_call is not known everywhere
      ? [this.#call(), 0x0f]
      : [this.i32()];
    return body([[2, I32], [1, I64]], [Made.fuel(), straight, code, tail]);
  }
}

/**
 * A valid module made up with a generator of numbers: it imports two functions `m.a` and `m.b`,
 * and exports its functions `f0` and so on, all of the same type, its memory and its globals, of which
 * `fuel` is what it may use up: loops and functions, and then it traps.
 */
export function madeModule(random: (limit: number) => number): Uint8Array<ArrayBuffer> {
  const bodies = Array.from({ length: FUNCTIONS }, () => new Made(random).whole());
  const names = bodies.map((_, i): Bytes => [leb(i + 2), `function ${i}`]);
  return module(
    section(1, list([[0x60, list([I32, I32, I64]), list([I32])]])),
    section(2, list([["m", "a", 0, 0], ["m", "b", 0, 0]])),
    section(3, list(bodies.map(() => 0))),
    section(4, list([[0x70, 0, 8]])),
    section(5, list([[1, 2, 5]])),
    section(
      6,
      list([[I32, 1, 0x41, signed(500), 0x0b], [I32, 1, 0x41, 0, 0x0b], [
        0x70,
        0,
        0xd2,
        3,
        0x0b,
      ]]),
    ),
    section(
      7,
      list([
        ...bodies.map((_, i): Bytes => [`f${i}`, 0, leb(i + 2)]),
        ["memory", 2, 0],
        ["fuel", 3, 0],
        ["global", 3, 1],
        ["reference", 3, 2],
        ["table", 1, 0],
      ]),
    ),
    section(9, list([[0, 0x41, 0, 0x0b, list([0, 1, 2, 3, 4, 5, 6].map((i) => leb(i, 5)))]])),
    section(12, leb(1)),
    section(10, list(bodies)),
    section(11, list([[1, "thirty-two bytes of data, or so.."]])),
    section(0, ["name", 1, block(list(names))]),
  );
}
