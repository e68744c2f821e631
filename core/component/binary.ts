/**
 * What a component is made of, as its bytes say: definitions one after another, which name those
 * before them by number.
 *
 * Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
 *
 * @module
 */
import type { Primitive } from "./types.ts";

/** What a number can name. Each has its own numbers. */
export type Sort =
  | "core func"
  | "core table"
  | "core memory"
  | "core global"
  | "core tag"
  | "core type"
  | "core module"
  | "core instance"
  | "func"
  | "value"
  | "type"
  | "component"
  | "instance";

/** Something by its sort and number. */
export interface SortIndex {
  readonly sort: Sort;
  readonly index: number;
}

/** Something under a name. */
export interface Named extends SortIndex {
  readonly name: string;
}

/** A type where one is needed: a primitive one, or the number of another. */
export type TypeReference = Primitive | "error-context" | number;

/** A type of values as it is written. */
export type TypeDefinition =
  | { readonly kind: "reference"; readonly type: TypeReference }
  | { readonly kind: "record"; readonly fields: readonly LabeledReference[] }
  | {
    readonly kind: "variant";
    readonly cases: readonly { name: string; type: TypeReference | undefined }[];
  }
  | { readonly kind: "list"; readonly element: TypeReference; readonly length: number | undefined }
  | { readonly kind: "tuple"; readonly types: readonly TypeReference[] }
  | { readonly kind: "flags" | "enum"; readonly names: readonly string[] }
  | { readonly kind: "option"; readonly type: TypeReference }
  | {
    readonly kind: "result";
    readonly ok: TypeReference | undefined;
    readonly error: TypeReference | undefined;
  }
  | { readonly kind: "own" | "borrow"; readonly type: number }
  | { readonly kind: "stream" | "future"; readonly type: TypeReference | undefined }
  | { readonly kind: "resource"; readonly destructor: number | undefined }
  | {
    readonly kind: "func";
    readonly parameters: readonly LabeledReference[];
    readonly result: TypeReference | undefined;
    readonly async: boolean;
  }
  | { readonly kind: "component" | "instance"; readonly declarations: readonly Declaration[] };

/** A name with a type. */
export interface LabeledReference {
  readonly name: string;
  readonly type: TypeReference;
}

/** What something that is imported or exported has to be. */
export type ExternType =
  | { readonly sort: "core module" | "func" | "component" | "instance"; readonly type: number }
  | { readonly sort: "value"; readonly type: TypeReference | undefined }
  /** the type of that number, or any resource */
  | { readonly sort: "type"; readonly equals: number | undefined };

/** What stands in the type of a component or of an instance. */
export type Declaration =
  | { readonly kind: "core type" }
  | { readonly kind: "type"; readonly type: TypeDefinition }
  | AliasDefinition
  | {
    readonly kind: "import" | "export";
    readonly name: string;
    readonly type: ExternType;
  };

/** Another name for something. */
export type AliasDefinition =
  | {
    readonly kind: "alias export" | "alias core export";
    readonly sort: Sort;
    readonly instance: number;
    readonly name: string;
  }
  | {
    readonly kind: "alias outer";
    readonly sort: Sort;
    readonly count: number;
    readonly index: number;
  };

/** How values are laid out, and what is called to do so. */
export interface CanonicalOptions {
  readonly encoding: "utf8" | "utf16" | "latin1+utf16";
  readonly memory: number | undefined;
  readonly realloc: number | undefined;
  readonly postReturn: number | undefined;
  readonly async: boolean;
}

/** What adds to one of the spaces of numbers, in the order of the bytes. */
export type Definition =
  | { readonly kind: "core module"; readonly bytes: Uint8Array }
  | {
    readonly kind: "core instance";
    /** instantiated, or what is exported */
    readonly module: number | undefined;
    readonly items: readonly Named[];
  }
  | { readonly kind: "core type" }
  | { readonly kind: "component"; readonly component: ComponentBinary }
  | {
    readonly kind: "instance";
    readonly component: number | undefined;
    readonly items: readonly Named[];
  }
  | AliasDefinition
  | { readonly kind: "type"; readonly type: TypeDefinition }
  | {
    readonly kind: "lift";
    readonly function: number;
    readonly options: CanonicalOptions;
    readonly type: number;
  }
  | { readonly kind: "lower"; readonly function: number; readonly options: CanonicalOptions }
  | {
    readonly kind: "resource.new" | "resource.drop" | "resource.rep";
    readonly type: number;
  }
  /** One that is only for asynchronous components. */
  | { readonly kind: "canon"; readonly name: string }
  | { readonly kind: "import"; readonly name: string; readonly type: ExternType }
  | {
    readonly kind: "export";
    readonly name: string;
    readonly item: SortIndex;
    readonly type: ExternType | undefined;
  };

/** A component as its bytes say. */
export interface ComponentBinary {
  readonly definitions: readonly Definition[];
}
