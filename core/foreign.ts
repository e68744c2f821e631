/**
 * The C functions that are called, and what an adapter must supply to call them.
 *
 * One table of signatures serves every runtime; an adapter turns it into its own words and opens
 * the library. Sizes are given as 32 bits: they are small, and 64-bit arguments cost a BigInt on
 * Node.
 *
 * @module
 */
/** Types of the signatures: an address, and whole numbers. */
export type CType = "i32" | "u32" | "i64" | "ptr";

/** Parameters and result of a C function. */
export type CSignature = readonly [parameters: readonly CType[], result: "i32" | "i64" | "ptr"];

/** The C functions, by name. */
export const signatures: Readonly<Record<string, CSignature>> = {
  __errno_location: [[], "ptr"],
  accept4: [["i32", "ptr", "ptr", "i32"], "i32"],
  bind: [["i32", "ptr", "u32"], "i32"],
  close: [["i32"], "i32"],
  clock_gettime: [["i32", "ptr"], "i32"],
  fcntl: [["i32", "i32", "i32"], "i32"],
  fdatasync: [["i32"], "i32"],
  fsync: [["i32"], "i32"],
  ftruncate: [["i32", "i64"], "i32"],
  futimens: [["i32", "ptr"], "i32"],
  getsockname: [["i32", "ptr", "ptr"], "i32"],
  getsockopt: [["i32", "i32", "i32", "ptr", "ptr"], "i32"],
  ioctl: [["i32", "u32", "ptr"], "i32"],
  isatty: [["i32"], "i32"],
  linkat: [["i32", "ptr", "i32", "ptr", "i32"], "i32"],
  listen: [["i32", "i32"], "i32"],
  lseek: [["i32", "i64", "i32"], "i64"],
  mkdirat: [["i32", "ptr", "u32"], "i32"],
  openat: [["i32", "ptr", "i32", "u32"], "i32"],
  posix_fadvise: [["i32", "i64", "i64", "i32"], "i32"],
  posix_fallocate: [["i32", "i64", "i64"], "i32"],
  ppoll: [["ptr", "u32", "ptr", "ptr"], "i32"],
  pread: [["i32", "ptr", "u32", "i64"], "i32"],
  pwrite: [["i32", "ptr", "u32", "i64"], "i32"],
  read: [["i32", "ptr", "u32"], "i32"],
  readlinkat: [["i32", "ptr", "ptr", "u32"], "i32"],
  recv: [["i32", "ptr", "u32", "i32"], "i32"],
  renameat: [["i32", "ptr", "i32", "ptr"], "i32"],
  send: [["i32", "ptr", "u32", "i32"], "i32"],
  setsockopt: [["i32", "i32", "i32", "ptr", "u32"], "i32"],
  shutdown: [["i32", "i32"], "i32"],
  socket: [["i32", "i32", "i32"], "i32"],
  statx: [["i32", "ptr", "i32", "u32", "ptr"], "i32"],
  symlinkat: [["ptr", "i32", "ptr"], "i32"],
  // openat2
  syscall: [["u32", "i32", "ptr", "ptr", "u32"], "i32"],
  unlinkat: [["i32", "ptr", "i32"], "i32"],
  utimensat: [["i32", "ptr", "ptr", "i32"], "i32"],
  write: [["i32", "ptr", "u32"], "i32"],
};

/** Functions once more with other types, by the name they are called by here. */
export const variants: Readonly<Record<string, readonly [symbol: string, ...CSignature]>> = {
  getdents64: ["syscall", ["u32", "i32", "ptr", "u32"], "i32"],
  // offsets below 2 ** 32 are twice as fast as 64-bit ones
  pread32: ["pread", ["i32", "ptr", "u32", "u32"], "i32"],
  pwrite32: ["pwrite", ["i32", "ptr", "u32", "u32"], "i32"],
};

/** C functions that not every libc has. */
export const optionalSignatures: Readonly<Record<string, CSignature>> = {
  getrandom: [["ptr", "u32", "u32"], "i32"],
  fstat: [["i32", "ptr"], "i32"],
};

/** The functions of a system. */
export interface Tables {
  /** The one that is opened first: it tells that the library is there. On POSIX, where errno is. */
  readonly first: string;
  readonly signatures: typeof signatures;
  readonly variants: typeof variants;
  readonly optionalSignatures: typeof optionalSignatures;
}

/** Linux's. */
export const linuxTables: Tables = {
  first: "__errno_location",
  signatures,
  variants,
  optionalSignatures,
};

/** Functions that macOS has with the same types. */
const SHARED: readonly string[] = [
  "bind",
  "close",
  "clock_gettime",
  "fsync",
  "ftruncate",
  "futimens",
  "getsockname",
  "getsockopt",
  "isatty",
  "linkat",
  "listen",
  "lseek",
  "mkdirat",
  "openat",
  "pread",
  "pwrite",
  "read",
  "readlinkat",
  "recv",
  "renameat",
  "send",
  "setsockopt",
  "shutdown",
  "socket",
  "symlinkat",
  "unlinkat",
  "utimensat",
  "write",
];

/**
 * macOS'. On Apple's arm64 a variadic argument goes on the stack even if registers are free, so
 * the variants for it fill the registers, of which there are eight, with arguments that nobody
 * reads ("Writing ARM64 code for Apple platforms"). On x86-64 it is an argument like any other,
 * but `struct stat` with 64-bit inode numbers has names of its own (bsd/sys/cdefs.h:
 * __DARWIN_SUF_64_BIT_INO_T). Each is opened only when it is called.
 */
export const darwinTables: Tables = {
  first: "__error",
  signatures: {
    ...Object.fromEntries(SHARED.map((name) => [name, signatures[name]!])),
    __error: [[], "ptr"],
    __getdirentries64: [["i32", "ptr", "u32", "ptr"], "i32"],
    accept: [["i32", "ptr", "ptr"], "i32"],
    fcntl: [["i32", "i32", "i64"], "i32"],
    fstat: [["i32", "ptr"], "i32"],
    fstatat: [["i32", "ptr", "ptr", "i32"], "i32"],
    ioctl: [["i32", "i64", "ptr"], "i32"],
    poll: [["ptr", "u32", "i32"], "i32"],
  },
  variants: {
    fcntl_pointer: ["fcntl", ["i32", "i32", "ptr"], "i32"],
    fcntl_pointer_stack: ["fcntl", ["i32", "i32", ...fill(6), "ptr"], "i32"],
    fcntl_stack: ["fcntl", ["i32", "i32", ...fill(6), "i64"], "i32"],
    fstat_inode64: ["fstat$INODE64", ["i32", "ptr"], "i32"],
    fstatat_inode64: ["fstatat$INODE64", ["i32", "ptr", "ptr", "i32"], "i32"],
    ioctl_stack: ["ioctl", ["i32", "i64", ...fill(6), "ptr"], "i32"],
    openat_stack: ["openat", ["i32", "ptr", "i32", ...fill(5), "u32"], "i32"],
  },
  optionalSignatures: {},
};

/** Arguments that fill registers. */
function fill(count: number): CType[] {
  return new Array<CType>(count).fill("i32");
}

/**
 * All functions, each opened when it is first called: most guests need few of them. `open` gives
 * the functions of a table and throws if one is missing; that the library is there at all is found
 * out here, by opening one.
 */
export function openSymbols(
  open: (table: Readonly<Record<string, CSignature>>) => Readonly<Record<string, CFunction>>,
  tables: Tables,
): Record<string, CFunction> {
  const { first, signatures, variants, optionalSignatures } = tables;
  const symbols: Record<string, CFunction> = { ...open(pick(signatures, first)) };
  const later = (name: string, symbol: string, signature: CSignature): void => {
    symbols[name] = (...parameters) => {
      symbols[name] = open({ [symbol]: signature })[symbol]!;
      return symbols[name](...parameters);
    };
  };
  for (const [name, signature] of Object.entries(signatures)) {
    if (!Object.hasOwn(symbols, name)) later(name, name, signature);
  }
  for (const [name, [symbol, ...signature]] of Object.entries(variants)) {
    later(name, symbol, signature);
  }
  try {
    Object.assign(symbols, open(optionalSignatures));
  } catch {
    // an older libc
  }
  return symbols;
}

function pick(
  table: Readonly<Record<string, CSignature>>,
  name: string,
): Record<string, CSignature> {
  return { [name]: table[name]! };
}

const libraries: unknown[] = [];

/** Keeps an opened library for as long as the process lives: its functions are called that long. */
export function kept<L>(library: L): L {
  libraries.push(library);
  return library;
}

/** An address, in whatever type a runtime wants it; null is the null pointer everywhere. */
export type Pointer = number | bigint | Uint8Array | null;

/** A C function as called from JavaScript. */
// deno-lint-ignore no-explicit-any
export type CFunction = (...parameters: any[]) => any;

/** What an adapter supplies: the library opened, and ways to name memory. */
export interface Foreign {
  readonly symbols: Readonly<Record<string, CFunction>>;
  /**
   * The address of a byte of an array. What it gives for memory that does not move may be kept;
   * for other memory it is good until the guest runs again.
   */
  pointer(bytes: Uint8Array, offset: number): Pointer;
  /** The address of an array's first byte as a number, for records that hold addresses. */
  address(bytes: Uint8Array): bigint;
  /** A 64-bit argument. */
  long(value: number): number | bigint;
  /** The 32-bit number that `__errno_location` (macOS: `__error`) points at. */
  errnoView(pointer: unknown): Int32Array;
}

/** A system's library: what it is called and what is called in it. */
export interface Library {
  /** Names that it goes by, the likeliest first. */
  readonly names: readonly string[];
  readonly tables: Tables;
}

/** Linux' libc: glibc's, or musl's. */
export const linuxLibrary: Library = {
  names: ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  tables: linuxTables,
};

/**
 * macOS' libc, by its one whole path: there a bare name is looked for in the current directory as
 * well, where a guest may be able to write.
 */
export const darwinLibrary: Library = {
  names: ["/usr/lib/libSystem.B.dylib"],
  tables: darwinTables,
};

/**
 * Opens the first of a library's names that is there; undefined if none is, or permission is
 * refused. `open` opens one name, and throws.
 */
export function openLibrary(
  { names, tables }: Library,
  open: (name: string, tables: Tables) => Foreign,
): Foreign | undefined {
  for (const name of names) {
    try {
      return open(name, tables);
    } catch {
      // the next name
    }
  }
  return undefined;
}
