/**
 * Copies the parts of a module that have numbers of functions in them, and puts checks between
 * instructions.
 *
 * @module
 */
import {
  CALL,
  CATCH,
  CATCH_ALL,
  CONSTANT,
  DELEGATE,
  ELSE,
  END,
  IF,
  Instructions,
  LENGTH,
  LOOP,
  OPENING,
} from "./instructions.ts";
import type { Limits } from "./reader.ts";
import { ByteWriter } from "./writer.ts";

/** Plain instructions that one check stands for: after so many on any path there is another. */
const STRAIGHT_MAX = 512;
/** What a call counts as: that of a function too small for a check of its own. */
const CALL_WEIGHT = 32;
/** A function that calls nothing and has no loop gets no check if it has no more instructions. */
const SMALL = 32;
/** What a call of a function of the host takes off the countdown. */
const HOST = 64;

/** Types of values, as bytes. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

/**
 * Where checks are put: at "loops", which includes functions and whatever takes long, or only at
 * instructions that take "long" and at tail calls, for engines that can end a loop unless it is
 * full of these.
 */
export type Checks = "loops" | "long";

/** Something was read as what it is not. */
export function misread(at: number): never {
  throw new RangeError(`the module has something at byte ${at} that is not known here`);
}

/** What a function is given to keep its numbers right. */
export interface Numbers {
  /** functions from this one on have moved */
  readonly firstMoved: number;
  /** by so many */
  readonly added: number;
  /** of the countdown; the next one holds a length for a moment */
  readonly global: number;
  /** all memories */
  readonly memories: readonly Limits[];
  /** where there are checks */
  readonly checks: Checks;
  /** whether lengths may have 64 bits */
  readonly wide: boolean;
  /** whether a table may have functions of the host */
  hosted: boolean;
}

/** The functions that waits become, from the check on: for memories of 32 and of 64 bits. */
const WIDE_WAITS = 2;

/** Which instructions since the last check count, at most, on any path to where one is. */
class Path {
  length = 0;
  readonly #kinds: number[] = [];
  readonly #ends: number[] = [];

  /** An instruction, which the reader has just passed. */
  pass(opcode: number, reader: Instructions): void {
    this.length += reader.calls ? CALL_WEIGHT : reader.weight;
    for (let i = 0; i < reader.branches; i++) this.#join(reader.labels[i]!);
    if (OPENING.includes(opcode)) {
      this.#kinds.push(opcode);
      this.#ends.push(opcode === IF ? this.length : 0);
    } else if (opcode === ELSE) {
      const start = this.#ends[this.#ends.length - 1] ?? 0;
      this.#join(0);
      this.length = start;
    } else if (opcode === CATCH || opcode === CATCH_ALL) {
      this.#join(0);
      this.length = 0; // what throws has counted
    } else if (opcode === END || opcode === DELEGATE) {
      this.#kinds.pop();
      this.length = Math.max(this.length, this.#ends.pop() ?? 0);
    }
    if (reader.ends) this.length = 0;
  }

  /** A branch to the end of what is so many levels around; loops have a check at their beginning. */
  #join(label: number): void {
    const at = this.#kinds.length - 1 - label;
    if (at < 0 || this.#kinds[at] === LOOP) return;
    this.#ends[at] = Math.max(this.#ends[at]!, this.length);
  }
}

/** Writes what is between two edits as it is. */
export class Rewriter {
  readonly out: ByteWriter;
  readonly reader: Instructions;
  readonly #numbers: Numbers;
  readonly #check: Uint8Array;
  readonly #ask: Uint8Array;
  #copied = 0;

  constructor(bytes: Uint8Array, at: number, out: ByteWriter, numbers: Numbers) {
    this.reader = new Instructions(bytes, at);
    this.out = out;
    this.#numbers = numbers;
    this.#copied = at;
    this.#check = checkCode(numbers);
    this.#ask = askCode(numbers);
  }

  /** One that goes on from here to another place. */
  into(out: ByteWriter): Rewriter {
    return new Rewriter(this.reader.bytes, this.reader.at, out, this.#numbers);
  }

  /** Goes on from another place. */
  restart(at: number): void {
    this.reader.at = this.#copied = at;
  }

  /** Writes what was read and not written. */
  flush(until: number = this.reader.at): void {
    if (until < this.#copied || until > this.reader.bytes.length) misread(this.#copied);
    this.out.bytes(this.reader.bytes, this.#copied, until);
    this.#copied = until;
  }

  /** Reads the number of a function, and writes it as it is now. */
  functionNumber(): void {
    this.flush();
    const number = this.reader.number();
    const { firstMoved, added } = this.#numbers;
    if (number < firstMoved) this.#numbers.hosted = true;
    this.out.number(number < firstMoved ? number : number + added);
    this.restart(this.reader.at);
  }

  /** An expression that is constant: only numbers of functions change. */
  constant(): void {
    const { reader } = this;
    while (reader.next() !== END) {
      if (reader.functionAt >= 0) this.#moved();
    }
  }

  /** Goes back to the function's number in the last instruction. */
  #moved(): void {
    const { reader } = this;
    reader.at = reader.functionAt;
    const { hosted } = this.#numbers;
    this.functionNumber();
    if (reader.calls) this.#numbers.hosted = hosted;
  }

  /** The body of a function, without its length. */
  body(end: number): void {
    const { reader } = this;
    for (let groups = reader.number(); groups > 0; groups--) {
      reader.number();
      reader.passType();
    }
    const loops = this.#numbers.checks === "loops" && !this.#small(end);
    if (loops) this.#insert(this.#check);
    const path = new Path();
    reader.constant = -1;
    while (reader.at < end) {
      path.length += reader.passPlain(STRAIGHT_MAX + 1 - path.length, end);
      const { at: start, constant } = reader;
      if (path.length <= STRAIGHT_MAX) {
        const opcode = reader.next();
        if (loops) path.pass(opcode, reader);
        this.#edit(start, loops, constant);
        reader.constant = opcode === CONSTANT ? start + 1 : -1;
        if (opcode === LOOP) path.length = STRAIGHT_MAX + 1;
      }
      if (path.length > STRAIGHT_MAX && reader.at < end) {
        if (loops) this.#insert(this.#check);
        path.length = 0;
      }
    }
    if (reader.at !== end) misread(reader.at);
    this.flush();
  }

  /** What the last instruction becomes; the one before it may have a constant at a place. */
  #edit(start: number, loops: boolean, constant: number): void {
    const { reader } = this;
    if (reader.tail && this.#numbers.checks === "long") this.#before(start, this.#check);
    if (reader.wait !== 0 && this.#numbers.memories[reader.memory]?.shared) this.#wait(start);
    else if (reader.bulk !== 0) {
      if (this.#known() && constant >= 0) this.#takeConstant(start, constant);
      else if (this.#known()) this.#takeLength(start);
      else this.#before(start, this.#ask);
    } else if (reader.toll !== 0) this.#take(start, reader.toll);
    else if (loops && this.#callsHost()) this.#take(start, HOST);
    if (reader.functionAt >= 0) this.#moved();
  }

  /** Whether the last instruction may call a function of the host. */
  #callsHost(): boolean {
    const { reader } = this;
    if (!reader.calls) return false;
    if (reader.functionAt < 0) return this.#numbers.hosted;
    const { at } = reader;
    reader.at = reader.functionAt;
    const number = reader.number();
    reader.at = at;
    return number < this.#numbers.firstMoved;
  }

  /** Before an instruction: counts so many down, and asks if that is more than was left. */
  #take(start: number, count: number): void {
    const { out } = this;
    const { global } = this.#numbers;
    this.flush(start);
    out.byte(0x23);
    out.number(global);
    out.byte(0x41);
    out.signed(count);
    out.byte(0x6b);
    this.#askBelow();
  }

  /** Before an instruction whose length is a constant, of which engines make short code. */
  #takeConstant(start: number, constant: number): void {
    const { reader } = this;
    const { at, shift } = reader;
    reader.at = constant;
    const count = reader.signed() >>> Math.max(shift, 1);
    reader.at = at;
    if (count > 0) this.#take(start, count);
  }

  /** Before an instruction that has a length on top of the stack: counts that down likewise. */
  #takeLength(start: number): void {
    const { out, reader } = this;
    const { global } = this.#numbers;
    this.flush(start);
    out.byte(0x24);
    out.number(global + 1);
    out.byte(0x23);
    out.number(global);
    out.byte(0x23);
    out.number(global + 1);
    out.byte(0x41);
    // a difference of two numbers below 2 ** 31 does not wrap around
    out.signed(Math.max(reader.shift, 1));
    out.byte(0x76);
    out.byte(0x6b);
    this.#askBelow();
    out.byte(0x23);
    out.number(global + 1);
  }

  /** `(global.set $left ...) (if (i32.lt_s (global.get $left) (i32.const 0)) (then ...))` */
  #askBelow(): void {
    const { out } = this;
    const { global } = this.#numbers;
    out.byte(0x24);
    out.number(global);
    out.byte(0x23);
    out.number(global);
    for (const byte of [0x41, 0, 0x48, 0x04, 0x40]) out.byte(byte);
    out.bytes(this.#ask, 0);
    out.byte(END);
  }

  #before(start: number, code: Uint8Array): void {
    this.flush(start);
    this.out.bytes(code, 0);
  }

  /** Whether the last instruction has a length of 32 bits on the stack. */
  #known(): boolean {
    const { reader } = this;
    return reader.bulk === LENGTH && (reader.narrow || !this.#numbers.wide);
  }

  #insert(code: Uint8Array): void {
    this.flush();
    this.out.bytes(code, 0);
  }

  /** A wait as a call, with the offset and the memory as its last parameters. */
  #wait(start: number): void {
    const { reader, out } = this;
    const { memories, firstMoved } = this.#numbers;
    const { memory, offset, wait } = reader;
    this.flush(start);
    out.byte(0x44);
    out.double(offset);
    out.byte(0x41);
    out.signed(memory);
    out.byte(CALL);
    out.number(firstMoved + wait + (memories[memory]!.wide ? WIDE_WAITS : 0));
    this.restart(reader.at);
  }

  /** Reads the rest of a function and comes back: whether it is over soon, whatever it does. */
  #small(end: number): boolean {
    const { reader } = this;
    const start = reader.at;
    let weight = 0;
    while (reader.at < end && weight <= SMALL) {
      weight += reader.passPlain(SMALL + 1 - weight, end);
      if (weight > SMALL) break;
      const opcode = reader.next();
      weight += reader.weight;
      if (opcode === LOOP || reader.calls || reader.bulk + reader.toll + reader.wait !== 0) {
        weight = Infinity;
      }
    }
    reader.at = start;
    return weight <= SMALL;
  }
}

/**
 * ```wat
 * (if (i32.eqz (global.get $left)) (then (global.set $left (call $check))))
 * (global.set $left (i32.sub (global.get $left) (i32.const 1)))
 * ```
 */
function checkCode(numbers: Numbers): Uint8Array {
  const { global } = numbers;
  const code = new ByteWriter(32);
  code.byte(0x23);
  code.number(global);
  code.byte(0x45);
  code.byte(0x04);
  code.byte(0x40);
  code.bytes(askCode(numbers), 0);
  code.byte(END);
  code.byte(0x23);
  code.number(global);
  code.byte(0x41);
  code.byte(1);
  code.byte(0x6b);
  code.byte(0x24);
  code.number(global);
  return code.done();
}

/** `(global.set $left (call $check))` */
function askCode({ global, firstMoved }: Numbers): Uint8Array {
  const code = new ByteWriter(16);
  code.byte(CALL);
  code.number(firstMoved);
  code.byte(0x24);
  code.number(global);
  return code.done();
}
