/**
 * imagecli (Rust, the `image` crate) converting and changing images in a real folder. The test
 * makes the images, and reads what comes out with decoders of its own.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import zlib from "node:zlib";
import { compile, run, scratch } from "../support/harness.ts";

const options = { timeout: 120_000 };

type Color = [red: number, green: number, blue: number];

/** An image without transparency, row by row. */
interface Image {
  width: number;
  height: number;
  pixels: Color[];
}

/** Runs imagecli with the folder as /data and returns what it prints. */
function imagecli(folder: string, ...args: string[]): string {
  const program = compile("node_modules/@jspawn/imagecli-wasm/imagecli.wasm");
  const outcome = run(program, { args: ["imagecli", ...args], preopens: { "/data": folder } });
  assert.equal(outcome.code, 0, outcome.err);
  return outcome.out;
}

/** Sends an image through a pipeline: PPM in, PNG out, for some results have transparency. */
function pipe(image: Image, pipeline: string): Image {
  const folder = scratch("wasi-imagecli");
  fs.writeFileSync(path.join(folder, "in.ppm"), encodePpm(image));
  imagecli(folder, "-i", "/data/in.ppm", "-o", "/data/out.png", "-p", pipeline);
  return decodePng(fs.readFileSync(path.join(folder, "out.png")));
}

function paint(width: number, height: number, color: (x: number, y: number) => Color): Image {
  const pixels = Array.from(
    { length: width * height },
    (_, i) => color(i % width, Math.floor(i / width)),
  );
  return { width, height, pixels };
}

/** An image whose pixels are all different. */
function sample(width = 13, height = 7): Image {
  return paint(width, height, (x, y) => [(x * 19) % 256, (y * 36) % 256, (x * 7 + y * 11) % 256]);
}

/** The color at a place of the image. */
function at({ pixels, width }: Image, x: number, y: number): Color {
  const color = pixels[y * width + x];
  assert.ok(color !== undefined);
  return color;
}

/** The colors in a row of bytes; a fourth channel has to say that nothing is transparent. */
function colors(bytes: Uint8Array, channels = 3): Color[] {
  return Array.from({ length: bytes.length / channels }, (_, i) => {
    const [red, green, blue, alpha = 255] = bytes.subarray(channels * i, channels * (i + 1));
    assert.equal(alpha, 255);
    return [red, green, blue] as Color;
  });
}

// The Netpbm formats: https://netpbm.sourceforge.net/doc/ppm.html

function encodePpm({ width, height, pixels }: Image): Uint8Array {
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), Buffer.from(pixels.flat())]);
}

function decodePpm(bytes: Uint8Array): Image {
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(Buffer.from(bytes).toString("latin1"));
  assert.ok(header !== null);
  const pixels = colors(bytes.subarray(header[0].length));
  return { width: Number(header[1]), height: Number(header[2]), pixels };
}

// The Windows bitmap, bottom row first, blue first, every row padded to four bytes.

function encodeBmp({ width, height, pixels }: Image): Uint8Array {
  const stride = Math.ceil(width * 3 / 4) * 4;
  const bytes = Buffer.alloc(54 + stride * height);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (const [i, [red, green, blue]] of pixels.entries()) {
    const row = height - 1 - Math.floor(i / width);
    bytes.set([blue, green, red], 54 + row * stride + (i % width) * 3);
  }
  return bytes;
}

function decodeBmp(bytes: Buffer): Image {
  assert.equal(bytes.toString("latin1", 0, 2), "BM");
  assert.equal(bytes.readUInt16LE(28), 24);
  const [start, width, height] = [10, 18, 22].map((offset) => bytes.readUInt32LE(offset)) as [
    number,
    number,
    number,
  ];
  const stride = Math.ceil(width * 3 / 4) * 4;
  return paint(width, height, (x, y) => {
    const pixel = start + (height - 1 - y) * stride + x * 3;
    return [bytes[pixel + 2]!, bytes[pixel + 1]!, bytes[pixel]!];
  });
}

// PNG: https://www.w3.org/TR/png-3/

const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function encodePng({ width, height, pixels }: Image): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
    bytes.writeUInt32BE(data.length, 0);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
    return bytes;
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const rows = Array.from(
    { length: height },
    (_, y) => Buffer.from([0, ...pixels.slice(y * width, (y + 1) * width).flat()]),
  );
  const data = zlib.deflateSync(Buffer.concat(rows));
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

function pngChunks(bytes: Buffer): { type: string; data: Buffer }[] {
  assert.ok(bytes.subarray(0, 8).equals(signature));
  const chunks = [];
  for (let offset = 8; offset < bytes.length;) {
    const end = offset + 8 + bytes.readUInt32BE(offset);
    const body = bytes.subarray(offset + 4, end);
    assert.equal(bytes.readUInt32BE(end), crc32(body));
    chunks.push({ type: body.toString("latin1", 0, 4), data: body.subarray(4) });
    offset = end + 4;
  }
  return chunks;
}

/** What a PNG filter adds to a byte, given its neighbours. */
function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter === 4) {
    const estimate = left + up - corner;
    const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value)) as Color;
    return a <= b && a <= c ? left : b <= c ? up : corner;
  }
  return [0, left, up, (left + up) >> 1][filter]!;
}

function decodePng(bytes: Buffer): Image {
  const chunks = pngChunks(bytes);
  const header = chunks[0]!.data;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = header[9] === 6 ? 4 : 3;
  assert.deepEqual([...header.subarray(8)], [8, channels === 4 ? 6 : 2, 0, 0, 0]);
  const packed = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const raw = zlib.inflateSync(Buffer.concat(packed));
  const size = width * channels;
  const plain = Buffer.alloc(size * height);
  const get = (row: number, i: number): number => row < 0 || i < 0 ? 0 : plain[row * size + i]!;
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (size + 1)]!;
    for (let i = 0; i < size; i++) {
      const left = i - channels;
      const added = predict(filter, get(row, left), get(row - 1, i), get(row - 1, left));
      plain[row * size + i] = raw[row * (size + 1) + 1 + i]! + added;
    }
  }
  return { width, height, pixels: colors(plain, channels) };
}

const formats = {
  ppm: { encode: encodePpm, decode: decodePpm },
  bmp: { encode: encodeBmp, decode: decodeBmp },
  png: { encode: encodePng, decode: decodePng },
};

test("imagecli converts between PNG, BMP and PPM without changing a pixel", options, () => {
  const image = sample();
  for (const [from, { encode }] of Object.entries(formats)) {
    for (const [to, { decode }] of Object.entries(formats)) {
      const folder = scratch("wasi-imagecli");
      fs.writeFileSync(path.join(folder, `bïld.${from}`), encode(image));
      imagecli(folder, "-i", `/data/bïld.${from}`, "-o", `/data/out.${to}`);
      const bytes = fs.readFileSync(path.join(folder, `out.${to}`));
      assert.deepEqual(decode(bytes), image, `${from} to ${to}`);
    }
  }
});

test("imagecli flips, crops, pads and joins pixel by pixel", options, () => {
  const image = sample();
  const { width, height } = image;
  const expected: Record<string, Image> = {
    id: image,
    hflip: paint(width, height, (x, y) => at(image, width - 1 - x, y)),
    vflip: paint(width, height, (x, y) => at(image, x, height - 1 - y)),
    "hflip > vflip": paint(width, height, (x, y) => at(image, width - 1 - x, height - 1 - y)),
    "crop 2 1 5 4": paint(5, 4, (x, y) => at(image, x + 2, y + 1)),
    "pad 1 2 3 4 (9, 8, 7)": paint(width + 6, height + 4, (x, y) => {
      const inside = x >= 4 && x < width + 4 && y >= 1 && y < height + 1;
      return inside ? at(image, x - 4, y - 1) : [9, 8, 7];
    }),
    "DUP > [id, hflip] > hcat": paint(
      2 * width,
      height,
      (x, y) => at(image, x < width ? x : 2 * width - 1 - x, y),
    ),
    "DUP 2 > vcat 3": paint(width, 3 * height, (x, y) => at(image, x, y % height)),
  };
  for (const [pipeline, result] of Object.entries(expected)) {
    assert.deepEqual(pipe(image, pipeline), result, pipeline);
  }
});

test("imagecli resizes images to the size asked for", options, () => {
  const image = paint(20, 10, () => [10, 200, 30]);
  const near = (value: number, wanted: number) => Math.abs(value - wanted) <= 3;
  for (
    const [pipeline, width, height] of [
      ["resize 7 31", 7, 31],
      ["resize w=10", 10, 5],
      ["resize h=30", 60, 30],
      ["scale 0.5", 10, 5],
      ["scale 3", 60, 30],
    ] as const
  ) {
    const result = pipe(image, pipeline);
    assert.deepEqual([result.width, result.height], [width, height], pipeline);
    assert.equal(result.pixels.length, width * height);
    // Weights that are rounded make up for a color that is a little off.
    const off = result.pixels.find(([red, green, blue]) =>
      !(near(red, 10) && near(green, 200) && near(blue, 30))
    );
    assert.equal(off, undefined, pipeline);
  }
});

test("imagecli extracts one channel as a grayscale file", options, () => {
  const folder = scratch("wasi-imagecli");
  const image = sample();
  fs.writeFileSync(path.join(folder, "in.bmp"), encodeBmp(image));
  for (const [channel, name] of ["red", "green", "blue"].entries()) {
    imagecli(folder, "-i", "/data/in.bmp", "-o", `/data/${name}.pgm`, "-p", name);
    const bytes = fs.readFileSync(path.join(folder, `${name}.pgm`));
    const header = /^P5\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString("latin1"));
    assert.ok(header !== null);
    assert.deepEqual(header.slice(1), [`${image.width}`, `${image.height}`]);
    const values = image.pixels.map((pixel) => pixel[channel]);
    assert.deepEqual([...bytes.subarray(header[0].length)], values);
  }
});

test("imagecli makes an image out of nothing in the current folder", options, () => {
  const folder = scratch("wasi-imagecli");
  const program = compile("node_modules/@jspawn/imagecli-wasm/imagecli.wasm");
  const args = ["imagecli", "-o", "nëw.png", "-p", "new 30 20 (255, 128, 0)"];
  assert.equal(run(program, { args, preopens: { ".": folder } }).code, 0);
  const image = decodePng(fs.readFileSync(path.join(folder, "nëw.png")));
  assert.deepEqual(image, paint(30, 20, () => [255, 128, 0]));
});

test("imagecli takes every file that a glob names", options, () => {
  const folder = scratch("wasi-imagecli");
  fs.mkdirSync(path.join(folder, "many/deep"), { recursive: true });
  const reds = [10, 20, 30, 40, 50, 60, 70, 80, 90];
  for (const [i, red] of reds.entries()) {
    const file = path.join(folder, i < 5 ? "many" : "many/deep", `${i}.png`);
    fs.writeFileSync(file, encodePng(paint(2, 2, () => [red, 0, 255])));
  }
  fs.writeFileSync(path.join(folder, "many/other.txt"), "no image");
  const args = ["-i", "/data/many/**/*.png", "-o", "/data/all.png", "-p", "hcat 9"];
  assert.match(imagecli(folder, "-v", ...args), /^Found 9 path\(s\) matching input pattern/);
  const all = decodePng(fs.readFileSync(path.join(folder, "all.png")));
  assert.deepEqual([all.width, all.height], [18, 2]);
  assert.deepEqual([...new Set(all.pixels.map(([red]) => red))].sort(), reds);
});

test("imagecli reads back a large photograph-like PNG that it wrote", options, () => {
  const folder = scratch("wasi-imagecli");
  const image = paint(701, 503, (x, y) => [(x * y) % 256, (x ^ y) % 256, (x * x + y) % 256]);
  fs.writeFileSync(path.join(folder, "in.bmp"), encodeBmp(image));
  imagecli(folder, "-i", "/data/in.bmp", "-o", "/data/one.png", "-p", "hflip");
  imagecli(folder, "-i", "/data/one.png", "-o", "/data/two.png", "-p", "hflip");
  const result = decodePng(fs.readFileSync(path.join(folder, "two.png")));
  assert.ok(Buffer.from(result.pixels.flat()).equals(Buffer.from(image.pixels.flat())));
});

test("imagecli writes files in other formats that say the size of the image", options, () => {
  const folder = scratch("wasi-imagecli");
  fs.writeFileSync(path.join(folder, "in.bmp"), encodeBmp(sample(40, 24)));
  const write = (format: string): Buffer => {
    imagecli(folder, "-i", "/data/in.bmp", "-o", `/data/out.${format}`);
    return fs.readFileSync(path.join(folder, `out.${format}`));
  };
  const gif = write("gif");
  assert.match(gif.toString("latin1", 0, 6), /^GIF8[79]a$/);
  assert.deepEqual([gif.readUInt16LE(6), gif.readUInt16LE(8), gif.at(-1)], [40, 24, 0x3b]);
  const jpeg = write("jpg");
  assert.deepEqual([jpeg.readUInt16BE(0), jpeg.readUInt16BE(jpeg.length - 2)], [0xffd8, 0xffd9]);
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  assert.deepEqual([jpeg.readUInt16BE(frame + 7), jpeg.readUInt16BE(frame + 5)], [40, 24]);
  const icon = write("ico");
  assert.deepEqual([...icon.subarray(0, 8)], [0, 0, 1, 0, 1, 0, 40, 24]);
  assert.equal(icon.readUInt32LE(14) + icon.readUInt32LE(18), icon.length);
});

// The program panics when a file is missing, which is a trap rather than an exit code.
test("imagecli traps on a file that it cannot read or make", options, () => {
  const folder = scratch("wasi-imagecli");
  fs.writeFileSync(path.join(folder, "in.ppm"), encodePpm(sample()));
  fs.writeFileSync(path.join(folder, "bad.png"), "no image");
  for (
    const [input, output] of [
      ["missing.ppm", "out.ppm"],
      ["bad.png", "out.ppm"],
      ["in.ppm", "missing/out.ppm"],
      ["in.ppm", "../out.ppm"],
    ]
  ) {
    const attempt = () => imagecli(folder, "-i", `/data/${input}`, "-o", `/data/${output}`);
    assert.throws(attempt, WebAssembly.RuntimeError, `${input} to ${output}`);
  }
  assert.deepEqual(fs.readdirSync(folder).sort(), ["bad.png", "in.ppm"]);
});
