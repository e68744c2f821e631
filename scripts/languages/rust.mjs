/**
 * Rust: the tests of its libraries, of its compiler (those that are run) and of crates, as modules
 * (wasm32-wasip1) and as components (wasm32-wasip2). All of it is in the sources of Debian's rustc.
 */
import fs from "node:fs";
import path from "node:path";
import { haveDebian, must, once } from "../debian.mjs";
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

/** Words that run a script within Debian, as its root. */
function within(script) {
  const enter = "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && " +
    'exec chroot $0 env -i PATH=/usr/bin:/bin HOME=/root sh -c "$1"';
  return ["--mount", "--pid", "--fork", "sh", "-c", enter, debian, script];
}

/** Runs a script within Debian; a failure says what it was for. */
async function built(why, script) {
  const { code, text } = await ranProgram("unshare", within(script), {
    milliseconds: MINUTES * 60_000,
  });
  if (code !== 0) throw new Error(`${why}\n${text.slice(-4000)}`);
}

/**
 * Fetches the sources of rustc and unpacks what is wanted of them. Only that archive is fetched, not
 * the whole package, for which some mirrors lack a part.
 */
function unpack() {
  const wanted = ["library", "tests/ui", ...crates.sources()];
  const script = `set -e; rm -rf ${PLACE}; mkdir -p ${PLACE}/source; cd ${PLACE}
    sed 's/^deb /deb-src /' /etc/apt/sources.list > /etc/apt/sources.list.d/sources.list
    apt-get -q update
    set -- $(apt-get -q source --print-uris rustc | grep 'orig\\.tar\\.xz' | tr -d "'")
    /usr/lib/apt/apt-helper download-file "$1" source.tar.xz "$4"
    tar -xJf source.tar.xz -C source --strip-components=1 --wildcards --no-wildcards-match-slash ${
    wanted.map((name) => `'rustc-*/${name}'`).join(" ")
  }
    rm source.tar.xz`;
  must("The sources of rustc cannot be had.", "unshare", within(script));
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
    /** Runs a script that makes a file or a folder, unless it is there. */
    async make(result, why, script) {
      const file = path.join(debian, result);
      if (fs.existsSync(file)) return;
      if (!building.has(file)) building.set(file, built(why, script));
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
    return must("rustc does not run.", "unshare", within("rustc --version")).split(" ")[1];
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
