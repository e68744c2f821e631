/**
 * Rust: the tests of its libraries, of its compiler (those that are run) and of crates, as modules
 * (wasm32-wasip1) and as components (wasm32-wasip2). All of it is in the sources of Debian's rustc.
 */
import fs from "node:fs";
import path from "node:path";
import { haveDebian, haveSources, inside, once, wordsInside } from "../debian.mjs";
import { crates } from "./rust_crates.mjs";
import { library } from "./rust_library.mjs";
import { ui } from "./rust_ui.mjs";
import { ranProgram } from "./runner.mjs";

const PACKAGES = ["cargo", "rustc", "rust-llvm", "libstd-rust-dev-wasm32", "lld", "xz-utils"];
/** Everything of ours is in this folder of Debian's. */
const PLACE = "/suite";
const MINUTES = 60;

const kinds = { library, ui, crates };
const building = new Map();
let debian;

/** Runs a script within Debian; a failure says what it was for. */
async function built(why, script) {
  const { code, text } = await ranProgram("unshare", wordsInside(debian, script), {
    milliseconds: MINUTES * 60_000,
  });
  if (code !== 0) throw new Error(`${why}\n${text.slice(-4000)}`);
}

async function onceBuilt(file, why, script) {
  const stamp = `${file}.done`;
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === script) return;
  fs.rmSync(stamp, { force: true });
  fs.rmSync(file, { recursive: true, force: true });
  await built(why, script);
  fs.writeFileSync(stamp, script);
}

/**
 * Fetches the sources of rustc and unpacks what is wanted of them. Only that archive is fetched, not
 * the whole package, for which some mirrors lack a part.
 */
function unpack() {
  const wanted = ["library", "tests/ui", ...crates.sources()];
  haveSources(debian);
  const script = `rm -rf ${PLACE}; mkdir -p ${PLACE}/source; cd ${PLACE}
    set -- $(apt-get -q source --print-uris rustc | grep 'orig\\.tar\\.xz' | tr -d "'")
    /usr/lib/apt/apt-helper download-file "$1" source.tar.xz "$4"
    tar -xJf source.tar.xz -C source --strip-components=1 --wildcards --no-wildcards-match-slash ${
    wanted.map((name) => `'rustc-*/${name}'`).join(" ")
  }
    rm source.tar.xz`;
  inside(debian, "The sources of rustc cannot be had.", script);
  const source = path.join(debian, PLACE, "source");
  library.prepare(path.join(source, "library"));
  crates.prepare(path.join(source, "vendor"));
}

/** What builds a part: it is built once, whoever asks. */
function workshop(target) {
  return {
    target: `wasm32-${target}`,
    place: PLACE,
    source: `${PLACE}/source`,
    /** The file of this machine's for one of Debian's. */
    outside: (file) => path.join(debian, file),
    /** Runs a script that makes a file or a folder, unless it has done so before. */
    async make(result, why, script) {
      const file = path.join(debian, result);
      if (!building.has(file)) building.set(file, onceBuilt(file, why, script));
      await building.get(file);
    },
  };
}

export const rust = {
  name: "rust",
  title: "Rust's libraries, compiler and crates",

  setUp(cache) {
    debian = path.join(cache, "rust", "debian");
    fs.mkdirSync(path.dirname(debian), { recursive: true });
    haveDebian(debian, PACKAGES);
    const how = [...crates.sources(), crates.changes(), library.changes()].join(" ");
    once(path.join(debian, PLACE), how, unpack);
    return inside(debian, "rustc does not run.", "rustc --version").split(" ")[1];
  },

  parts() {
    return ["wasip1", "wasip2"].flatMap((target) =>
      Object.entries(kinds).flatMap(([kind, { parts }]) =>
        parts(target).map((part) => `${target}/${kind}/${part}`)
      )
    );
  },

  async run(name, runner) {
    const [target, kind, part] = name.split("/");
    return await kinds[kind].run(part, workshop(target), runner);
  },
};
