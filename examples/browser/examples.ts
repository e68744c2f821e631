/** What can be chosen on the page. */

/** A program with all that it gets. */
export interface Example {
  title: string;
  about: string;
  program: string;
  args: string;
  env?: Record<string, string>;
  stdin: string;
  files: Record<string, string>;
}

const PYTHON = "../../programs/python.wasm";
const env: Record<string, string> = { PYTHONHOME: "/usr/local" };

export const EXAMPLES: readonly Example[] = [
  {
    title: "CPython: count words",
    about: "CPython 3.12 with its standard library reads files and its input, and writes others. " +
      "The program is 26 MB.",
    program: PYTHON,
    args: "python -B -u /work/main.py",
    env,
    stdin: "the words of the input\ncount as well\n",
    files: {
      "main.py": `import collections, json, pathlib, platform, sys

work = pathlib.Path("/work")
words = collections.Counter(sys.stdin.read().split())
for file in sorted(work.glob("texts/*.txt")):
    words.update(file.read_text().split())
    print("read", file)

(work / "out").mkdir(exist_ok=True)
(work / "out/words.json").write_text(json.dumps(dict(words.most_common(5)), indent=2))
(work / "texts/draft.txt").rename(work / "out/draft.txt")

print("Python", platform.python_version(), "on", sys.platform)
print(words.total(), "words,", len(words), "different ones")
try:
    open("/work/../etc/passwd")
except OSError as error:
    print("outside of /work:", error.strerror, file=sys.stderr)
`,
      "texts/one.txt": "the quick brown fox jumps over the lazy dog\n",
      "texts/draft.txt": "the end of the draft\n",
    },
  },
  {
    title: "CPython: never ends",
    about: "An endless loop. Stop, or the time limit, ends it whatever it is doing.",
    program: PYTHON,
    args: "python -B -u /work/loop.py",
    env,
    stdin: "",
    files: {
      "loop.py": `n = 0
while True:
    n += 1
    if n % 1_000_000 == 0:
        print(n, "turns")
`,
    },
  },
  {
    title: "ripgrep: search files",
    about: "ripgrep 15, written in Rust, searches all files for a regular expression.",
    program: "../../programs/rg.wasm",
    args: `rg --sort=path --line-number --heading "wor(k|ld)s?" /work`,
    stdin: "",
    files: {
      "hello.txt": "Hello, world!\nNothing in this line.\nAll the world's a stage.\n",
      "src/main.rs": `fn main() {\n    println!("it works");\n}\n`,
      ".hidden": "a world that is not looked at\n",
    },
  },
  {
    title: "A small tool in C: capitals",
    about: "It reads its input and writes it in capitals. Other commands: " +
      "list PATH, write PATH TEXT, rename OLD NEW, remove PATH.",
    program: "../../programs/tool.wasm",
    args: "tool upper",
    stdin: "hello from the page\n",
    files: { "note.txt": "A file.\n" },
  },
];
