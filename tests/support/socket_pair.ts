/** Pairs of sockets that are connected with each other, which no runtime makes by itself. */
import assert from "node:assert/strict";
import process from "node:process";
import { type CSignature, linuxLibrary } from "../../core/foreign.ts";
import { ownRuntime } from "./hosts.ts";

const signatures: Readonly<Record<string, CSignature>> = {
  socketpair: [["i32", "i32", "i32", "ptr"], "i32"],
  close: [["i32"], "i32"],
  write: [["i32", "ptr", "u32"], "i32"],
};

/** One end for a guest, and the other to write to. */
export interface SocketPair {
  /** the descriptor of the guest's end */
  readonly fd: number;
  /** Sends at the other end. */
  send(text: string): void;
  /** Closes the other end. */
  end(): void;
  /** Closes the guest's end. */
  close(): void;
}

/** Makes one, of Linux's domain AF_UNIX. */
export function socketPair(kind: "stream" | "datagram"): SocketPair {
  assert.equal(process.platform, "linux");
  const opened = ownRuntime().foreign({
    ...linuxLibrary,
    tables: { first: "socketpair", signatures, variants: {}, optionalSignatures: {} },
  });
  assert.ok(opened !== undefined);
  const { symbols, pointer } = opened;
  const ends = new Int32Array(2);
  const type = kind === "stream" ? 1 : 2;
  assert.equal(symbols.socketpair!(1, type, 0, pointer(new Uint8Array(ends.buffer), 0)), 0);
  const [fd, other] = ends as unknown as [number, number];
  return {
    fd,
    send(text) {
      const bytes = new TextEncoder().encode(text);
      assert.equal(symbols.write!(other, pointer(bytes, 0), bytes.length), bytes.length);
    },
    end: () => symbols.close!(other),
    close: () => symbols.close!(fd),
  };
}
