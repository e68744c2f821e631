/**
 * A Debian with compilers for WASI, in which languages and programs are built of the sources of Debian's
 * packages.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { haveDebian, haveSources, inside, once, say, SetupError, SUITE } from "../debian.mjs";

const PACKAGES = `
  clang lld llvm wasi-libc libclang-rt-dev-wasm32 make dpkg-dev xz-utils bzip2 gcc libc6-dev python3
  tcl8.6 binaryen
`.trim().split(/\s+/);

/** Libraries that the languages need: their C files, and how these are compiled. */
const LIBRARIES = {
  zlib: {
    output: "libz.a",
    files: "adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil infback " +
      "gzlib gzread gzwrite gzclose",
    flags: "-DHAVE_UNISTD_H",
  },
  bzip2: {
    output: "libbz2.a",
    files: "blocksort huffman crctable randtable compress decompress bzlib",
    flags: "",
  },
};

let debian;

/** A place inside the Debian, as the host sees it. */
export function outside(place) {
  return path.join(debian, place);
}

/** Makes the Debian unless it is there. */
export function haveToolchain(cache) {
  debian = path.join(cache, "toolchain/debian");
  fs.mkdirSync(path.dirname(debian), { recursive: true });
  haveDebian(debian, PACKAGES);
  haveSources(debian);
}

/** What fetches the source of a package that the Debian's own release has. */
const RELEASED = (name) => `apt-get -q source --download-only --tar-only ${name}`;

/** What fetches an archive that only a later release has, whose lists apt may not take any more. */
const LATER = (name, { version, sha256 }) => `
  file=${name}_${version}.orig.tar.xz
  mirror=$(sed -n "s/^deb \\(\\S*\\) ${SUITE} .*/\\1/p" /etc/apt/sources.list)
  /usr/lib/apt/apt-helper download-file $mirror/pool/main/${name[0]}/${name}/$file $file \\
    SHA256:${sha256}
`;

/**
 * Has the source of one of Debian's packages, as its authors have released it.
 *
 * @param later the version and the checksum of its archive, if it is of a later release
 * @returns its version, and where it is inside the Debian
 */
export function haveSource(name, later) {
  const place = `/src/${name}`;
  fs.mkdirSync(outside("src"), { recursive: true });
  once(outside(place), [name, later?.version ?? []].flat().join(" "), () => {
    say(`the source of ${name}`);
    inside(
      debian,
      `Debian's source of ${name} cannot be had: see whether the mirror has it` +
        `${later === undefined ? "" : ` in version ${later.version}`}.`,
      `mkdir -p ${place}/source
       cd ${place}
       ${later === undefined ? RELEASED(name) : LATER(name, later)}
       tar --extract --strip-components=1 --directory=source --file=$(ls *.orig.tar.*z*)`,
    );
  });
  const archive = /^[^_]+_(.*)\.orig\.tar\.\w+$/m.exec(fs.readdirSync(outside(place)).join("\n"));
  if (archive === null) throw new SetupError(`${outside(place)} is not complete: remove it.`);
  return { version: archive[1], source: `${place}/source` };
}

/** A command for sh that writes a file. */
export function writing(name, text) {
  return `cat >${name} <<'END'\n${text}\nEND`;
}

/**
 * Builds something in a folder of its own inside the Debian, with a script for sh.
 *
 * @param needed texts of which others make it once more
 * @returns the folder, inside the Debian
 */
export function haveBuilt(name, script, ...needed) {
  const place = `/build/${name}`;
  fs.mkdirSync(outside("build"), { recursive: true });
  const how = createHash("sha256").update([script, ...needed].join("\0")).digest("hex");
  once(outside(place), how, () => {
    say(`building ${name}`);
    inside(debian, `${name} does not build.`, `mkdir ${place}\ncd ${place}\n${script}`);
  });
  return place;
}

/**
 * Builds a library.
 *
 * @returns the folder with it and its headers, inside the Debian
 */
export function haveLibrary(name) {
  const { output, files, flags } = LIBRARIES[name];
  return haveBuilt(
    name,
    `cp ${haveSource(name).source}/*.[ch] .
     for file in ${files}; do clang --target=wasm32-wasi -O2 ${flags} -c $file.c; done
     llvm-ar rcs ${output} *.o`,
  );
}
