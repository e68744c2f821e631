/**
 * Where each instruction of WebAssembly begins and ends.
 *
 * Source: https://webassembly.github.io/spec/core/binary/instructions.html, and the proposals for
 * threads, exceptions, garbage collection, wide arithmetic and relaxed SIMD.
 *
 * @module
 */
import { Kind, Reader, unknown } from "./reader.ts";

export const LOOP = 0x03;
export const CALL = 0x10;
const RETURN_CALL = 0x12;
const REF_FUNC = 0xd2;
export const END = 0x0b;
/** i32.const */
export const CONSTANT = 0x41;
const BLOCK = 0x02;
export const IF = 0x04;
export const ELSE = 0x05;
const TRY = 0x06;
export const CATCH = 0x07;
export const DELEGATE = 0x18;
export const CATCH_ALL = 0x19;
const TRY_TABLE = 0x1f;
/** Instructions that others belong to, up to an end. */
export const OPENING: readonly number[] = [BLOCK, LOOP, IF, TRY, TRY_TABLE];
const PREFIX_GC = 0xfb;
const PREFIX_BULK = 0xfc;
const PREFIX_SIMD = 0xfd;
const PREFIX_ATOMIC = 0xfe;

/** Kinds of instructions that may take long. */
export const LENGTH = 1;
export const GROWTH = 2;

/** How many bits of a length make no difference: a memory's bytes, a table's or array's elements. */
const MEMORY_SHIFT = 6;
const ARRAY_SHIFT = 2;

/** What an instruction counts as that the engine calls a function of its own for. */
const SLOW = 32;
/** What one counts as that allocates. */
const ALLOCATES = 8;
/** What throwing an exception takes off the countdown. */
const THROWS = 64;

/** What follows the byte of an instruction that is passed over quickly: see PLAIN. */
const NOTHING = 1;
const ONE_LEB = 2;
const MEMARG = 3;

/**
 * Instructions of which nothing is of interest but where they end, by their byte: most of all. Each
 * has a weight of 1.
 */
const PLAIN: Uint8Array = new Uint8Array(256);
PLAIN.fill(NOTHING, 0x45, 0xc5);
for (const opcode of [0x01, 0x1a, 0x1b, 0xd1]) PLAIN[opcode] = NOTHING;
for (const opcode of [0x20, 0x21, 0x22, 0x23, 0x24, CONSTANT, 0x42, 0x3f]) PLAIN[opcode] = ONE_LEB;
PLAIN.fill(MEMARG, 0x28, 0x3f);

/**
 * Reads instructions, so as to know where each begins and ends. What it finds of interest it
 * leaves in its fields.
 */
export class Instructions extends Reader {
  /**
   * Whether the last instruction may take long: LENGTH if what lies on top of the stack before it
   * says how long, GROWTH if it does not.
   */
  bulk = 0;
  /** Bits of the length that make no difference. */
  shift = 0;
  /** Whether the length has 32 bits in any module. */
  narrow = false;
  /** How many plain instructions take as long, at most. */
  weight = 1;
  /** What it takes off the countdown beyond that. */
  toll = 0;
  /** Whether what follows it is reached by a branch only. */
  ends = false;
  /** Where it may branch to: labels, of which the first `branches` count. */
  readonly labels: number[] = [];
  branches = 0;
  /** Whether it calls another function. */
  calls = false;
  /** Whether it does so instead of returning. */
  tail = false;
  /** Which kind of thing it makes grow, or -1; `memory` is the number of that. */
  grows = -1;
  /** Where the value of the last instruction begins if that is an i32.const, or -1. */
  constant = -1;
  /** Where the number of a function begins in it, or -1. */
  functionAt = -1;
  /** 1 for a wait for 32 bits, 2 for 64, or 0. */
  wait = 0;
  /** The offset and the number that are part of the last access to a memory. */
  offset = 0;
  memory = 0;

  /** Passes over a LEB128 of any kind. */
  #leb(): void {
    const { bytes } = this;
    const { length } = bytes;
    do {
      if (this.at >= length) throw new RangeError("the module ends too early");
    } while (bytes[this.at++]! >= 128);
  }

  #lebs(count: number): void {
    for (let i = 0; i < count; i++) this.#leb();
  }

  /** Passes over where in a memory. */
  #memarg(): void {
    const flags = this.number();
    this.memory = flags >= 64 ? this.number() : 0;
    this.offset = this.number();
  }

  /** Reads labels. */
  #branch(count: number): void {
    for (let i = 0; i < count; i++) this.labels[this.branches++] = this.number();
  }

  /**
   * Passes over plain instructions, at most so many, which are followed by a byte at least of the
   * same function; returns how many. Leaves in `constant` where the value of the last one begins if
   * that is an i32.const, or -1.
   */
  passPlain(most: number, end: number): number {
    const { bytes } = this;
    let { at } = this;
    let count = 0;
    let last = -1;
    while (count < most) {
      const kind = PLAIN[bytes[at]!];
      if (!(kind! > 0)) break;
      let next = at + 1;
      if (kind !== NOTHING) {
        if (kind === MEMARG && bytes[next++]! >= 64) break; // a memory's number follows
        while (bytes[next++]! >= 128);
      }
      if (next >= end) break;
      last = at;
      at = next;
      count++;
    }
    if (count > 0) this.constant = bytes[last] === CONSTANT ? last + 1 : -1;
    this.at = at;
    return count;
  }

  /** Passes over an instruction and returns its first byte. */
  next(): number {
    this.bulk = 0;
    this.calls = false;
    this.tail = false;
    this.functionAt = -1;
    this.wait = 0;
    this.weight = 1;
    this.toll = 0;
    this.grows = -1;
    this.ends = false;
    this.branches = 0;
    const start = this.at;
    const opcode = this.byte();
    if (opcode >= 0x45 && opcode <= 0xc4) return opcode;
    switch (opcode) {
      case 0x20: // local.get and so on
      case 0x21:
      case 0x22:
      case 0x23:
      case 0x24:
      case CONSTANT:
      case 0x42:
      case CATCH:
      case DELEGATE:
      case 0x3f: // memory.size
        this.#leb();
        return opcode;
      case 0x25: // table.get
      case 0x26: // table.set
        this.weight = SLOW;
        this.#leb();
        return opcode;
      case 0x08: // throw
      case 0x09: // rethrow
        this.toll = THROWS;
        this.ends = true;
        this.#leb();
        return opcode;
      case 0x0c: // br
        this.ends = true;
        this.#branch(1);
        return opcode;
      case 0x0d: // br_if
      case 0xd5: // br_on_null
      case 0xd6:
        this.#branch(1);
        return opcode;
      case 0x40: // memory.grow
        this.bulk = GROWTH;
        this.grows = Kind.MEMORY;
        this.memory = this.number();
        return opcode;
      case 0x0a: // throw_ref
        this.toll = THROWS;
        this.ends = true;
        return opcode;
      case 0x00: // unreachable
      case 0x0f: // return
        this.ends = true;
        return opcode;
      case 0x01:
      case ELSE:
      case END:
      case CATCH_ALL:
      case 0x1a: // drop
      case 0x1b: // select
      case 0xd1: // ref.is_null
      case 0xd3:
      case 0xd4:
        return opcode;
      case BLOCK:
      case LOOP:
      case IF:
      case TRY:
        this.passType();
        return opcode;
      case CALL:
      case RETURN_CALL:
      case REF_FUNC:
        this.calls = opcode !== REF_FUNC;
        this.tail = this.ends = opcode === RETURN_CALL;
        this.functionAt = this.at;
        this.#leb();
        return opcode;
      case 0x11: // call_indirect
      case 0x13:
        this.calls = true;
        this.tail = this.ends = opcode === 0x13;
        this.#lebs(2);
        return opcode;
      case 0x14: // call_ref
      case 0x15:
        this.calls = true;
        this.tail = this.ends = opcode === 0x15;
        this.#leb();
        return opcode;
      case 0x0e: // br_table
        this.ends = true;
        this.#branch(this.number() + 1);
        return opcode;
      case 0x1c: // select with types
        for (let count = this.number(); count > 0; count--) this.passType();
        return opcode;
      case TRY_TABLE:
        this.passType();
        for (let count = this.number(); count > 0; count--) this.#lebs(this.byte() < 2 ? 2 : 1);
        return opcode;
      case 0x43: // f32.const
        this.at += 4;
        return opcode;
      case 0x44:
        this.at += 8;
        return opcode;
      case 0xd0: // ref.null
        this.passType();
        return opcode;
      case PREFIX_GC:
        this.#gc(start);
        return opcode;
      case PREFIX_BULK:
        this.#bulk(start);
        return opcode;
      case PREFIX_SIMD:
        this.#simd(start);
        return opcode;
      case PREFIX_ATOMIC:
        this.#atomic(start);
        return opcode;
    }
    if (opcode >= 0x28 && opcode <= 0x3e) {
      this.#memarg();
      return opcode;
    }
    return unknown(`an instruction 0x${opcode.toString(16)}`, start);
  }

  /** Passes over an expression that is constant. */
  passConstant(): void {
    while (this.next() !== END);
  }

  #gc(start: number): void {
    const opcode = this.number();
    // array.new, array.fill, array.copy, array.init_*
    const long = (opcode >= 6 && opcode <= 10 && opcode !== 8) || (opcode >= 16 && opcode <= 19);
    this.bulk = long ? LENGTH : 0;
    this.shift = ARRAY_SHIFT;
    this.narrow = true;
    this.weight = opcode <= 1 || opcode === 8 ? ALLOCATES : 1;
    if (opcode <= 1 || opcode === 6 || opcode === 7 || (opcode >= 11 && opcode <= 14)) this.#leb();
    else if (opcode === 16) this.#leb();
    else if (opcode <= 10 || (opcode >= 17 && opcode <= 19)) this.#lebs(2);
    else if (opcode >= 20 && opcode <= 23) this.passType();
    else if (opcode === 24 || opcode === 25) {
      this.at++;
      this.#branch(1);
      this.passType();
      this.passType();
    } else if (opcode !== 15 && !(opcode >= 26 && opcode <= 30)) {
      unknown(`an instruction 0xfb ${opcode}`, start);
    }
  }

  #bulk(start: number): void {
    const opcode = this.number();
    if (opcode < 8 || (opcode >= 19 && opcode <= 22)) return;
    if (opcode > 17) unknown(`an instruction 0xfc ${opcode}`, start);
    const plain = opcode === 9 || opcode === 13 || opcode === 16;
    this.bulk = plain ? 0 : opcode === 15 ? GROWTH : LENGTH; // 15 is table.grow
    this.shift = opcode < 12 ? MEMORY_SHIFT : 0;
    this.narrow = opcode === 8 || opcode === 12;
    if (!plain) this.weight = SLOW;
    if (opcode === 15) {
      this.grows = Kind.TABLE;
      this.memory = this.number();
    } else this.#lebs(opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14 ? 2 : 1);
  }

  #simd(start: number): void {
    const opcode = this.number();
    if (opcode <= 11 || opcode === 92 || opcode === 93) this.#memarg();
    else if (opcode === 12 || opcode === 13) this.at += 16;
    else if (opcode >= 21 && opcode <= 34) this.at++;
    else if (opcode >= 84 && opcode <= 91) {
      this.#memarg();
      this.at++;
    } else if (opcode > 275) unknown(`an instruction 0xfd ${opcode}`, start);
  }

  #atomic(start: number): void {
    const opcode = this.number();
    if (opcode === 3) {
      this.at++;
      return;
    }
    if (opcode > 0x4e) unknown(`an instruction 0xfe ${opcode}`, start);
    this.#memarg();
    if (opcode <= 2) this.weight = SLOW;
    if (opcode === 1 || opcode === 2) this.wait = opcode;
  }
}
