/**
 * `ip-name-lookup`: names to addresses.
 *
 * @module
 */
import { Err } from "../../component/err.ts";
import { Errno, errnoOf } from "../../errno.ts";
import type { Wait } from "../../system/waiting.ts";
import { hostOf, isAddress } from "../grant.ts";
import type { Pollable } from "../pollables.ts";
import { type OpenFile, openOwn, type World } from "../world.ts";
import {
  type Family,
  isMapped,
  type Network,
  networkOf,
  numbersOf,
  Signal,
  tried,
} from "./network.ts";

/** `ip-address`. */
interface Address {
  readonly tag: Family;
  readonly val: readonly number[];
}

function addressesOf(texts: readonly string[]): Address[] {
  const addresses: Address[] = [];
  for (const text of texts) {
    const val = numbersOf(text);
    if (val === undefined || isMapped(val)) continue;
    addresses.push({ tag: val.length === 4 ? "ipv4" : "ipv6", val });
  }
  return addresses;
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === "EAI_AGAIN") return "temporary-resolver-failure";
  if (code === "ENOTFOUND" || code === "ENODATA") return "name-unresolvable";
  const errno = errnoOf(error);
  return errno === Errno.ACCES || errno === Errno.PERM
    ? "access-denied"
    : "permanent-resolver-failure";
}

/** `resolve-address-stream`. */
export class ResolveAddressStream {
  readonly #world: World;
  readonly #open: OpenFile;
  readonly #signal: Signal;
  #found: Address[] | string | undefined;

  constructor(open: OpenFile, found: Promise<Address[]> | Address[]) {
    this.#world = open.world;
    this.#open = open;
    this.#signal = new Signal(() => this.#found !== undefined, (open.file as Signal).wakes);
    if (Array.isArray(found)) {
      this.#found = found;
      return;
    }
    found.then(
      (addresses) => this.#found = addresses.length > 0 ? addresses : "name-unresolvable",
      (error) => this.#found = codeOf(error),
    ).finally(() => this.#signal.notify());
  }

  resolveNextAddress(): undefined | Address | Err | Wait<undefined | Address | Err> {
    return tried<undefined | Address>(this.#world, () => {
      const found = this.#found;
      if (found === undefined) return new Err("would-block");
      return typeof found === "string" ? new Err(found) : found.shift();
    });
  }

  subscribe(): Pollable {
    return this.#signal.pollable(this.#world);
  }

  [Symbol.dispose](): void {
    this.#open.release();
  }
}

/** `resolve-addresses`. */
export function resolveAddresses(
  world: World,
  _: Network,
  text: string,
): ResolveAddressStream | Err {
  const name = hostOf(text);
  if (name === undefined || name === "") return new Err("invalid-argument");
  const isName = !isAddress(name);
  if (isName && world.grant?.mayResolve(name) !== true) return new Err("access-denied");
  const network = networkOf(world);
  if (isName && network === undefined) return new Err("not-supported");
  // limits.openFiles counts it, as it does sockets
  const open = openOwn(world, new Signal(() => true));
  if (open === undefined) return new Err("out-of-memory");
  if (!isName) return new ResolveAddressStream(open, addressesOf([name]));
  const found = network!.lookup(name).then((texts) => {
    world.grant!.learn(name, texts);
    return addressesOf(texts);
  });
  return new ResolveAddressStream(open, found);
}
