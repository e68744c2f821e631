/**
 * A copy of a module that can be ended from outside, for engines that cannot end a loop: every
 * function and every loop begins with a check that counts down and calls its host now and then,
 * and what waits for another thread asks its host to wait.
 *
 * What is added stands at the end of its kind (one type, some imported functions, one global), so
 * that of all numbers in a module only those of functions move.
 *
 * @module
 */
import { ByteWriter } from "./byte_writer.ts";
import { CALL, END, Instructions, LENGTH, LOOP, unknown } from "./instructions.ts";
import { importedMemory, Reader } from "./module.ts";

/** Where the added functions are imported from. */
export const HOOKS = "@x/wasi";

/** Checks go by without a call to the host, so many at most. */
export const INTERVAL = 4096;

/** Instructions in a row after which there is another check. */
const STRAIGHT_MAX = 1024;
/** What a call counts as: that of a function too small for a check of its own. */
const CALL_WEIGHT = 32;
/** Bytes or elements that are moved in no time. */
const LONG = 4096;
/** A function that calls nothing and has no loop gets no check if it has no more instructions. */
const SMALL = 32;

const HEADER = 8;
const Section = {
  CUSTOM: 0,
  TYPE: 1,
  IMPORT: 2,
  TABLE: 4,
  TAG: 13,
  GLOBAL: 6,
  EXPORT: 7,
  START: 8,
  ELEMENT: 9,
  CODE: 10,
  DATA: 11,
  FUNCTION: 3,
  MEMORY: 5,
} as const;
/** Sections in the order that they must have. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION = 0;
const GLOBAL = 3;

/**
 * Where checks are put: at "loops", which includes functions and whatever takes long, or only at
 * instructions that take "long", for engines that can end a loop unless it is full of these.
 */
export type Checks = "loops" | "long";

/** Something was read as what it is not. */
function misread(at: number): never {
  throw new RangeError(`the module has something at byte ${at} that is not known here`);
}

/** What a function is given to keep its numbers right. */
interface Numbers {
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
class Rewriter {
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
      reader.type();
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

/** How many parameters the types of a section have; each member of a group is one. */
function parametersOf(reader: Instructions): number[] {
  const types: number[] = [];
  for (let groups = reader.number(); groups > 0; groups--) {
    let members = 1;
    if (reader.bytes[reader.at] === 0x4e) {
      reader.at++;
      members = reader.number();
    }
    for (; members > 0; members--) types.push(passType(reader));
  }
  return types;
}

/** Passes over a type; returns how many parameters it has. */
function passType(reader: Instructions): number {
  let start = reader.at;
  let form = reader.byte();
  if (form === 0x50 || form === 0x4f) { // with supertypes
    for (let count = reader.number(); count > 0; count--) reader.number();
    start = reader.at;
    form = reader.byte();
  }
  if (form === 0x60) {
    const parameters = passTypes(reader);
    passTypes(reader);
    return parameters;
  }
  if (form === 0x5f) {
    for (let count = reader.number(); count > 0; count--) passField(reader);
  } else if (form === 0x5e) passField(reader);
  else unknown(`a type 0x${form.toString(16)}`, start);
  return 0;
}

/** Passes over a list of types; returns how many. */
function passTypes(reader: Instructions): number {
  const count = reader.number();
  for (let i = 0; i < count; i++) reader.type();
  return count;
}

function passField(reader: Instructions): void {
  reader.type();
  reader.byte();
}

/** What a module imports, as far as it matters here. */
interface Imports {
  readonly functions: number;
  readonly globals: number;
  /** whether a memory or a table has addresses of 64 bits */
  readonly wide: boolean;
}

/** Passes over the imports of a section and counts them. */
function countImports(reader: Instructions): Imports {
  let functions = 0;
  let globals = 0;
  let wide = false;
  for (let count = reader.number(); count > 0; count--) {
    passName(reader);
    passName(reader);
    const start = reader.at;
    const kind = reader.byte();
    if (kind === FUNCTION) {
      reader.number();
      functions++;
    } else if (kind === 1) {
      reader.type();
      wide = passLimits(reader) || wide;
    } else if (kind === 2) wide = passLimits(reader) || wide;
    else if (kind === GLOBAL) {
      passField(reader);
      globals++;
    } else if (kind === 4) {
      reader.byte();
      reader.number();
    } else unknown(`an import of kind ${kind}`, start);
  }
  return { functions, globals, wide };
}

function passName(reader: Reader): void {
  reader.pass(reader.number());
}

/** Passes over limits; returns whether they are of 64 bits. */
function passLimits(reader: Reader): boolean {
  const flags = reader.number();
  reader.number();
  if ((flags & 1) !== 0) reader.number();
  if ((flags & 8) !== 0) reader.number();
  return (flags & 4) !== 0;
}

/** Whether a section of memories or tables has one with addresses of 64 bits. */
function anyWide(reader: Instructions, isTables: boolean): boolean {
  let wide = false;
  for (let count = reader.number(); count > 0; count--) {
    const initialised = isTables && reader.bytes[reader.at] === 0x40;
    if (initialised) reader.at += 2;
    if (isTables) reader.type();
    wide = passLimits(reader) || wide;
    if (initialised) { while (reader.next() !== END); }
  }
  return wide;
}

/** The segments of tables, with numbers of functions or with expressions. */
function elements(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    const start = reader.at;
    const flags = reader.number();
    if (flags > 7) unknown(`a segment of kind ${flags}`, start);
    if ((flags & 1) === 0) {
      if ((flags & 2) !== 0) reader.number();
      rewriter.constant();
    }
    const expressions = (flags & 4) !== 0;
    if ((flags & 3) !== 0) {
      if (expressions) reader.type();
      else reader.byte();
    }
    for (let items = reader.number(); items > 0; items--) {
      if (expressions) rewriter.constant();
      else rewriter.functionNumber();
    }
  }
}

function tables(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    const initialised = reader.bytes[reader.at] === 0x40;
    if (initialised) reader.at += 2;
    reader.type();
    passLimits(reader);
    if (initialised) rewriter.constant();
  }
}

/** Initial values, of which the count is passed already. */
function globals(rewriter: Rewriter, end: number): void {
  while (rewriter.reader.at < end) {
    passField(rewriter.reader);
    rewriter.constant();
  }
}

function exported(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    passName(reader);
    if (reader.byte() === FUNCTION) rewriter.functionNumber();
    else reader.number();
  }
}

function data(rewriter: Rewriter): void {
  const { reader } = rewriter;
  for (let count = reader.number(); count > 0; count--) {
    const flags = reader.number();
    if (flags === 2) reader.number();
    if (flags !== 1) rewriter.constant();
    passName(reader); // bytes, with their length before them
  }
}

/** The names of functions, which moved with them. Other kinds of names are left out. */
function functionNames(rewriter: Rewriter, end: number): void {
  const { reader, out } = rewriter;
  while (reader.at < end) {
    const kind = reader.byte();
    const until = reader.number() + reader.at;
    if (!(until <= end)) misread(reader.at);
    if (kind === 1) {
      const part = new ByteWriter(until - reader.at + 1024);
      const inner = rewriter.into(part);
      for (let count = inner.reader.number(); count > 0; count--) {
        inner.functionNumber();
        passName(inner.reader);
      }
      inner.flush(until);
      out.byte(1);
      out.block(part);
    }
    reader.at = until;
  }
}

/** The functions; `parameters` has how many each takes. */
function code(rewriter: Rewriter, parameters: readonly number[]): void {
  const { reader, out } = rewriter;
  const count = reader.number();
  rewriter.flush();
  const body = new ByteWriter(65536);
  const inner = rewriter.into(body);
  for (let i = 0; i < count; i++) {
    const end = reader.number() + reader.at;
    body.clear();
    inner.restart(reader.at);
    inner.body(end, parameters[i] ?? 0);
    out.block(body);
    rewriter.restart(end);
  }
}

/** The types of the functions that are added: of the check, of the two waits. */
function addedTypes(waits: boolean): ByteWriter {
  const types = new ByteWriter(64);
  const type = (parameters: number[]): void => {
    types.byte(0x60);
    types.number(parameters.length);
    for (const parameter of parameters) types.byte(parameter);
    types.number(1);
    types.byte(I32);
  };
  type([]);
  if (waits) {
    type([I32, I32, I64, I32]);
    type([I32, I64, I64, I32]);
  }
  return types;
}

const NAMES: readonly string[] = ["check", "wait32", "wait64"];

function addedImports(added: number, firstType: number): ByteWriter {
  const imports = new ByteWriter(64);
  for (let i = 0; i < added; i++) {
    imports.text(HOOKS);
    imports.text(NAMES[i]!);
    imports.byte(FUNCTION);
    imports.number(firstType + i);
  }
  return imports;
}

/** `(global (mut i32) (i32.const 0))`: the first check calls. */
function addedGlobal(): ByteWriter {
  const global = new ByteWriter(8);
  for (const byte of [I32, 1, 0x41, 0, END]) global.byte(byte);
  return global;
}

/** Where a section's content begins and ends. */
interface Place {
  start: number;
  end: number;
}

/** The sections by their number. Of custom ones the names of functions are kept. */
function placesOf(bytes: Uint8Array): { places: Map<number, Place>; names: Place | undefined } {
  const places = new Map<number, Place>();
  let nameSection: Place | undefined;
  const reader = new Reader(bytes, HEADER);
  while (reader.at < bytes.length) {
    const at = reader.at;
    const id = reader.byte();
    const end = reader.number() + reader.at;
    const start = reader.at;
    if (id === Section.CUSTOM) {
      const length = reader.number();
      const name = String.fromCharCode(
        ...bytes.subarray(reader.at, reader.at + Math.min(length, 8)),
      );
      if (length === 4 && name === "name") nameSection ??= { start: reader.at + 4, end };
    } else if (!ORDER.includes(id)) unknown(`a section of kind ${id}`, at);
    else places.set(id, { start, end });
    reader.at = end;
  }
  return { places, names: nameSection };
}

/** What rewrites the sections that hold numbers of functions. */
const REWRITE: Readonly<Record<number, (rewriter: Rewriter, end: number) => void>> = {
  [Section.GLOBAL]: globals,
  [Section.TABLE]: tables,
  [Section.EXPORT]: exported,
  [Section.START]: (rewriter) => rewriter.functionNumber(),
  [Section.ELEMENT]: elements,
  [Section.DATA]: data,
};

/** Writes the copy, section by section. */
class Copy {
  readonly #bytes: Uint8Array;
  readonly #places: ReadonlyMap<number, Place>;
  readonly #out: ByteWriter;
  readonly #types: number;
  /** of each function that the module itself has */
  readonly #parameters: readonly number[];
  readonly #numbers: Numbers;

  constructor(bytes: Uint8Array, places: ReadonlyMap<number, Place>, checks: Checks) {
    this.#bytes = bytes;
    this.#places = places;
    this.#out = new ByteWriter(bytes.length + (bytes.length >> 2) + 1024);
    const types = this.#at(Section.TYPE);
    const parameters = types === undefined ? [] : parametersOf(types);
    this.#types = parameters.length;
    const defined = this.#at(Section.FUNCTION);
    this.#parameters = defined === undefined
      ? []
      : Array.from({ length: defined.number() }, () => parameters[defined.number()] ?? 0);
    const imports = this.#at(Section.IMPORT);
    const { functions, globals, wide } = imports === undefined
      ? { functions: 0, globals: 0, wide: false }
      : countImports(imports);
    const memories = this.#at(Section.MEMORY);
    const tables = this.#at(Section.TABLE);
    const memory = importedMemory(bytes);
    const waits = memory !== undefined && memory.shared && !memory.wide;
    this.#numbers = {
      firstMoved: functions,
      added: waits ? 3 : 1,
      global: globals + (this.#at(Section.GLOBAL)?.number() ?? 0),
      waits,
      checks,
      wide: wide || (memories !== undefined && anyWide(memories, false)) ||
        (tables !== undefined && anyWide(tables, true)),
    };
  }

  #at(id: number): Instructions | undefined {
    const place = this.#places.get(id);
    return place && new Instructions(this.#bytes, place.start);
  }

  whole(names: Place | undefined): Uint8Array<ArrayBuffer> {
    this.#out.bytes(this.#bytes, 0, HEADER);
    for (const id of ORDER) this.#section(id);
    if (names !== undefined) this.#names(names);
    return this.#out.done();
  }

  /** Names that are malformed are no fault of the module: it has none then. */
  #names({ start, end }: Place): void {
    const content = new ByteWriter(end - start + 1024);
    content.text("name");
    try {
      functionNames(new Rewriter(this.#bytes, start, content, this.#numbers), end);
    } catch (error) {
      if (error instanceof RangeError) return;
      throw error;
    }
    this.#out.byte(Section.CUSTOM);
    this.#out.block(content);
  }

  #section(id: number): void {
    const { added, waits } = this.#numbers;
    const more = id === Section.TYPE
      ? addedTypes(waits)
      : id === Section.IMPORT
      ? addedImports(added, this.#types)
      : id === Section.GLOBAL
      ? addedGlobal()
      : undefined;
    const place = this.#places.get(id);
    if (place === undefined && more === undefined) return;
    const { start, end } = place ?? { start: 0, end: 0 };
    const content = new ByteWriter(end - start + 1024);
    const rewriter = new Rewriter(this.#bytes, start, content, this.#numbers);
    if (more !== undefined) {
      const before = place === undefined ? 0 : rewriter.reader.number();
      content.number(before + (id === Section.GLOBAL ? 1 : added));
      rewriter.restart(rewriter.reader.at);
    }
    if (place !== undefined) {
      if (id === Section.CODE) code(rewriter, this.#parameters);
      else REWRITE[id]?.(rewriter, end);
      rewriter.flush(end);
    }
    if (more !== undefined) content.bytes(more.done(), 0);
    this.#out.byte(id);
    this.#out.block(content);
  }
}

/**
 * Puts checks into a copy of a module. It imports `check` from {@linkcode HOOKS} then, a function
 * that is called once in at most {@linkcode INTERVAL} loops or functions and answers how many may
 * go by until the next call; what it throws ends the guest. If it imports a shared memory, also
 * `wait32` and `wait64`, which stand for `memory.atomic.wait32` and `64` and get the offset last.
 *
 * Bytes that are no valid module come back as they are, so that the copy is no more valid than they:
 * else a guest could name what is added, and set the countdown itself.
 *
 * @throws {RangeError} for what is not known here
 */
export function instrument(bytes: Uint8Array, checks: Checks): Uint8Array<ArrayBuffer> {
  if (!WebAssembly.validate(bytes as BufferSource)) return bytes.slice();
  const { places, names } = placesOf(bytes);
  return new Copy(bytes, places, checks).whole(names);
}
