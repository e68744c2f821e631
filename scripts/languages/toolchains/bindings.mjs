/**
 * Packages in Rust, bound to JavaScript by napi-rs, compiled for WASI with threads. Each check loads
 * the package's own file for WASI, and uses it in this thread and, where it can, in others.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createECDH } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import vm from "node:vm";

/** Made by checks, to be removed after them. */
export const folders = [];

/** A folder with these files. */
function folderOf(files) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "toolchains-")));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  folders.push(folder);
  return folder;
}

/** What a script without imports has printed. */
function printed(code) {
  const lines = [];
  vm.runInNewContext(code, { console: { log: (...words) => lines.push(words.join(" ")) } });
  return lines;
}

const text = Buffer.from("größe 🦀 ".repeat(20_000));

function compressors(name, { compressSync, decompressSync, compress, decompress }, check) {
  return {
    [`${name} gives back what was compressed`]: async () => {
      const packed = compressSync(text);
      check(packed);
      assert.deepEqual(Buffer.from(decompressSync(packed)), text);
      const all = await Promise.all(Array.from({ length: 8 }, () => compress(text)));
      for (const one of all) assert.deepEqual(Buffer.from(one), Buffer.from(packed));
      assert.deepEqual(Buffer.from(await decompress(packed)), text);
      assert.throws(() => decompressSync(Buffer.from("this is nothing compressed")));
    },
  };
}

const isSmall = (packed) => assert.ok(packed.length < text.length / 5, `${packed.length}`);

const runAll = async (checks) => {
  for (const check of Object.values(checks)) await check();
};

const compression = {
  "@napi-rs/snappy": ({ require }) => {
    const { compressSync, uncompressSync, compress, uncompress } = require(
      "@napi-rs/snappy-wasm32-wasi",
    );
    assert.deepEqual([...compressSync(Buffer.alloc(0))], [0]); // the length alone
    return runAll(compressors("snappy", {
      compressSync,
      compress,
      decompressSync: (bytes) => uncompressSync(bytes),
      decompress: (bytes) => uncompress(bytes),
    }, isSmall));
  },
  "@napi-rs/lzma": async ({ older }) => {
    const { xz, lzma, lzma2 } = older("@napi-rs/lzma-wasm32-wasi");
    await runAll(compressors("lzma", lzma, isSmall));
    // what it makes of the others is as large as the text, as the native build has it
    assert.equal(Buffer.from(xz.compressSync(text)).toString("latin1", 0, 6), "\xfd7zXZ\0");
    for (const one of [xz, lzma2]) {
      assert.deepEqual(Buffer.from(one.decompressSync(one.compressSync(text))), text);
    }
  },
};

const hashes = {
  "@node-rs/crc32": ({ require }) => {
    const { crc32, crc32c } = require("@node-rs/crc32-wasm32-wasi");
    assert.equal(crc32("123456789"), 0xcbf43926);
    assert.equal(crc32c("123456789"), 0xe3069283);
  },
  "@node-rs/xxhash": ({ require }) => {
    const { xxh32, xxh64, xxh3 } = require("@node-rs/xxhash-wasm32-wasi");
    assert.equal(xxh32("", 0), 0x02cc5d05);
    assert.equal(xxh64("", 0n), 0xef46db3751d8e999n);
    assert.equal(xxh3.xxh64("", 0n), 0x2d06800538d394c2n);
    assert.equal(xxh3.xxh128("", 0n), 0x99aa06d3014798d86001c324468d497fn);
  },
  "@node-rs/bcrypt": async ({ older }) => {
    const { hash, hashSync, verify, verifySync } = older("@node-rs/bcrypt-wasm32-wasi");
    const known = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert.equal(verifySync("U*U", known), true);
    assert.equal(await verify("U*U*", known), false);
    assert.equal(verifySync("größe", hashSync("größe", 4)), true);
    const all = await Promise.all(["a", "b", "c"].map((word) => hash(word, 4)));
    assert.deepEqual(all.map((one) => verifySync("b", one)), [false, true, false]);
  },
};

const compilers = {
  "oxc-minify": async ({ require }) => {
    const { minify, minifySync } = require("@oxc-minify/binding-wasm32-wasi");
    const code = "const answer = 6 * 7; function unused() {} if (false) f(); console.log(answer);";
    for (const made of [minifySync("a.js", code), await minify("a.js", code)]) {
      assert.deepEqual(made.errors, []);
      assert.ok(made.code.length < code.length && !made.code.includes("f()"), made.code);
      assert.deepEqual(printed(made.code), ["42"]);
    }
  },
  "oxc-transform": async ({ require }) => {
    const { transform, transformSync } = require("@oxc-transform/binding-wasm32-wasi");
    const code = "enum E { A = 40, B } class C<T> { constructor(private x: T) {} get(): T { " +
      "return this.x } }\nlet n: number = E.B + 1; console.log(new C(n).get() as any, E[40]!);";
    for (const made of [transformSync("a.ts", code), await transform("a.ts", code)]) {
      assert.deepEqual(made.errors, []);
      assert.deepEqual(printed(made.code), ["42 A"]);
    }
    assert.equal(transformSync("a.ts", "let = ;").errors.length > 0, true);
  },
  "@oxc-node/core": async ({ older }) => {
    const { OxcTransformer } = older("@oxc-node/core-wasm32-wasi");
    const transformer = new OxcTransformer(os.tmpdir());
    const code = "const x: number = 41; console.log((x satisfies number) + 1);";
    for (const method of ["transform", "transformAsync"]) {
      const made = await transformer[method](path.join(os.tmpdir(), "a.ts"), code);
      assert.deepEqual(printed(made.source()), ["42"]);
    }
  },
  "@rspack": async ({ require }) => {
    const { minify, minifySync } = require("@rspack/binding-wasm32-wasi");
    const options = JSON.stringify({ mangle: true });
    const code = "function f(longName) { return longName * 7 } console.log(f(6));";
    for (const made of [minifySync(code, options), await minify(code, options)]) {
      assert.deepEqual(printed(made.code), ["42"]);
      assert.ok(!made.code.includes("longName"), made.code);
    }
  },
  "@astrojs/compiler": async ({ require }) => {
    const { compileAstro, compileAstroSync, parseAstroSync } = require(
      "@astrojs/compiler-binding-wasm32-wasi",
    );
    const code = "---\nconst x: number = 1;\n---\n<h1>{x}</h1><style>h1 { color: red }</style>\n";
    for (const made of [compileAstroSync(code, {}), await compileAstro(code, {})]) {
      assert.deepEqual(made.diagnostics, []);
      assert.match(made.code, /<h1 class="astro-\w+">\$\{x\}<\/h1>/);
      assert.match(made.css[0], /^h1:where\(\.astro-\w+\) \{\s*color: red;?\s*\}\s*$/);
    }
    assert.ok(JSON.stringify(parseAstroSync(code, {})).includes("h1"));
  },
};

/** Both resolve as Node does. */
async function resolves({ ResolverFactory }) {
  const folder = folderOf({
    "src/a.mjs": "",
    "node_modules/p/package.json": JSON.stringify({
      name: "p",
      exports: { ".": { import: "./i.mjs", require: "./r.cjs" }, "./x/*": "./y/*.js" },
    }),
    "node_modules/p/i.mjs": "",
    "node_modules/p/r.cjs": "",
    "node_modules/p/y/z.js": "",
  });
  fs.symlinkSync("src", path.join(folder, "link"));
  const resolver = new ResolverFactory({ conditionNames: ["import"], extensions: [".mjs"] });
  const expected = {
    "./src/a": "src/a.mjs",
    "./link/a.mjs": "src/a.mjs",
    p: "node_modules/p/i.mjs",
    "p/x/z": "node_modules/p/y/z.js",
  };
  for (const [name, file] of Object.entries(expected)) {
    assert.equal(resolver.sync(folder, name).path, path.join(folder, file), name);
    assert.equal((await resolver.async(folder, name)).path, path.join(folder, file), name);
  }
  for (const name of ["./none", "p/none", "q"]) assert.ok(resolver.sync(folder, name).error, name);
}

const files = {
  "oxc-resolver": ({ require }) => resolves(require("@oxc-resolver/binding-wasm32-wasi")),
  "unrs-resolver": ({ require }) => resolves(require("@unrs/resolver-binding-wasm32-wasi")),
  "@napi-rs/tar": ({ require }) => {
    const { Archive } = require("@napi-rs/tar-wasm32-wasi");
    const folder = folderOf({ "in/größe.txt": "größe", "in/d/b.bin": Buffer.alloc(3000, 7) });
    const archive = path.join(folder, "out.tar");
    spawnSync("tar", ["cf", archive, "--format=gnu", "in"], { cwd: folder });
    // its files are not unpacked: the library has no permissions for WASI, and stops there
    const entries = [...new Archive(archive).entries()];
    assert.deepEqual(entries.map((entry) => entry.path()).sort(), [
      "in/",
      "in/d/",
      "in/d/b.bin",
      "in/größe.txt",
    ]);
    assert.throws(() => new Archive(path.join(folder, "none.tar")), /No such file/);
  },
  "@arkts/project-detector": ({ require }) => {
    const { ProjectDetector, Project, Uri } = require("@arkts/project-detector-wasm32-wasi");
    const folder = folderOf({
      "one/build-profile.json5": "{ app: { products: [] }, modules: [], a: 'ä', }",
    });
    const project = Project.create(
      ProjectDetector.create(folder),
      Uri.file(path.join(folder, "one")).toString(),
    );
    assert.deepEqual(project.getParsedBuildProfile(), {
      app: { products: [] },
      modules: [],
      a: "ä",
    });
  },
};

const data = {
  "@napi-rs/image": async ({ require }) => {
    const { Transformer, losslessCompressPngSync } = require("@napi-rs/image-wasm32-wasi");
    const pixels = Buffer.from(
      Array.from({ length: 64 * 48 * 4 }, (_, i) => i % 4 < 3 ? i % 251 : 255),
    );
    const png = await Transformer.fromRgbaPixels(pixels, 64, 48).png();
    assert.deepEqual([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [64, 48]);
    for (const lossless of [png, losslessCompressPngSync(png)]) {
      const back = new Transformer(Buffer.from(lossless)).rawPixelsSync();
      const channels = back.length / (64 * 48);
      const same = pixels.filter((_, i) => channels === 4 || i % 4 < 3);
      assert.deepEqual(Buffer.from(back), Buffer.from(same));
    }
    const smaller = new Transformer(png).resize(16, 12).jpegSync(80);
    assert.deepEqual([...smaller.subarray(0, 3)], [0xff, 0xd8, 0xff]);
    const { width, height, format } = await new Transformer(smaller).metadata();
    assert.deepEqual([width, height, format], [16, 12, "jpeg"]);
    const webp = await new Transformer(png).webpLossless();
    assert.equal(webp.toString("latin1", 8, 12), "WEBP");
  },
  "@node-rs/jieba": async ({ older }) => {
    const { Jieba } = older("@node-rs/jieba-wasm32-wasi");
    const jieba = Jieba.withDict(Buffer.from("北京 100 ns\n天安门 100 ns\n"));
    const words = ["我", "爱", "北京", "天安门"];
    assert.deepEqual(jieba.cut("我爱北京天安门", false), words);
    assert.deepEqual(await jieba.cutAsync("我爱北京天安门", false), words);
  },
  "@gorules/zen-engine": async ({ require }) => {
    const { ZenEngine, evaluateExpression, evaluateExpressionSync } = require(
      "@gorules/zen-engine-wasm32-wasi",
    );
    assert.equal(evaluateExpressionSync("a * 2 + sum(b)", { a: 3, b: [1, 2] }), 9);
    assert.equal(
      await evaluateExpression("len(s) > 3 and s[0] == 'ä'", { s: ["ä", 2, 3, 4] }),
      true,
    );
    const node = (id, type, content) => ({ id, type, name: id, content, position: { x: 0, y: 0 } });
    const content = {
      expressions: [{ id: "1", key: "sum", value: "a + b" }],
    };
    const graph = {
      nodes: [
        node("in", "inputNode"),
        node("e", "expressionNode", content),
        node("o", "outputNode"),
      ],
      edges: [["in", "e"], ["e", "o"]].map(([sourceId, targetId], i) => ({
        id: `${i}`,
        type: "edge",
        sourceId,
        targetId,
      })),
    };
    const decision = new ZenEngine().createDecision(Buffer.from(JSON.stringify(graph)));
    const { result } = await decision.evaluate({ a: 40, b: 2 });
    assert.equal(result.sum, 42);
  },
  "rrule-rust": ({ require }) => {
    const { RRuleSet } = require("@rrule-rust/lib-wasm32-wasi");
    // an example of RFC 5545: the second to last Monday of six months
    const set = RRuleSet.parse(
      "DTSTART;TZID=America/New_York:19970902T090000\nRRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
    );
    const numbers = [...set.all(100)];
    const days = numbers.flatMap((year, i) =>
      i % 7 === 0 ? [[year, ...numbers.slice(i + 1, i + 4)]] : []
    );
    const expected = [[1997, 9, 22, 9], [1997, 10, 20, 9], [1997, 11, 17, 9], [1997, 12, 22, 9]]
      .concat([[1998, 1, 19, 9], [1998, 2, 16, 9]]);
    assert.deepEqual(days, expected);
  },
  "@open-spaced-repetition": ({ require }) => {
    const { FSRSBinding } = require("@open-spaced-repetition/binding-wasm32-wasi");
    const parameters = [0.4, 0.6, 2.4, 5.8, 4.93, 0.94, 0.86, 0.01, 1.49, 0.14, 0.94, 2.18, 0.05]
      .concat([0.34, 1.26, 0.29, 2.61]);
    // the first stabilities are the first four parameters
    const { again, hard, good, easy } = new FSRSBinding(parameters).nextStates(null, 0.9, 0);
    const stabilities = [again, hard, good, easy].map(({ memory }) => memory.stability.toFixed(3));
    assert.deepEqual(stabilities, parameters.slice(0, 4).map((one) => one.toFixed(3)));
  },
  "@snazzah/davey": ({ require }) => {
    const { generateDisplayableCode, generateP256Keypair } = require("@snazzah/davey-wasm32-wasi");
    // the last digits of the number that the bytes are
    assert.equal(generateDisplayableCode(Buffer.from("aabbccddee", "hex"), 5, 5), "05870");
    const pair = generateP256Keypair();
    const ecdh = createECDH("prime256v1");
    ecdh.setPrivateKey(pair.private);
    assert.deepEqual(Buffer.from(pair.public), ecdh.getPublicKey());
  },
  "@napi-rs/wasm-tools": ({ require }) => {
    const { ModuleConfig } = require("@napi-rs/wasm-tools-wasm32-wasi");
    // (module (func (export "f") (result i32) (i32.const 42)))
    const bytes = Buffer.from(
      "0061736d010000000105016000017f030201000705010166000 00a0601040041 2a0b"
        .replaceAll(" ", ""),
      "hex",
    );
    const module = new ModuleConfig().parse(bytes);
    const made = module.emitWasm(false);
    assert.equal(new WebAssembly.Instance(new WebAssembly.Module(made)).exports.f(), 42);
  },
};

/** By package, one check each. */
export const bindings = Object.fromEntries(
  Object.entries({ ...compression, ...hashes, ...compilers, ...files, ...data }).map((
    [name, check],
  ) => [`napi-rs ${name}`, { [name]: check }]),
);
