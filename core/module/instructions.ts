/**
 * Where each instruction of WebAssembly begins and ends.
 *
 * Source: https://webassembly.github.io/spec/core/binary/instructions.html, and the proposals for
 * threads, exceptions, garbage collection, wide arithmetic and relaxed SIMD.
 *
 * @module
 */
import { Reader, unknown } from "./reader.ts";

export const LOOP = 0x03;
export const CALL = 0x10;
const RETURN_CALL = 0x12;
const REF_FUNC = 0xd2;
export const END = 0x0b;
const PREFIX_GC = 0xfb;
const PREFIX_BULK = 0xfc;
const PREFIX_SIMD = 0xfd;
const PREFIX_ATOMIC = 0xfe;

/** Kinds of instructions that may take long. */
export const LENGTH = 1;
export const GROWTH = 2;

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
  /** Whether it calls another function. */
  calls = false;
  /** Whether it does so instead of returning. */
  tail = false;
  /** Where the number of a function begins in it, or -1. */
  functionAt = -1;
  /** 1 for a wait for 32 bits, 2 for 64, or 0. */
  wait = 0;
  /** The offset that is part of the wait. */
  waitOffset = 0;

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

  /** Passes over where in a memory; gives the offset, if it can be kept with a wait. */
  #memarg(): number {
    const flags = this.number();
    const other = flags >= 64;
    if (other) this.#leb();
    const offset = this.number();
    return other ? -1 : offset;
  }

  /** Passes over an instruction and returns its first byte. */
  next(): number {
    this.bulk = 0;
    this.calls = false;
    this.tail = false;
    this.functionAt = -1;
    this.wait = 0;
    const start = this.at;
    const opcode = this.byte();
    if (opcode >= 0x45 && opcode <= 0xc4) return opcode;
    switch (opcode) {
      case 0x20: // local.get and so on
      case 0x21:
      case 0x22:
      case 0x23:
      case 0x24:
      case 0x25: // table.get
      case 0x26:
      case 0x41: // i32.const
      case 0x42:
      case 0x0c: // br
      case 0x0d:
      case 0x07: // catch
      case 0x08: // throw
      case 0x09: // rethrow
      case 0x18: // delegate
      case 0x3f: // memory.size
      case 0xd5: // br_on_null
      case 0xd6:
        this.#leb();
        return opcode;
      case 0x40: // memory.grow
        this.bulk = GROWTH;
        this.#leb();
        return opcode;
      case 0x00: // unreachable
      case 0x01:
      case 0x05: // else
      case END:
      case 0x0a: // throw_ref
      case 0x0f: // return
      case 0x19: // catch_all
      case 0x1a: // drop
      case 0x1b: // select
      case 0xd1: // ref.is_null
      case 0xd3:
      case 0xd4:
        return opcode;
      case 0x02: // block
      case LOOP:
      case 0x04: // if
      case 0x06: // try
        this.passType();
        return opcode;
      case CALL:
      case RETURN_CALL:
      case REF_FUNC:
        this.calls = opcode !== REF_FUNC;
        this.tail = opcode === RETURN_CALL;
        this.functionAt = this.at;
        this.#leb();
        return opcode;
      case 0x11: // call_indirect
      case 0x13:
        this.calls = true;
        this.tail = opcode === 0x13;
        this.#lebs(2);
        return opcode;
      case 0x14: // call_ref
      case 0x15:
        this.calls = true;
        this.tail = opcode === 0x15;
        this.#leb();
        return opcode;
      case 0x0e: // br_table
        this.#lebs(this.number() + 1);
        return opcode;
      case 0x1c: // select with types
        for (let count = this.number(); count > 0; count--) this.passType();
        return opcode;
      case 0x1f: // try_table
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
    if (opcode <= 1 || opcode === 6 || opcode === 7 || (opcode >= 11 && opcode <= 14)) this.#leb();
    else if (opcode === 16) this.#leb();
    else if (opcode <= 10 || (opcode >= 17 && opcode <= 19)) this.#lebs(2);
    else if (opcode >= 20 && opcode <= 23) this.passType();
    else if (opcode === 24 || opcode === 25) {
      this.at++;
      this.#leb();
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
    this.bulk = opcode !== 9 && opcode !== 13 && opcode !== 16 ? LENGTH : 0;
    this.#lebs(opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14 ? 2 : 1);
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
    const offset = this.#memarg();
    if ((opcode === 1 || opcode === 2) && offset >= 0 && offset < 2 ** 32) {
      this.wait = opcode;
      this.waitOffset = offset;
    }
  }
}
