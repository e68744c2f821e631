/**
 * What a guest may do with the network: the option `network`.
 *
 * @module
 */
import { invalidType, invalidValue } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { validateBoolean, validateRecord } from "../validate.ts";

/** The option `network` of `run()` and `instantiate()`. Each list is empty by default. */
export interface NetworkOptions {
  /**
   * Where a component may connect to, by HTTP, TCP and UDP: `host`, `host:port`, `*.domain`, or `*`
   * for every host. Without a port every port is meant. A host is a name or an address, an IPv6 one
   * in brackets. A name covers the addresses that it resolves to.
   */
  connect?: readonly string[];
  /**
   * Addresses of this machine that a component may listen on, written in the same way; port 0 is any
   * that is free. `localhost` means 127.0.0.1 and ::1.
   */
  listen?: readonly string[];
  /**
   * Whether a component may resolve names other than those in `connect`; with `false` it may resolve
   * none. Default: those in `connect`.
   */
  lookup?: boolean;
}

/** One entry of a list. */
interface Rule {
  /** the host; undefined for every one */
  readonly host: string | undefined;
  /** whether it is all that is below the host, and not that itself */
  readonly below: boolean;
  /** undefined for every one */
  readonly port: number | undefined;
}

const KNOWN = ["connect", "listen", "lookup"];
/** Most addresses that are remembered for the names that a guest has resolved. */
const LEARNED_MAX = 4096;

/**
 * A name or an address in the one form that it is compared in: small letters, IPv6 without brackets;
 * undefined for what is neither.
 */
export function hostOf(text: string): string | undefined {
  if (text === "" || /[\s/?#@\\%]/.test(text)) return undefined;
  const bare = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  let host: string;
  try {
    const url = new URL(`http://${bare}`);
    if (url.port !== "" || /:\d*$/.test(bare.replace(/^\[.*\]/, ""))) return undefined;
    host = url.hostname;
  } catch {
    return undefined;
  }
  if (host.startsWith("[")) return host.slice(1, -1);
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/** Whether a host in that form is an address and not a name. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

const EXAMPLES = '"example.com:443", "*.example.org" or "127.0.0.1:8080"';

function ruleOf(name: string, entry: unknown, listens: boolean): Rule {
  if (typeof entry !== "string") throw invalidType(name, "of type string", entry);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(entry)) {
    throw invalidValue(name, `must be a host and a port, without a scheme: ${EXAMPLES}`, entry);
  }
  if (/[/?#]/.test(entry)) {
    throw invalidValue(name, `must be a host and a port, without a path: ${EXAMPLES}`, entry);
  }
  // an IPv6 address without brackets has no port
  const parts = /^([^:]+|\[[^\]]*\])(?::(\d*))?$/.exec(entry) ?? [entry, entry, undefined];
  const [, where, port] = parts;
  const number = port === undefined ? undefined : Number(port);
  if (port === "" || (number !== undefined && (number > 65535 || (number === 0 && !listens)))) {
    const range = listens ? "0 to 65535" : "1 to 65535";
    throw invalidValue(name, `must have a port from ${range}, or none for every port`, entry);
  }
  if (where === "*") return { host: undefined, below: false, port: number };
  const below = where!.startsWith("*.");
  const host = hostOf(below ? where!.slice(2) : where!);
  if (host === undefined || host.includes("*") || (below && isAddress(host))) {
    throw invalidValue(name, `must be a host, with or without a port, such as ${EXAMPLES}`, entry);
  }
  if (listens && (below || (host !== "localhost" && !isAddress(host)))) {
    throw invalidValue(name, 'must be an address of this machine, "localhost" or "*"', entry);
  }
  return { host, below, port: number };
}

function rulesOf(name: string, value: unknown, listens: boolean): Rule[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidType(name, "an instance of Array", value);
  return value.map((entry, i) => ruleOf(`${name}[${i}]`, entry, listens));
}

function covers(rule: Rule, host: string, port: number): boolean {
  if (rule.port !== undefined && rule.port !== port) return false;
  return coversHost(rule, host);
}

function coversHost({ host: of, below }: Rule, host: string): boolean {
  if (of === undefined) return true;
  return below ? host.endsWith(`.${of}`) && !isAddress(host) : host === of;
}

/** What a guest may do. Hosts are in the form that {@linkcode hostOf} gives. */
export class Grant {
  readonly #connect: readonly Rule[];
  readonly #listen: readonly Rule[];
  readonly #lookup: boolean | undefined;
  /** The rules that cover the name that an address was found by. */
  readonly #learned: Map<string, Set<Rule>> = new Map();

  constructor(connect: readonly Rule[], listen: readonly Rule[], lookup: boolean | undefined) {
    this.#connect = connect;
    this.#listen = listen.flatMap((rule) =>
      rule.host === "localhost"
        ? [rule, { ...rule, host: "127.0.0.1" }, { ...rule, host: "::1" }]
        : [rule]
    );
    this.#lookup = lookup;
  }

  /** Whether it may send anything anywhere. */
  get connects(): boolean {
    return this.#connect.length > 0;
  }

  /** Whether it may connect to a name or an address. */
  mayConnect(host: string, port: number): boolean {
    if (this.#connect.some((rule) => covers(rule, host, port))) return true;
    for (const rule of this.#learned.get(host) ?? []) {
      if (rule.port === undefined || rule.port === port) return true;
    }
    return false;
  }

  /** Whether it may listen. Port 0 is one that the system chooses. */
  mayListen(address: string, port: number): boolean {
    return this.#listen.some((rule) => covers(rule, address, port));
  }

  /** Whether it may have a name resolved. */
  mayResolve(name: string): boolean {
    return this.#lookup ?? this.#connect.some((rule) => coversHost(rule, name));
  }

  /** Remembers what addresses a name has: who may connect to the name may connect to these. */
  learn(name: string, addresses: readonly string[]): void {
    const rules = this.#connect.filter((rule) => rule.host !== undefined && coversHost(rule, name));
    if (rules.length === 0) return;
    for (const address of addresses) {
      let known = this.#learned.get(address);
      if (known === undefined) {
        if (this.#learned.size >= LEARNED_MAX) {
          this.#learned.delete(this.#learned.keys().next().value!);
        }
        this.#learned.set(address, known = new Set());
      }
      for (const rule of rules) known.add(rule);
    }
  }
}

/**
 * The option `network`; undefined without it.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE`
 */
export function validateNetwork(value: unknown): Grant | undefined {
  if (value === undefined) return undefined;
  validateRecord(value, "options.network");
  const given = value as Record<string, unknown>;
  const other = Object.keys(given).find((name) => !KNOWN.includes(name));
  if (other !== undefined) {
    const near = nearest(other, KNOWN);
    const meant = near === undefined ? `there are ${KNOWN.join(", ")}` : `did you mean ${near}?`;
    throw invalidValue(`options.network.${other}`, `is not an option: ${meant}`, other);
  }
  const { lookup } = given;
  if (lookup !== undefined) validateBoolean(lookup, "options.network.lookup");
  return new Grant(
    rulesOf("options.network.connect", given.connect, false),
    rulesOf("options.network.listen", given.listen, true),
    lookup as boolean | undefined,
  );
}
