/**
 * A program that knows nothing of the class under test: it loads a napi-rs binding for WASI as it is
 * and works with it in threads. Arguments: the binding's folder or name, its npm name, a folder.
 */
import { createRequire } from "node:module";
import process from "node:process";

const [, , place, name, folder] = process.argv as [string, string, string, string, string];

/** The bindings leave nothing that keeps Deno running; and nothing may hang for ever. */
const watchdog = setTimeout(() => process.exit(9), 60_000);

interface Oxc {
  parse(name: string, text: string): Promise<{ program: string }>;
  parseSync(name: string, text: string): { program: string };
}

interface Argon2 {
  hash(password: string, options: object): Promise<string>;
  verify(hashed: string, password: string): Promise<boolean>;
}

interface Oxide {
  Scanner: new (options: object) => { scan(): string[] };
}

/** The kinds of the statements in a source. */
function kinds({ program }: { program: string }): string[] {
  return (JSON.parse(program).node.body as { type: string }[]).map(({ type }) => type);
}

async function work(): Promise<unknown> {
  const binding = createRequire(import.meta.url)(place) as unknown;
  if (name.includes("oxc")) {
    const { parse, parseSync } = binding as Oxc;
    const texts = Array.from({ length: 8 }, (_, i) => "let x;".repeat(i) + "class C {}");
    const trees = await Promise.all(texts.map((text) => parse("source.ts", text)));
    return [parseSync("source.ts", "enum E {}"), ...trees].map(kinds);
  }
  if (name.includes("argon2")) {
    const { hash, verify } = binding as Argon2;
    const options = {
      algorithm: 2,
      memoryCost: 65536,
      timeCost: 2,
      parallelism: 1,
      salt: new TextEncoder().encode("somesalt"),
    };
    const hashes = await Promise.all([hash("password", options), hash("password", options)]);
    const right = await Promise.all([verify(hashes[0]!, "password"), verify(hashes[1]!, "other")]);
    return [...hashes, ...right];
  }
  const { Scanner } = binding as Oxide;
  return new Scanner({ sources: [{ base: folder, pattern: "**/*", negated: false }] }).scan();
}

const result = await work();
await new Promise<void>((resolve) => {
  process.stdout.write(JSON.stringify(result) + "\n", () => resolve());
});
clearTimeout(watchdog);
process.exit(0);
