/** What the command makes of Windows' paths: drives, whose colon separates nothing, and backslashes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostMount, wazeroMount } from "../../cli/options.ts";
import { nameOf } from "../../cli/run.ts";

/** What is given, and what comes of it: the host's path, the guest's, and whether only to be read. */
type Case = [text: string, host: string, guest: string, readOnly?: boolean];

const DIR: Case[] = [
  ["C:\\data", "C:\\data", "C:\\data"],
  ["C:/data", "C:/data", "C:/data"],
  ["c:", "c:", "c:"],
  ["C:\\", "C:\\", "C:\\"],
  ["C:\\data::/data", "C:\\data", "/data"],
  ["C:/data::/data::ro", "C:/data", "/data", true],
  ["C:data::d", "C:data", "d"],
  ["C:::/c", "C:", "/c"],
  ["C::/c", "C", "/c"],
  [".\\data\\in", ".\\data\\in", ".\\data\\in"],
  [".", ".", "."],
  ["\\\\server\\share::/share", "\\\\server\\share", "/share"],
  ["\\\\?\\C:\\data::/data", "\\\\?\\C:\\data", "/data"],
];

const MOUNT: Case[] = [
  ["C:\\data", "C:\\data", "C:\\data"],
  ["C:/data:/data", "C:/data", "/data"],
  ["C:\\data:/data:ro", "C:\\data", "/data", true],
  ["C:\\data:ro", "C:\\data", "C:\\data", true],
  ["data:/data", "data", "/data"],
  [".\\C:/data", ".\\C", "/data"],
  ["C:", "C:", "C:"],
];

test("on Windows a drive is part of a directory's path", () => {
  for (const [text, host, guest, readOnly = false] of DIR) {
    const mount = hostMount("host", text, "--dir", true);
    const expected = { kind: "host", host, guest, readOnly, option: `--dir ${text}` };
    assert.deepEqual(mount, expected, text);
  }
  for (const [text, host, guest, readOnly = false] of MOUNT) {
    const mount = wazeroMount(text, "--mount", true);
    const expected = { kind: "host", host, guest, readOnly, option: `--mount ${text}` };
    assert.deepEqual(mount, expected, text);
  }
  const { host, guest } = hostMount("overlay", "C:\\data::/data", "--overlay", true);
  assert.deepEqual([host, guest], ["C:\\data", "/data"]);
});

test("elsewhere a letter is a folder, and a backslash part of a name", () => {
  const mount = wazeroMount("C:/data", "--mount", false);
  assert.deepEqual([mount.host, mount.guest], ["C", "/data"]);
  const directory = hostMount("host", "a\\b", "--dir", false);
  assert.deepEqual([directory.host, directory.guest], ["a\\b", "a\\b"]);
});

test("a program is called by the last part of its path", () => {
  for (const path of ["C:\\programs\\tool.wasm", "C:/programs/tool.wasm", "..\\tool.wasm"]) {
    assert.equal(nameOf(path, true), "tool.wasm", path);
  }
  assert.equal(nameOf("file:///C:/programs/tool.wasm", true), "tool.wasm");
  assert.equal(nameOf("a\\tool.wasm", false), "a\\tool.wasm");
});
