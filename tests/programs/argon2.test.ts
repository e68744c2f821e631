/**
 * @node-rs/argon2 (Rust, napi-rs): hashes passwords on the main thread and on worker threads, each
 * with a WASI instance of its own over one shared memory.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "../support/napi.ts";

const options = { timeout: 120_000 };

interface Options {
  algorithm?: number;
  memoryCost?: number;
  timeCost?: number;
  parallelism?: number;
  salt?: Uint8Array;
  secret?: Uint8Array;
}

interface Argon2 {
  hash(password: string, options?: Options): Promise<string>;
  hashSync(password: string, options?: Options): string;
  hashRaw(password: string, options?: Options): Promise<Uint8Array>;
  hashRawSync(password: string, options?: Options): Uint8Array;
  verify(hashed: string, password: string, options?: Options): Promise<boolean>;
  verifySync(hashed: string, password: string, options?: Options): boolean;
  parseOptions(hashed: string): object;
}

let loaded: Argon2 | undefined;

function argon2(): Argon2 {
  return loaded ??= load<Argon2>("@node-rs/argon2-wasm32-wasi");
}

interface Vector {
  name: "argon2d" | "argon2i" | "argon2id";
  memory: number;
  passes: number;
  lanes: number;
  password: string;
  salt: string;
  secret?: string;
  hash: string;
}

/**
 * Hashes made by OpenSSL (`crypto.argon2Sync` of Node 26). The first two are also in the tests of
 * the reference implementation. RFC 9106 has none that fits, as it uses associated data, which
 * this package does not take.
 */
const vectors: Vector[] = [
  {
    name: "argon2i",
    memory: 65536,
    passes: 2,
    lanes: 1,
    password: "password",
    salt: "somesalt",
    hash: "wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
  },
  {
    name: "argon2id",
    memory: 65536,
    passes: 2,
    lanes: 1,
    password: "password",
    salt: "somesalt",
    hash: "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  },
  {
    name: "argon2id",
    memory: 256,
    passes: 2,
    lanes: 2,
    password: "password",
    salt: "somesalt",
    hash: "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
  },
  {
    name: "argon2d",
    memory: 64,
    passes: 3,
    lanes: 4,
    password: "pässwörd",
    salt: "0123456789abcdef",
    secret: "secret key",
    hash: "Xpan0VDnRsqvGzRnmymsD+zHOjzJ4Y2LZiusLb516Lw",
  },
  {
    name: "argon2id",
    memory: 64,
    passes: 3,
    lanes: 4,
    password: "pässwörd",
    salt: "0123456789abcdef",
    secret: "secret key",
    hash: "34PaImXgHLC6RDn4uuPd/2ewzePxHSLkqu/N7Q1nhxM",
  },
];

function optionsOf({ name, memory, passes, lanes, salt, secret }: Vector): Options {
  return {
    algorithm: ["argon2d", "argon2i", "argon2id"].indexOf(name),
    memoryCost: memory,
    timeCost: passes,
    parallelism: lanes,
    salt: new TextEncoder().encode(salt),
    ...secretOf(secret),
  };
}

function secretOf(secret?: string): Options {
  return secret === undefined ? {} : { secret: new TextEncoder().encode(secret) };
}

/** The hash in the PHC string format, which holds everything but the secret. */
function phc({ name, memory, passes, lanes, salt, hash }: Vector): string {
  const encoded = Buffer.from(salt).toString("base64").replaceAll("=", "");
  return `$${name}$v=19$m=${memory},t=${passes},p=${lanes}$${encoded}$${hash}`;
}

test("argon2 computes and verifies the hashes that OpenSSL computes", options, () => {
  const { hashSync, hashRawSync, verifySync } = argon2();
  for (const vector of vectors) {
    const { password, secret, hash } = vector;
    assert.equal(hashSync(password, optionsOf(vector)), phc(vector));
    const raw = Buffer.from(hashRawSync(password, optionsOf(vector)));
    assert.ok(raw.equals(Buffer.from(hash, "base64")));
    assert.equal(verifySync(phc(vector), password, secretOf(secret)), true);
    assert.equal(verifySync(phc(vector), password + " ", secretOf(secret)), false);
  }
});

test("argon2 computes the same hashes side by side on worker threads", options, async () => {
  const { hash, hashRaw, verify } = argon2();
  const jobs = [...vectors, ...vectors, ...vectors].map(async (vector) => {
    const { password, secret } = vector;
    const [hashed, raw, right, wrong] = await Promise.all([
      hash(password, optionsOf(vector)),
      hashRaw(password, optionsOf(vector)),
      verify(phc(vector), password, secretOf(secret)),
      verify(phc(vector), "wrong", secretOf(secret)),
    ]);
    assert.equal(hashed, phc(vector));
    assert.ok(Buffer.from(vector.hash, "base64").equals(raw));
    assert.deepEqual([right, wrong], [true, false]);
  });
  assert.equal((await Promise.all(jobs)).length, 15);
});

test("argon2 needs the secret that a hash was made with", options, () => {
  const { verifySync } = argon2();
  const [vector] = vectors.filter(({ secret }) => secret !== undefined);
  assert.ok(vector !== undefined);
  assert.equal(verifySync(phc(vector), vector.password), false);
  assert.equal(verifySync(phc(vector), vector.password, secretOf("other key")), false);
});

test("argon2 draws a new random salt for every hash, on any thread", options, async () => {
  const { hash, hashSync, verifySync, parseOptions } = argon2();
  const costs = { memoryCost: 32, timeCost: 1 };
  const hashes = await Promise.all(Array.from({ length: 30 }, () => hash("password", costs)));
  hashes.push(...Array.from({ length: 30 }, () => hashSync("password", costs)));
  const salts = hashes.map((hashed) => Buffer.from(hashed.split("$")[4]!, "base64"));
  assert.deepEqual([...new Set(salts.map((salt) => salt.length))], [16]);
  assert.equal(new Set(salts.map((salt) => salt.toString("hex"))).size, 60);
  // 960 random bytes without one of the upper half would be a wonder.
  assert.ok(salts.some((salt) => salt.some((byte) => byte >= 128)));
  for (const hashed of hashes) {
    assert.equal(verifySync(hashed, "password"), true);
    assert.deepEqual(parseOptions(hashed), {
      algorithm: 2,
      version: 1,
      ...costs,
      parallelism: 1,
      outputLen: 32,
      saltLen: 16,
    });
  }
});

test("argon2 reports errors on any thread", options, async () => {
  const { hash, hashSync, verify, verifySync } = argon2();
  assert.throws(() => verifySync("no hash", "password"), Error);
  await assert.rejects(verify("no hash", "password"), Error);
  const short = { salt: new Uint8Array(3) };
  assert.throws(() => hashSync("password", short), /salt/i);
  await assert.rejects(hash("password", short), /salt/i);
});
