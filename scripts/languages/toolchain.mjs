/** A Debian with compilers for WASI, in which languages are built from Debian's sources. */
import path from "node:path";
import { haveDebian, haveSources, inside, once, say } from "../debian.mjs";

const PACKAGES = [
  ...["clang", "lld", "llvm", "wasi-libc", "libclang-rt-dev-wasm32"],
  ...["make", "dpkg-dev", "python3"],
];
/** Where sources are, what is built of them, and libraries, within it. */
const FOLDER = "build";

/** Libraries that the languages need: their C files, and how these are compiled. */
const LIBRARIES = {
  zlib: {
    output: "libz.a",
    headers: ["zlib.h", "zconf.h"],
    files: "adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil infback " +
      "gzlib gzread gzwrite gzclose",
    flags: "-DHAVE_UNISTD_H",
  },
  bzip2: {
    output: "libbz2.a",
    headers: ["bzlib.h"],
    files: "blocksort huffman crctable randtable compress decompress bzlib",
    flags: "",
  },
};

/** Unpacks the source of a package as its authors have released it. */
function haveSource(debian, name) {
  const place = `/${FOLDER}/${name}`;
  once(path.join(debian, place), name, () => {
    say(`the source of ${name}`);
    inside(
      debian,
      `Debian's source of ${name} cannot be had.`,
      `mkdir -p ${place}.tar ${place}
       cd ${place}.tar
       apt-get -q source --download-only --tar-only ${name}
       tar --extract --strip-components=1 --directory=${place} --file=$(ls *.orig.tar.*z* | head -1)`,
    );
  });
}

function haveLibrary(debian, name) {
  const { output, headers, files, flags } = LIBRARIES[name];
  haveSource(debian, name);
  const place = `/${FOLDER}/lib/${output}`;
  once(path.join(debian, place), flags, () =>
    inside(
      debian,
      `${name} does not build.`,
      `mkdir -p /${FOLDER}/lib /${FOLDER}/include
       cd /${FOLDER}/${name}
       for file in ${files}; do
         clang --target=wasm32-wasi -O2 ${flags} -c $file.c -o $file.o
       done
       llvm-ar rcs ${place} *.o
       cp ${headers.join(" ")} /${FOLDER}/include`,
    ));
}

/** Has the Debian. */
function haveToolchain(cache) {
  const debian = path.join(cache, "toolchain/debian");
  haveDebian(debian, PACKAGES);
  haveSources(debian);
  return debian;
}

/** @returns the folder with the source of a package as its authors have released it */
export function sourceOf(cache, name) {
  const debian = haveToolchain(cache);
  haveSource(debian, name);
  return path.join(debian, FOLDER, name);
}

/**
 * Builds a language from Debian's source of `name`, within the folder /build, unless that has been done.
 *
 * @returns the folder /build, as it is named outside
 */
export function haveLanguage(cache, name, libraries, script) {
  const debian = haveToolchain(cache);
  for (const library of libraries) haveLibrary(debian, library);
  haveSource(debian, name);
  once(path.join(debian, FOLDER, `${name}.built`), script, () => {
    say(`building ${name}: this takes some minutes`);
    inside(debian, `${name} does not build.`, `${script}\ntouch /${FOLDER}/${name}.built`);
  });
  return path.join(debian, FOLDER);
}
