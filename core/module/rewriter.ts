/**
 * Copies the parts of a module that have numbers of functions in them, and puts checks between
 * instructions.
 *
 * @module
 */
import { CALL, END, Instructions, LENGTH, LOOP } from "./instructions.ts";
import { ByteWriter } from "./writer.ts";

/** Instructions in a row after which there is another check. */
const STRAIGHT_MAX = 1024;
/** What a call counts as: that of a function too small for a check of its own. */
const CALL_WEIGHT = 32;
/** Bytes or elements that are moved in no time. */
const LONG = 4096;
/** A function that calls nothing and has no loop gets no check if it has no more instructions. */
const SMALL = 32;

/** Types of values, as bytes. */
export const I32 = 0x7f;
export const I64 = 0x7e;

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
  /** of the countdown */
  readonly global: number;
  /** whether waits become calls */
  readonly waits: boolean;
  /** where there are checks */
  readonly checks: Checks;
  /** whether lengths may have 64 bits */
  readonly wide: boolean;
}

/** What there is in a function. */
interface Survey {
  /** it is over soon, whatever it does */
  small: boolean;
  /** it has an instruction that takes as long as it is told */
  long: boolean;
}

/** Writes what is between two edits as it is. */
export class Rewriter {
  readonly out: ByteWriter;
  readonly reader: Instructions;
  readonly #numbers: Numbers;
  readonly #check: Uint8Array;
  readonly #long: Uint8Array;
  #copied = 0;

  constructor(bytes: Uint8Array, at: number, out: ByteWriter, numbers: Numbers) {
    this.reader = new Instructions(bytes, at);
    this.out = out;
    this.#numbers = numbers;
    this.#copied = at;
    this.#check = checkCode(numbers);
    this.#long = longCode(numbers);
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
    this.functionNumber();
  }

  /** The body of a function with so many parameters, without its length. */
  body(end: number, parameters: number): void {
    const { reader } = this;
    const { checks } = this.#numbers;
    const groupsAt = reader.at;
    const groups = reader.number();
    const afterCount = reader.at;
    let locals = parameters;
    for (let group = 0; group < groups; group++) {
      locals += reader.number();
      reader.passType();
    }
    const { small, long } = this.#survey(end);
    if (long) {
      // one more, which holds a length
      this.flush(groupsAt);
      this.out.number(groups + 1);
      this.#copied = afterCount;
      this.flush();
      this.out.byte(1);
      this.out.byte(I32);
    }
    this.#instructions(end, checks === "loops" && !small, locals);
  }

  #instructions(end: number, loops: boolean, spare: number): void {
    const { reader } = this;
    if (loops) this.#insert(this.#check);
    let straight = 0;
    while (reader.at < end) {
      const start = reader.at;
      const opcode = reader.next();
      if (reader.tail && this.#numbers.checks === "long") this.#checkTail(start);
      if (reader.wait !== 0 && this.#numbers.waits) this.#wait(start);
      else if (reader.bulk !== 0) this.#checkLong(start, spare);
      else if (reader.functionAt >= 0) this.#moved();
      straight += reader.calls ? CALL_WEIGHT : 1;
      if (loops && (opcode === LOOP || (straight > STRAIGHT_MAX && reader.at < end))) {
        this.#insert(this.#check);
        straight = 0;
      }
    }
    if (reader.at !== end) misread(reader.at);
    this.flush();
  }

  /**
   * Before what may take long:
   * `(if (i32.gt_u (local.tee $spare) (i32.const LONG)) (then ...))`
   */
  #checkLong(start: number, spare: number): void {
    const { out } = this;
    this.flush(start);
    if (!this.#known()) return out.bytes(this.#long, 0);
    out.byte(0x22);
    out.number(spare);
    out.byte(0x20);
    out.number(spare);
    out.byte(0x41);
    out.signed(LONG);
    out.byte(0x4b);
    out.byte(0x04);
    out.byte(0x40);
    out.bytes(this.#long, 0);
    out.byte(END);
  }

  /** Before a call instead of a return: V8 cannot end a loop of these. */
  #checkTail(start: number): void {
    this.flush(start);
    this.out.bytes(this.#check, 0);
  }

  /** Whether the last instruction has a length of 32 bits on the stack. */
  #known(): boolean {
    return this.reader.bulk === LENGTH && !this.#numbers.wide;
  }

  #insert(code: Uint8Array): void {
    this.flush();
    this.out.bytes(code, 0);
  }

  /** A wait as a call, with the offset as its last parameter. */
  #wait(start: number): void {
    const { reader, out } = this;
    this.flush(start);
    out.byte(0x41);
    out.signed(reader.waitOffset | 0);
    out.byte(CALL);
    out.number(this.#numbers.firstMoved + reader.wait);
    this.restart(reader.at);
  }

  /** Reads the rest of a function and comes back. */
  #survey(end: number): Survey {
    const { reader } = this;
    const start = reader.at;
    let small = true;
    let long = false;
    let count = 0;
    while (reader.at < end) {
      const opcode = reader.next();
      if (++count > SMALL || opcode === LOOP || reader.calls || reader.bulk !== 0) small = false;
      if (reader.wait !== 0 && this.#numbers.waits) small = false;
      if (this.#known()) long = true;
    }
    reader.at = start;
    return { small, long };
  }
}

/**
 * ```wat
 * (if (i32.eqz (global.get $left)) (then (global.set $left (call $check))))
 * (global.set $left (i32.sub (global.get $left) (i32.const 1)))
 * ```
 */
function checkCode({ global, firstMoved }: Numbers): Uint8Array {
  const code = new ByteWriter(32);
  code.byte(0x23);
  code.number(global);
  code.byte(0x45);
  code.byte(0x04);
  code.byte(0x40);
  code.byte(CALL);
  code.number(firstMoved);
  code.byte(0x24);
  code.number(global);
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

/**
 * Before what takes long: `(drop (call $check))`, or, where there are other checks,
 * `(global.set $left (call $check))`.
 */
function longCode({ global, firstMoved, checks }: Numbers): Uint8Array {
  const code = new ByteWriter(8);
  code.byte(CALL);
  code.number(firstMoved);
  if (checks === "long") code.byte(0x1a);
  else {
    code.byte(0x24);
    code.number(global);
  }
  return code.done();
}
