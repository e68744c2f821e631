/**
 * A volume of Windows in memory, behind NT's functions: what Wine cannot show (links, junctions,
 * streams, deletion of open files) and what no system shows at will (another process between two
 * calls). Written from Microsoft's documentation and from what Wine answers, not from the code under
 * test; whatever it does not know is thrown, so that a test fails.
 */
import { NtDirectory } from "../../core/directories/nt/directory.ts";
import { Ntdll } from "../../core/directories/nt/ntdll.ts";
import type { CFunction, Foreign, Pointer } from "../../core/foreign.ts";

const S = {
  BUFFER_OVERFLOW: 0x80000005,
  NO_MORE_FILES: 0x80000006,
  INVALID_INFO_CLASS: 0xc0000003,
  INVALID_HANDLE: 0xc0000008,
  INVALID_PARAMETER: 0xc000000d,
  END_OF_FILE: 0xc0000011,
  ACCESS_DENIED: 0xc0000022,
  NAME_INVALID: 0xc0000033,
  NAME_NOT_FOUND: 0xc0000034,
  NAME_COLLISION: 0xc0000035,
  PATH_NOT_FOUND: 0xc000003a,
  DELETE_PENDING: 0xc0000056,
  PRIVILEGE_NOT_HELD: 0xc0000061,
  IS_A_DIRECTORY: 0xc00000ba,
  NOT_EMPTY: 0xc0000101,
  NOT_A_DIRECTORY: 0xc0000103,
  NOT_A_REPARSE_POINT: 0xc0000275,
  TAG_NOT_HANDLED: 0xc0000279,
  REPARSE_ENCOUNTERED: 0xc000050b,
} as const;

const SYMLINK = 0xa000000c;
const MOUNT_POINT = 0xa0000003;

const CHUNK = 4096;

/** A file's bytes; what was never written takes no memory. */
class Content {
  length = 0;
  readonly #chunks: Map<number, Uint8Array> = new Map();

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.length - position));
    for (let i = 0; i < count; i++) {
      const at = position + i;
      into[i] = this.#chunks.get(Math.floor(at / CHUNK))?.[at % CHUNK] ?? 0;
    }
    return count;
  }

  write(from: Uint8Array, position: number): void {
    for (let i = 0; i < from.length; i++) {
      const chunk = Math.floor((position + i) / CHUNK);
      if (!this.#chunks.has(chunk)) this.#chunks.set(chunk, new Uint8Array(CHUNK));
      this.#chunks.get(chunk)![(position + i) % CHUNK] = from[i]!;
    }
    if (from.length > 0) this.length = Math.max(this.length, position + from.length);
  }

  resize(size: number): void {
    for (const [chunk, bytes] of this.#chunks) {
      if (chunk * CHUNK >= size) this.#chunks.delete(chunk);
      else if ((chunk + 1) * CHUNK > size) bytes.fill(0, size - chunk * CHUNK);
    }
    this.length = size;
  }
}

/** A file or directory of the volume. */
export interface FakeNode {
  readonly id: bigint;
  /** undefined for a file */
  readonly children: Map<string, { name: string; node: FakeNode }> | undefined;
  parent: FakeNode | undefined;
  name: string;
  links: number;
  readonly content: Content;
  times: bigint[];
  /** the whole REPARSE_DATA_BUFFER of a reparse point */
  reparse: Uint8Array | undefined;
  readonly streams: Map<string, FakeNode>;
}

interface Handle {
  node: FakeNode;
  /** the name that it was opened by, which is the one that is deleted or renamed */
  readonly link: { parent: FakeNode; name: string };
  access: number;
  position: bigint;
  /** what a list has still to give */
  rest: { name: string; node: FakeNode }[] | undefined;
}

/** How a volume differs from a new one of NTFS. */
export interface FakeOptions {
  /** before Windows 10: deleting and renaming know nothing of POSIX */
  old?: boolean;
  /** making links is a privilege that this process does not have */
  unprivileged?: boolean;
}

/** A status that ends a call. */
class Failed {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

function fail(status: number): never {
  throw new Failed(status);
}

function unknown(what: string, value: number): never {
  throw new Error(`fake ntdll: ${what} 0x${value.toString(16)}`);
}

/** One volume, "C:". */
export class FakeVolume {
  readonly root: FakeNode;
  readonly foreign: Foreign;
  /** Every node that a call has opened, read, changed, made or removed, in order. */
  readonly touched: { call: string; node: FakeNode }[] = [];
  /** Every name that was handed to a call, in a directory. */
  readonly names: string[] = [];
  /** Called before each call with its number: another process at work. */
  between: (call: number) => void = () => {};
  calls = 0;
  readonly #options: FakeOptions;
  readonly #arrays: Uint8Array[] = [];
  readonly #handles: Map<number, Handle> = new Map();
  #nextHandle = 4;
  #nextId = 0x1_0000_0000_0005n;
  #clock = 133000000000000000n;
  #privilege = false;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.root = this.#node(undefined, "", true);
    this.root.parent = this.root;
    const functions: Record<string, CFunction> = {
      NtClose: (handle) => this.#handles.delete(Number(handle)) ? 0 : fail(S.INVALID_HANDLE),
      NtCreateFile: this.#create.bind(this),
      NtDuplicateObject: (from, handle, to, into, access, attributes, options) => {
        if (from !== -1 || to !== -1 || access !== 0 || attributes !== 0) unknown("duplicate", 0);
        if (options !== 2) unknown("duplicate options", options);
        const number = this.#nextHandle += 4;
        this.#handles.set(number, { ...this.#of(handle), rest: undefined });
        viewOf(into).setBigUint64(0, BigInt(number), true);
        return 0;
      },
      NtFlushBuffersFile: (handle) => {
        if (((this.#of(handle).access >>> 1) & 3) === 0) fail(S.ACCESS_DENIED);
        return 0;
      },
      NtFsControlFile: this.#control.bind(this),
      NtQueryDirectoryFile: this.#list.bind(this),
      NtQueryInformationFile: this.#query.bind(this),
      NtQueryVolumeInformationFile: (handle, status, into, length, kind) => {
        this.#of(handle);
        if (kind !== 1) unknown("volume class", kind);
        const view = viewOf(into);
        view.setUint32(8, 0xcafe, true);
        return this.#done(status, Math.min(length, 24));
      },
      NtReadFile: this.#read.bind(this),
      NtSetInformationFile: this.#set.bind(this),
      NtWriteFile: this.#write.bind(this),
      RtlAdjustPrivilege: (privilege, enable, thread, before) => {
        if (privilege !== 35 || thread !== 0) unknown("privilege", privilege);
        before[0] = this.#privilege ? 1 : 0;
        this.#privilege = enable === 1;
        return 0;
      },
    };
    const symbols = Object.fromEntries(
      Object.entries(functions).map(([name, call]) => [name, this.#guard(call)]),
    );
    this.foreign = {
      symbols,
      pointer: (bytes, offset) => bytes.subarray(offset),
      address: (bytes) => BigInt(this.#arrays.push(bytes)) << 32n,
      long: (value) => value,
      errnoView: () => new Int32Array(1),
    };
  }

  /** How many handles are open. */
  get open(): number {
    return this.#handles.size;
  }

  #guard(call: CFunction): CFunction {
    return (...parameters) => {
      this.between(this.calls++);
      try {
        return call(...parameters) | 0;
      } catch (error) {
        if (error instanceof Failed) return error.status | 0;
        throw error;
      }
    };
  }

  #node(parent: FakeNode | undefined, name: string, directory: boolean): FakeNode {
    const now = this.#clock += 10000000n;
    return {
      id: this.#nextId++,
      children: directory ? new Map() : undefined,
      parent,
      name,
      links: 1,
      content: new Content(),
      times: [now, now, now, now],
      reparse: undefined,
      streams: new Map(),
    };
  }

  /** Puts a new file or directory into the volume, as another process does. */
  add(parent: FakeNode, name: string, content?: string): FakeNode {
    const node = this.#node(parent, name, content === undefined);
    if (content !== undefined) node.content.write(new TextEncoder().encode(content), 0);
    parent.children!.set(name.toUpperCase(), { name, node });
    return node;
  }

  /** The same with a reparse point; `target` is written as it stands. */
  addLink(parent: FakeNode, name: string, tag: number, target: string, relative = false): FakeNode {
    const node = this.add(parent, name);
    node.reparse = reparseOf(tag, target, relative);
    return node;
  }

  /** Moves a node, as another process does. */
  move(node: FakeNode, parent: FakeNode, name: string): void {
    node.parent!.children!.delete(node.name.toUpperCase());
    parent.children!.set(name.toUpperCase(), { name, node });
    Object.assign(node, { parent, name });
  }

  #of(handle: number | bigint): Handle {
    return this.#handles.get(Number(handle)) ?? fail(S.INVALID_HANDLE);
  }

  #done(status: Pointer, information: number): number {
    viewOf(status).setUint32(8, information, true);
    return 0;
  }

  /** The memory at an address that a structure holds. */
  #memory(address: bigint): DataView {
    return viewOf(this.#arrays[Number(address >> 32n) - 1]!, Number(address & 0xffffffffn));
  }

  #create(
    handle: Pointer,
    access: number,
    object: Pointer,
    status: Pointer,
    allocation: Pointer,
    attributes: number,
    share: number,
    disposition: number,
    options: number,
    ea: Pointer,
    eaLength: number,
  ): number {
    if (allocation !== null || ea !== null || eaLength !== 0) unknown("extended attributes", 0);
    if (attributes !== 0x80 || share !== 7) unknown("attributes and sharing", attributes);
    const known = 1 | 2 | 0x20 | 0x40 | 0x4000 | 0x200000;
    if ((options & ~known) !== 0 || (options & 0x20) === 0) unknown("options", options);
    if ((options & 0x41) === 0x41) fail(S.INVALID_PARAMETER);
    if ((access & ~0x1301bf) !== 0 || (access & 0x100000) === 0) unknown("access", access);
    const view = viewOf(object);
    if (view.getUint32(0, true) !== 48) fail(S.INVALID_PARAMETER);
    const flags = view.getUint32(24, true);
    if ((flags & ~0x1040) !== 0) unknown("object attributes", flags);
    const string = this.#memory(view.getBigUint64(16, true));
    const buffer = this.#memory(string.getBigUint64(8, true));
    const name = utf16(buffer, 0, string.getUint16(0, true));
    const root = view.getUint32(8, true);
    if (root !== 0) this.names.push(name);
    const start = root === 0 ? undefined : this.#of(root);
    const found = start !== undefined && name === ""
      ? { ...start.link, node: start.node.links > 0 ? start.node : fail(S.DELETE_PENDING) }
      : this.#look(start?.node, name, (flags & 0x1000) !== 0, (options & 0x200000) !== 0);
    const [node, how] = this.#dispose(found, disposition, (options & 1) !== 0);
    if (how !== 2) {
      if ((options & 1) !== 0 && node.children === undefined) fail(S.NOT_A_DIRECTORY);
      if ((options & 0x40) !== 0 && node.children !== undefined) fail(S.IS_A_DIRECTORY);
    }
    this.touched.push({ call: "open", node });
    const number = this.#nextHandle += 4;
    const link = { parent: found.parent, name: found.name };
    this.#handles.set(number, { node, link, access, position: 0n, rest: undefined });
    viewOf(handle).setBigUint64(0, BigInt(number), true);
    return this.#done(status, how);
  }

  #dispose(
    { parent, name, node }: { parent: FakeNode; name: string; node: FakeNode | undefined },
    disposition: number,
    directory: boolean,
  ): [node: FakeNode, how: number] {
    if (![1, 2, 3].includes(disposition)) unknown("disposition", disposition);
    if (node !== undefined) return disposition === 2 ? fail(S.NAME_COLLISION) : [node, 1];
    if (disposition === 1) fail(S.NAME_NOT_FOUND);
    if (parent.links === 0) fail(S.DELETE_PENDING);
    // deno-lint-ignore no-control-regex
    if (/[*?"<>|\x00-\x1f]/.test(name)) fail(S.NAME_INVALID);
    const made = this.#node(parent, name, directory);
    parent.children!.set(name.toUpperCase(), { name, node: made });
    this.touched.push({ call: "make", node: parent });
    return [made, 2];
  }

  /** Resolves as the object manager and the file system do. */
  #look(
    root: FakeNode | undefined,
    path: string,
    dontReparse: boolean,
    openReparse: boolean,
    depth = 0,
  ): { parent: FakeNode; name: string; node: FakeNode | undefined } {
    if (depth > 63) fail(0xc0000280 /* REPARSE_POINT_NOT_RESOLVED */);
    let at = root;
    if (at === undefined) {
      if (!/^\\\?\?\\C:\\/i.test(path)) fail(S.PATH_NOT_FOUND);
      at = this.root;
      path = path.slice(7);
    } else if (path.startsWith("\\")) fail(S.INVALID_PARAMETER);
    const names = path.split("\\");
    for (let i = 0; i < names.length; i++) {
      const [name, stream] = names[i]!.split(":") as [string, string | undefined];
      const last = i === names.length - 1;
      if (name === "" && last && root === undefined) return { parent: at, name: "", node: at };
      if (name === "." || name === ".." || name.includes("/")) fail(S.NAME_INVALID);
      if (name.length > 255) fail(S.NAME_INVALID);
      if (at.children === undefined) fail(last ? S.NOT_A_DIRECTORY : S.PATH_NOT_FOUND);
      const child: FakeNode | undefined = at.children.get(name.toUpperCase())?.node;
      if (child?.reparse !== undefined && !(last && openReparse && !dontReparse)) {
        if (dontReparse) fail(S.REPARSE_ENCOUNTERED);
        const rest = names.slice(i + 1);
        return this.#follow(child, at, rest, openReparse, depth);
      }
      if (last && child !== undefined && stream !== undefined) {
        const known = child.streams.get(stream.toUpperCase());
        const made = known ?? this.#node(child, stream, false);
        child.streams.set(stream.toUpperCase(), made);
        return { parent: at, name, node: made };
      }
      if (last) return { parent: at, name, node: child };
      if (child === undefined) fail(S.PATH_NOT_FOUND);
      at = child;
    }
    return unknown("path", 0);
  }

  #follow(
    link: FakeNode,
    parent: FakeNode,
    rest: string[],
    openReparse: boolean,
    depth: number,
  ): { parent: FakeNode; name: string; node: FakeNode | undefined } {
    this.touched.push({ call: "follow", node: link });
    const view = viewOf(link.reparse!);
    const tag = view.getUint32(0, true);
    if (tag !== SYMLINK && tag !== MOUNT_POINT) fail(S.TAG_NOT_HANDLED);
    const names = tag === SYMLINK ? 20 : 16;
    const at = names + view.getUint16(8, true);
    const target = utf16(view, at, view.getUint16(10, true));
    const relative = tag === SYMLINK && (view.getUint32(16, true) & 1) !== 0;
    let base = relative ? pathTo(parent) : "";
    for (const name of relative ? target.split("\\") : []) {
      if (name === "..") base = base.slice(0, base.lastIndexOf("\\"));
      else if (name !== "" && name !== ".") base += `\\${name}`;
    }
    const whole = relative ? `\\??\\C:${base}` : target;
    return this.#look(undefined, [whole, ...rest].join("\\"), false, openReparse, depth + 1);
  }

  #query(handle: number, status: Pointer, into: Pointer, length: number, kind: number): number {
    const { node, position } = this.#of(handle);
    const view = viewOf(into);
    const attributes = attributesOf(node);
    if (kind === 18) {
      node.times.forEach((time, i) => view.setBigInt64(8 * i, time, true));
      view.setUint32(32, attributes, true);
      view.setBigInt64(48, BigInt(node.content.length), true);
      view.setUint32(56, node.links, true);
      view.setUint8(61, node.children === undefined ? 0 : 1);
      view.setBigUint64(64, node.id, true);
      this.#done(status, length);
      return S.BUFFER_OVERFLOW; // the name does not fit
    }
    if (kind === 14) {
      view.setBigInt64(0, position, true);
      return this.#done(status, 8);
    }
    if (kind === 9) {
      const path = pathTo(node) || "\\";
      view.setUint32(0, 2 * path.length, true);
      for (let i = 0; i < path.length; i++) view.setUint16(4 + 2 * i, path.charCodeAt(i), true);
      return this.#done(status, 4 + 2 * path.length);
    }
    return unknown("query class", kind);
  }

  #set(handle: number, status: Pointer, from: Pointer, length: number, kind: number): number {
    const held = this.#of(handle);
    const { node, access } = held;
    const view = viewOf(from);
    const needs = (right: number): void => {
      if ((access & right) === 0) fail(S.ACCESS_DENIED);
    };
    this.touched.push({ call: `set ${kind}`, node });
    switch (kind) {
      case 4:
        needs(0x100);
        for (let i = 0; i < 4; i++) {
          const time = view.getBigInt64(8 * i, true);
          if (time < -2n) fail(S.INVALID_PARAMETER);
          if (time > 0n) node.times[i] = time;
        }
        if (view.getUint32(32, true) !== 0) unknown("attributes", view.getUint32(32, true));
        return this.#done(status, 0);
      case 20:
        needs(2);
        node.content.resize(Number(view.getBigInt64(0, true)));
        node.times[2] = node.times[3] = this.#clock += 10000000n;
        return this.#done(status, 0);
      case 10:
      case 65:
      case 11:
        return this.#name(held, view, length, kind);
      case 13:
      case 64:
        needs(0x10000);
        if (kind === 64 && this.#options.old) fail(S.INVALID_INFO_CLASS);
        if (kind === 64 && view.getUint32(0, true) !== 0x13) {
          unknown("flags", view.getUint32(0, true));
        }
        if (kind === 13 && view.getUint8(0) !== 1) unknown("delete", view.getUint8(0));
        return this.#remove(held);
    }
    return unknown("set class", kind);
  }

  #remove({ node, link }: Handle): number {
    if ((node.children?.size ?? 0) > 0) fail(S.NOT_EMPTY);
    this.#unname(node, link);
    node.links--;
    return 0;
  }

  /** Takes away the name that a handle was opened by, wherever it has been moved to since. */
  #unname(node: FakeNode, { parent, name }: Handle["link"]): void {
    const key = name.toUpperCase();
    if (parent.children!.get(key)?.node === node) parent.children!.delete(key);
    else node.parent!.children!.delete(node.name.toUpperCase());
  }

  #name({ node, access, link }: Handle, view: DataView, length: number, kind: number): number {
    const flags = kind === 65 ? view.getUint32(0, true) : view.getUint8(0);
    if (kind === 65 && this.#options.old) fail(S.INVALID_INFO_CLASS);
    if (kind === 65 && flags !== 0x43) unknown("rename flags", flags);
    const size = view.getUint32(16, true);
    if (length < 20 + size || length < 24) fail(S.INVALID_PARAMETER);
    const name = utf16(view, 20, size);
    this.names.push(name);
    const parent = this.#of(view.getUint32(8, true)).node;
    if (/[\\/:*?"<>|]/.test(name) || name === "." || name === "..") fail(S.NAME_INVALID);
    if (name.length > 255) fail(S.NAME_INVALID);
    if (parent.links === 0) fail(S.DELETE_PENDING);
    this.touched.push({ call: `name ${kind}`, node: parent });
    const there = parent.children!.get(name.toUpperCase())?.node;
    if (kind === 11) {
      if (node.children !== undefined && node.reparse === undefined) fail(S.IS_A_DIRECTORY);
      if (there !== undefined) fail(S.NAME_COLLISION);
      node.links++;
      parent.children!.set(name.toUpperCase(), { name, node });
      return 0;
    }
    if ((access & 0x10000) === 0) fail(S.ACCESS_DENIED);
    if (there !== undefined && there !== node) {
      if ((flags & 1) === 0) fail(S.NAME_COLLISION);
      // no directory is replaced or replaces something, nor a link to one
      if (there.children !== undefined || node.children !== undefined) fail(S.ACCESS_DENIED);
      there.links--;
    }
    this.#unname(node, link);
    parent.children!.set(name.toUpperCase(), { name, node });
    Object.assign(node, { parent, name });
    return 0;
  }

  #control(
    handle: number,
    event: number,
    routine: Pointer,
    context: Pointer,
    status: Pointer,
    code: number,
    input: Pointer,
    inputLength: number,
    output: Pointer,
    outputLength: number,
  ): number {
    if (event !== 0 || routine !== null || context !== null) unknown("asynchronous control", code);
    const { node, access } = this.#of(handle);
    if (code === 0x900a8) {
      if (node.reparse === undefined) fail(S.NOT_A_REPARSE_POINT);
      if (node.reparse.length > outputLength) unknown("buffer", outputLength);
      (output as Uint8Array).set(node.reparse);
      return this.#done(status, node.reparse.length);
    }
    if (code !== 0x900a4) unknown("control", code);
    if (!this.#privilege || this.#options.unprivileged) fail(S.PRIVILEGE_NOT_HELD);
    if ((access & 0x102) === 0) fail(S.ACCESS_DENIED);
    if ((node.children?.size ?? 0) > 0 || node.content.length > 0) fail(S.NOT_EMPTY);
    const data = (input as Uint8Array).slice(0, inputLength);
    if (viewOf(data).getUint16(4, true) !== inputLength - 8) fail(0xc0000278 /* DATA_INVALID */);
    node.reparse = data;
    this.touched.push({ call: "make link", node });
    return this.#done(status, 0);
  }

  #list(
    handle: number,
    event: number,
    routine: Pointer,
    context: Pointer,
    status: Pointer,
    into: Pointer,
    length: number,
    kind: number,
    single: number,
    pattern: Pointer,
    restart: number,
  ): number {
    if (event !== 0 || routine !== null || context !== null) unknown("asynchronous list", kind);
    if (kind !== 37 || single !== 0 || pattern !== null) unknown("directory class", kind);
    const held = this.#of(handle);
    const { node } = held;
    if (node.children === undefined) fail(S.INVALID_PARAMETER);
    if ((held.access & 1) === 0) fail(S.ACCESS_DENIED);
    if (node.links === 0) fail(S.DELETE_PENDING);
    this.touched.push({ call: "list", node });
    if (held.rest === undefined || restart !== 0) {
      const dots = [{ name: ".", node }, { name: "..", node: node.parent! }];
      held.rest = [...(node === this.root ? [] : dots), ...node.children.values()];
    }
    if (held.rest.length === 0) fail(S.NO_MORE_FILES);
    const view = viewOf(into);
    let [at, last] = [0, -1];
    while (held.rest.length > 0) {
      const { name, node: child } = held.rest[0]!;
      const size = 104 + 2 * name.length;
      if (at + size > length) break;
      (into as Uint8Array).fill(0, at, at + size);
      view.setUint32(at + 56, attributesOf(child), true);
      view.setUint32(at + 60, 2 * name.length, true);
      view.setUint32(at + 64, child.reparse ? viewOf(child.reparse).getUint32(0, true) : 0, true);
      view.setBigUint64(at + 96, child.id, true);
      for (let i = 0; i < name.length; i++) {
        view.setUint16(at + 104 + 2 * i, name.charCodeAt(i), true);
      }
      if (last >= 0) view.setUint32(last, at - last, true);
      last = at;
      held.rest.shift();
      at = (at + size + 7) & ~7;
    }
    return this.#done(status, last < 0 ? 0 : Math.min(at, length));
  }

  #read(
    handle: number,
    event: number,
    routine: Pointer,
    context: Pointer,
    status: Pointer,
    into: Pointer,
    length: number,
    offset: Pointer,
    key: Pointer,
  ): number {
    if (event !== 0 || routine !== null || context !== null || key !== null) unknown("read", event);
    const held = this.#of(handle);
    if (held.node.children !== undefined) fail(0xc0000010 /* INVALID_DEVICE_REQUEST */);
    if ((held.access & 1) === 0) fail(S.ACCESS_DENIED);
    this.touched.push({ call: "read", node: held.node });
    const position = viewOf(offset).getBigInt64(0, true);
    if (position < 0n) fail(S.INVALID_PARAMETER);
    const { content } = held.node;
    if (length > 0 && position >= BigInt(content.length)) fail(S.END_OF_FILE);
    const count = content.read((into as Uint8Array).subarray(0, length), Number(position));
    held.position = position + BigInt(count);
    return this.#done(status, count);
  }

  #write(
    handle: number,
    event: number,
    routine: Pointer,
    context: Pointer,
    status: Pointer,
    from: Pointer,
    length: number,
    offset: Pointer,
    key: Pointer,
  ): number {
    if (event !== 0 || routine !== null || context !== null || key !== null) {
      unknown("write", event);
    }
    const held = this.#of(handle);
    if ((held.access & 2) === 0) fail(S.ACCESS_DENIED);
    const { node } = held;
    this.touched.push({ call: "write", node });
    let position = viewOf(offset).getBigInt64(0, true);
    if (position === -1n) position = BigInt(node.content.length);
    if (position < 0n) fail(S.INVALID_PARAMETER);
    node.content.write((from as Uint8Array).subarray(0, length), Number(position));
    held.position = position + BigInt(length);
    node.times[2] = node.times[3] = this.#clock += 10000000n;
    return this.#done(status, length);
  }
}

function viewOf(pointer: Pointer, offset = 0): DataView {
  const bytes = pointer as Uint8Array;
  return new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.byteLength - offset);
}

function utf16(view: DataView, at: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(view.getUint16(at + i, true));
  return text;
}

function attributesOf(node: FakeNode): number {
  return (node.children === undefined ? 0x20 : 0x10) | (node.reparse === undefined ? 0 : 0x400);
}

/** The path of a node from the volume's root; "" for the root. */
function pathTo(node: FakeNode): string {
  return node.parent === node ? "" : `${pathTo(node.parent!)}\\${node.name}`;
}

/** A REPARSE_DATA_BUFFER, [MS-FSCC] 2.1.2. */
export function reparseOf(tag: number, target: string, relative: boolean): Uint8Array {
  const names = tag === SYMLINK ? 20 : 16;
  const size = 2 * target.length;
  const bytes = new Uint8Array(names + 2 * size + 4);
  const view = viewOf(bytes);
  view.setUint32(0, tag, true);
  view.setUint16(4, bytes.length - 8, true);
  view.setUint16(10, size, true);
  view.setUint16(12, size + 2, true);
  view.setUint16(14, size, true);
  if (tag === SYMLINK) view.setUint32(16, relative ? 1 : 0, true);
  for (let i = 0; i < target.length; i++) {
    view.setUint16(names + 2 * i, target.charCodeAt(i), true);
    view.setUint16(names + size + 2 + 2 * i, target.charCodeAt(i), true);
  }
  return bytes;
}

/** A volume with an empty folder "base". */
export function baseVolume(options: FakeOptions = {}): FakeVolume {
  const volume = new FakeVolume(options);
  volume.add(volume.root, "base");
  return volume;
}

/** A directory over ntdll: the folder "base" of a volume. */
export function ntDirectory(volume: FakeVolume): NtDirectory {
  const ntdll = new Ntdll(volume.foreign);
  const path = "\\??\\C:\\base";
  const handle = ntdll.openPath(path);
  return new NtDirectory({ ntdll, serial: ntdll.volume(handle) }, handle, path);
}
