/** Go's standard library: the tests of each of its packages, as its own builders run them. */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { haveDebian, must, once } from "../debian.mjs";
import { ranProgram } from "./runner.mjs";

const RELEASE = "1.24";
const MINUTES = 15;

let home;
let goroot;
let binaries;

function environment(more = {}) {
  return {
    PATH: `${path.join(goroot, "bin")}:${process.env.PATH}`,
    HOME: home,
    GOROOT: goroot,
    GOOS: "wasip1",
    GOARCH: "wasm",
    GOTOOLCHAIN: "local",
    GOPROXY: "off",
    GOFLAGS: "-vet=off",
    GOCACHE: path.join(home, "cache"),
    ...more,
  };
}

/** What the go command says; a failure says what it was for. */
function goes(why, words) {
  return must(why, path.join(goroot, "bin/go"), words, {
    env: environment(),
    cwd: path.join(goroot, "src"),
  });
}

/** The program with the tests of a package. */
function built(name) {
  const file = path.join(binaries, `${name.replaceAll("/", "+")}.wasm`);
  if (!fs.existsSync(file)) goes(`${name} does not build.`, ["test", "-c", "-o", file, name]);
  return file;
}

/** What `test2json` says of each test. */
function read(text) {
  const events = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const printed = new Map();
  const ended = new Map();
  for (const { Action, Test = "", Output } of events) {
    if (Action === "output") printed.set(Test, (printed.get(Test) ?? "") + Output);
    if (["pass", "fail", "skip"].includes(Action)) ended.set(Test, Action);
  }
  const whole = ended.get("") ?? "fail";
  ended.delete("");
  const named = (action) => [...ended].filter(([, how]) => how === action).map(([name]) => name);
  const failures = named("fail");
  // a test that fails because one within it does says nothing of its own
  const failed = failures.filter((name) => !failures.some((other) => other.startsWith(`${name}/`)))
    .map((name) => ({ name, text: printed.get(name) ?? "" }));
  if (whole === "fail" && failed.length === 0) {
    const running = [...printed.keys()].filter((name) => name !== "" && !ended.has(name));
    failed.push({
      name: running.at(-1) ?? "(all)",
      text: [printed.get(running.at(-1)), printed.get("")].join("\n").slice(-4000),
    });
  }
  return { passed: named("pass").length, skipped: named("skip").length, failed };
}

export const go = {
  name: "go",
  title: "Go's standard library",

  setUp(cache) {
    home = path.join(cache, "go");
    const debian = path.join(home, "debian");
    goroot = path.join(home, "goroot");
    binaries = path.join(home, "tests");
    fs.mkdirSync(binaries, { recursive: true });
    const packages = [`golang-${RELEASE}-go`, `golang-${RELEASE}-src`];
    haveDebian(debian, packages);
    once(goroot, packages.join(" "), () => {
      // Debian's has links to another folder, where tests do not look for packages
      const from = path.join(debian, "usr/lib", `go-${RELEASE}`);
      must("Go cannot be copied.", "cp", ["--recursive", "--dereference", from, goroot]);
      // and leaves out what tests look for
      for (const name of ["LICENSE", "CONTRIBUTING.md", "PATENTS"]) {
        fs.writeFileSync(path.join(goroot, name), "");
      }
    });
    return goes("Go does not run.", ["env", "GOVERSION"]).trim().replace("go", "");
  },

  parts() {
    const template = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}";
    return goes("Go cannot list its packages.", ["list", "-f", template, "std"]).split("\n").filter(
      Boolean,
    );
  },

  async run(name, runner) {
    const file = built(name);
    const { text } = await ranProgram("sh", [
      "-c",
      'exec "$0" tool test2json -t "$1" "$2" -test.v=test2json -test.short -test.paniconexit0 ' +
      `-test.timeout=${MINUTES}m`,
      path.join(goroot, "bin/go"),
      path.join(goroot, "lib/wasm/go_wasip1_wasm_exec"),
      file,
    ], {
      cwd: path.join(goroot, "src", name),
      env: environment({ PATH: `${runner}:${process.env.PATH}` }),
      milliseconds: (MINUTES + 1) * 60_000,
    });
    return read(text);
  },
};
