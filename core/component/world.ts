/**
 * The world of a component as WIT writes it: what it imports and exports, and the interfaces that
 * are its own.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/WIT.md
 *
 * @module
 */
import { harmless } from "../text.ts";
import { componentError } from "./errors.ts";
import type { ComponentFunction } from "./function.ts";
import type { InstanceItem, Item, TypeItem } from "./scope.ts";
import { look } from "./looking.ts";
import { type FunctionType, PRIMITIVES, ResourceType, type ValueType } from "./types.ts";

/** Most characters of a world. */
const TEXT_MAX = 1 << 23;

/** The package of a world whose own name is not known. */
const PACKAGE = "root:component";

/** Words that stand behind `%` where they are names. */
const KEYWORDS: ReadonlySet<string> = new Set(
  ("as async bool borrow char constructor enum export f32 f64 flags from func future import " +
    "include interface list map option own package record resource result s16 s32 s64 s8 static " +
    "stream string tuple type u16 u32 u64 u8 use variant with world error-context")
    .split(" "),
);

const LABEL = /^[a-zA-Z][a-zA-Z0-9]*(?:-[a-zA-Z0-9]+)*$/;
const INTERFACE = /^((?:[a-z][a-z0-9-]*:)+[a-z][a-z0-9-]*)\/([a-zA-Z][a-zA-Z0-9-]*)(@[\w.+-]+)?$/;
const MEMBER = /^\[(method|static|constructor)\]([^.]+)(?:\.(.+))?$/;

/** The package of an interface, with its version. */
function packageOf(path: string): string {
  const [, name, , version = ""] = INTERFACE.exec(path)!;
  return name! + version;
}

function label(name: string): string {
  if (!LABEL.test(name)) throw componentError(`"${harmless(name)}" is not a name of a component's`);
  return KEYWORDS.has(name) ? `%${name}` : name;
}

/** A type that has a name somewhere. */
interface Known {
  readonly owner: Part;
  readonly name: string;
}

/** What is found out about all types of a component. */
interface Types {
  readonly known: ReadonlyMap<ValueType | ResourceType, Known>;
  readonly origins: ReadonlyMap<ValueType, ValueType>;
  /** Counts what is written. */
  write(text: string): string;
}

/** What is written in a function's brackets and behind them. */
type Shown = (type: ValueType | undefined) => string;

/** What types have names in: an interface, or the world. */
class Part {
  /** such as `wasi:io/streams@0.2.0`; undefined where nobody else can name it */
  readonly path: string | undefined;
  readonly types: Map<string, TypeItem> = new Map();
  readonly functions: Map<string, ComponentFunction> = new Map();
  /** What is used of others: by their paths, the names there and here. */
  readonly #uses: Map<string, Map<string, string>> = new Map();

  constructor(path: string | undefined) {
    this.path = path;
  }

  /** Takes up what an instance has; what it has twice counts once. */
  add(instance: InstanceItem): void {
    for (const name of instance.names ?? []) this.put(name, instance.get(name)!);
  }

  put(name: string, item: Item): void {
    if (item.sort === "type" && !this.types.has(name)) this.types.set(name, item);
    if (item.sort === "func" && !this.functions.has(name)) this.functions.set(name, item);
  }

  /** A name for a type of another part; undefined if that cannot be named. */
  #use({ owner, name }: Known, wanted?: string): string | undefined {
    if (owner.path === undefined) return undefined;
    let names = this.#uses.get(owner.path);
    if (names === undefined) this.#uses.set(owner.path, names = new Map());
    const used = names.get(name);
    if (used !== undefined && (wanted === undefined || wanted === used)) return used;
    let own = wanted ?? name;
    if (wanted === undefined) {
      const taken = new Set([...this.#uses.values()].flatMap((names) => [...names.values()]));
      for (let i = 1; this.types.has(own) || taken.has(own); i++) own = `${name}-${i}`;
    }
    // a name that has another one already is an alias
    if (used === undefined) names.set(name, own);
    return used === undefined ? own : undefined;
  }

  /** The name of a type here; undefined if it has none. */
  #nameOf(types: Types, type: ValueType | ResourceType): string | undefined {
    for (let at: typeof type | undefined = type; at !== undefined;) {
      const known = types.known.get(at);
      if (known?.owner === this) return known.name;
      const used = known && this.#use(known);
      if (used !== undefined) return used;
      at = at instanceof ResourceType ? undefined : types.origins.get(at);
    }
    return undefined;
  }

  #resource(types: Types, resource: ResourceType): string {
    const name = this.#nameOf(types, resource);
    if (name === undefined) throw componentError("it has a resource without a name");
    return label(name);
  }

  #show(types: Types, type: ValueType): string {
    const name = this.#nameOf(types, type);
    return name === undefined ? this.#structure(types, type) : types.write(label(name));
  }

  /** A type written out. */
  #structure(types: Types, type: ValueType): string {
    const show: Shown = (one) => one === undefined ? "_" : this.#show(types, one);
    switch (type.kind) {
      case "list":
        return `list<${show(type.element)}${type.length === undefined ? "" : `, ${type.length}`}>`;
      case "tuple":
        return `tuple<${type.types.map(show).join(", ")}>`;
      case "option":
        return `option<${show(type.type)}>`;
      case "result":
        if (type.ok === undefined && type.error === undefined) return "result";
        if (type.error === undefined) return `result<${show(type.ok)}>`;
        return `result<${show(type.ok)}, ${show(type.error)}>`;
      case "own":
        return this.#resource(types, type.resource);
      case "borrow":
        return `borrow<${this.#resource(types, type.resource)}>`;
      case "record":
      case "variant":
      case "flags":
      case "enum":
        return `${type.kind} { ${membersOf(type, show).join(", ")} }`;
      case "stream":
      case "future":
      case "error-context":
        throw componentError(`it uses ${type.kind}, which belongs to WASI 0.3`);
      default:
        return types.write(type.kind);
    }
  }

  functionOf(types: Types, { parameters, result, async }: FunctionType, without = 0): string {
    const shown = parameters.slice(without).map(({ name, type }) =>
      `${label(name)}: ${this.#show(types, type)}`
    );
    const end = result === undefined ? "" : ` -> ${this.#show(types, result)}`;
    return `${async ? "async " : ""}func(${shown.join(", ")})${end}`;
  }

  /** What belongs to a resource: its constructor and its functions. */
  #members(types: Types, resource: string): string[] {
    const lines: string[] = [];
    for (const [name, { type }] of this.functions) {
      const [, kind, of, member] = MEMBER.exec(name) ?? [];
      if (of !== resource) continue;
      if (kind !== "constructor") {
        const what = this.functionOf(types, type!, kind === "method" ? 1 : 0);
        lines.push(`  ${label(member ?? "")}: ${kind === "static" ? "static " : ""}${what};`);
        continue;
      }
      const { result } = type!;
      const plain = result?.kind === "own" ? { ...type!, result: undefined } : type!;
      lines.push(`  ${this.functionOf(types, plain, 0).replace(/^func/, "constructor")};`);
    }
    return lines;
  }

  /** What a type is another name of: one of this part or of another one. */
  #meant(types: Types, name: string, item: TypeItem): Known | undefined {
    if (item.of === "resource") {
      const known = types.known.get(item.type)!;
      return known.owner === this && known.name === name ? undefined : known;
    }
    if (item.of !== "value") return undefined;
    for (let at = types.origins.get(item.type); at !== undefined; at = types.origins.get(at)) {
      const known = types.known.get(at);
      if (known === undefined) continue;
      if (known.owner === this ? known.name !== name : known.owner.path !== undefined) return known;
    }
    return undefined;
  }

  /** The definition of a type, in lines. */
  #define(types: Types, name: string, item: TypeItem, meant: Known | undefined): string[] {
    if (meant !== undefined) {
      const other = meant.owner === this ? meant.name : this.#use(meant);
      if (other !== undefined) return [`type ${label(name)} = ${label(other)};`];
    }
    if (item.of === "resource") {
      const members = this.#members(types, name);
      if (members.length === 0) return [`resource ${label(name)};`];
      return [`resource ${label(name)} {`, ...members, "}"];
    }
    if (item.of !== "value") return [`// ${label(name)}: the type of a ${item.of}`];
    const { type } = item;
    const show: Shown = (one) => one === undefined ? "_" : this.#show(types, one);
    switch (type.kind) {
      case "record":
      case "variant":
      case "flags":
      case "enum": {
        const members = membersOf(type, show).map((member) => `  ${member},`);
        return [`${type.kind} ${label(name)} {`, ...members, "}"];
      }
      default:
        return [`type ${label(name)} = ${this.#structure(types, type)};`];
    }
  }

  typesOf(types: Types): string[] {
    // what is used by its own name comes first: functions may be declared before
    const left = [...this.types].map(([name, item]) =>
      [name, item, this.#meant(types, name, item)] as const
    ).filter(([name, , meant]) =>
      meant === undefined || meant.owner === this || this.#use(meant, name) === undefined
    );
    return left.flatMap(([name, item, meant]) => this.#define(types, name, item, meant));
  }

  /** The path of another interface: within a package its name alone. */
  #near(path: string): string {
    const own = this.path === undefined ? PACKAGE : packageOf(this.path);
    return packageOf(path) === own ? label(INTERFACE.exec(path)![2]!) : path;
  }

  /** Known when everything else is written. */
  usesOf(): string[] {
    return [...this.#uses].filter(([, names]) => names.size > 0).map(([path, names]) => {
      const list = [...names].map(([name, own]) =>
        name === own ? label(name) : `${label(name)} as ${label(own)}`
      );
      return `use ${this.#near(path)}.{${list.join(", ")}};`;
    });
  }

  /** Its content as an interface's, in lines. */
  lines(types: Types): string[] {
    const own = this.typesOf(types);
    const functions = [...this.functions].filter(([name]) => !MEMBER.test(name))
      .map(([name, { type }]) => `${label(name)}: ${this.functionOf(types, type!)};`);
    return [...this.usesOf(), ...own, ...functions];
  }
}

/** Fields, cases or names. */
function membersOf(
  type: ValueType & { kind: "record" | "variant" | "flags" | "enum" },
  show: Shown,
): string[] {
  if (type.kind === "record") {
    return type.fields.map(({ name, type }) => `${label(name)}: ${show(type)}`);
  }
  if (type.kind !== "variant") return type.names.map(label);
  return type.cases.map(({ name, type }) =>
    type === undefined ? label(name) : `${label(name)}(${show(type)})`
  );
}

function indented(lines: readonly string[], by: string): string[] {
  return lines.map((line) => `${by}${line}`);
}

/** A world while it is put together. */
class World {
  readonly #root: Part = new Part(undefined);
  readonly #interfaces: Map<string, Part> = new Map();
  readonly #inline: Map<InstanceItem, Part> = new Map();
  readonly #items: [word: "import" | "export", name: string, item: Item][] = [];

  add(word: "import" | "export", name: string, item: Item): void {
    this.#items.push([word, name, item]);
    if (item.sort === "instance") {
      let part = this.#interfaces.get(name);
      if (part === undefined) {
        const isPath = INTERFACE.test(name);
        part = new Part(isPath ? name : undefined);
        if (isPath) this.#interfaces.set(name, part);
        else this.#inline.set(item, part);
      }
      part.add(item);
    } else if (item.sort === "type" || word === "import") this.#root.put(name, item);
  }

  /** Where each type has its name: what comes first has it, for others use it. */
  #known(): Map<ValueType | ResourceType, Known> {
    const known = new Map<ValueType | ResourceType, Known>();
    const put = (owner: Part, name: string, item: Item | undefined): void => {
      if (item?.sort !== "type" || item.of === "func" || !("type" in item)) return;
      // one that is not declared anywhere may be any other as well
      if (item.of === "value" && isPrimitive(item.type) && !this.origins.has(item.type)) return;
      if (!known.has(item.type)) known.set(item.type, { owner, name });
    };
    for (const [, name, item] of this.#items) {
      if (item.sort !== "instance") put(this.#root, name, item);
      else {
        const owner = this.#interfaces.get(name) ?? this.#inline.get(item)!;
        for (const type of item.names ?? []) put(owner, type, item.get(type));
      }
    }
    return known;
  }

  readonly origins: ReadonlyMap<ValueType, ValueType>;

  constructor(origins: ReadonlyMap<ValueType, ValueType>) {
    this.origins = origins;
  }

  /** @param isShown whether a package is written out */
  text(isShown: (name: string) => boolean): string {
    let written = 0;
    const write = (text: string): string => {
      written += text.length;
      if (written > TEXT_MAX) throw componentError("its world is too large to be shown");
      return text;
    };
    const types: Types = { known: this.#known(), origins: this.origins, write };
    const world = this.#world(types);
    const [own, others] = this.#packages(types, isShown);
    return [`package ${PACKAGE};`, "", ...world, ...own, ...others].map(write).join("\n") + "\n";
  }

  #world(types: Types): string[] {
    const own = this.#root.typesOf(types);
    const lines = this.#items.flatMap(([word, name, item]) => {
      if (item.sort === "instance") return this.#instance(types, word, name, item);
      if (item.sort === "type") return [];
      if (item.sort !== "func") {
        return [`// ${word} ${harmless(name)}: a ${item.sort}, which WIT has no word for`];
      }
      if (MEMBER.test(name)) return [];
      return [`${word} ${label(name)}: ${this.#root.functionOf(types, item.type!)};`];
    });
    const uses = this.#root.usesOf();
    return ["world root {", ...indented([...uses, ...own, ...lines], "  "), "}"];
  }

  #instance(
    types: Types,
    word: string,
    name: string,
    item: InstanceItem,
  ): string[] {
    if (this.#interfaces.has(name)) return [`${word} ${name};`];
    if (!LABEL.test(name)) {
      return [`// ${word} ${harmless(name)}: an instance, which WIT has no word for`];
    }
    const lines = this.#inline.get(item)!.lines(types);
    return [`${word} ${label(name)}: interface {`, ...indented(lines, "  "), "}"];
  }

  /** The interfaces by packages: those of the world's own, and the others. */
  #packages(types: Types, isShown: (name: string) => boolean): [string[], string[]] {
    const packages = new Map<string, string[]>();
    for (const [path, part] of this.#interfaces) {
      const [, name, short] = INTERFACE.exec(path)!;
      if (!isShown(name!)) continue;
      const whole = packageOf(path);
      const lines = packages.get(whole) ?? [];
      const content = indented(part.lines(types), "  ");
      lines.push("", `interface ${label(short!)} {`, ...content, "}");
      packages.set(whole, lines);
    }
    const own = packages.get(PACKAGE) ?? [];
    packages.delete(PACKAGE);
    const others = [...packages].flatMap(([name, lines]) => [
      "",
      `package ${name} {`,
      ...indented(lines.slice(1), "  ").map((line) => line.trimEnd()),
      "}",
    ]);
    return [own, others];
  }
}

function isPrimitive({ kind }: ValueType): boolean {
  return (PRIMITIVES as readonly string[]).includes(kind);
}

/** Interfaces that everybody knows are not written out. */
function isOwn(name: string): boolean {
  return !name.startsWith("wasi:");
}

/**
 * The world of a component, in WIT.
 *
 * @param isShown which packages are written out, by their names without versions; without it all
 * but WASI's
 * @throws {Error} `ERR_WASI_COMPONENT` for a component that is not valid, or whose world is too
 * large
 */
export async function worldOf(
  bytes: Uint8Array,
  isShown: (name: string) => boolean = isOwn,
): Promise<string> {
  const { linked, origins } = await look(bytes);
  const world = new World(origins);
  for (const [name, item] of linked.imports) world.add("import", name, item);
  for (const name of linked.names) world.add("export", name, linked.get(name)!);
  return world.text(isShown);
}
