/** The option `network`: which hosts and addresses an entry covers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Grant, hostOf, validateNetwork } from "../../core/preview2/grant.ts";

function connects(entry: string): (host: string, port: number) => boolean {
  const grant = validateNetwork({ connect: [entry] }) as Grant;
  return (host, port) => grant.mayConnect(hostOf(host)!, port);
}

test("names and ports", () => {
  const one = connects("Example.com:443");
  assert.ok(one("example.COM", 443) && one("example.com.", 443));
  assert.ok(!one("example.com", 80) && !one("www.example.com", 443) && !one("example.co", 443));
  const every = connects("example.com");
  assert.ok(every("example.com", 1) && every("example.com", 65535));
  const idn = connects("münchen.example:1");
  assert.ok(idn("xn--mnchen-3ya.example", 1) && idn("MÜNCHEN.example", 1));
});

test("subdomains", () => {
  const below = connects("*.example.org:80");
  assert.ok(below("a.example.org", 80) && below("a.b.example.org", 80));
  assert.ok(!below("example.org", 80) && !below("badexample.org", 80));
  assert.ok(!below("a.example.org", 81) && !below("example.org.evil", 80));
});

test("every host", () => {
  assert.ok(connects("*")("example.com", 1) && connects("*")("::1", 1));
  assert.ok(connects("*:443")("10.0.0.1", 443) && !connects("*:443")("10.0.0.1", 80));
});

test("addresses, however they are written", () => {
  const four = connects("127.0.0.1:80");
  assert.ok(four("127.0.0.1", 80) && four("127.1", 80) && four("0x7f.0.0.1", 80));
  assert.ok(!four("127.0.0.2", 80) && !four("::ffff:127.0.0.1", 80) && !four("localhost", 80));
  for (const entry of ["[::1]:80", "[0:0::1]:80"]) assert.ok(connects(entry)("::1", 80));
  assert.ok(connects("::1")("0:0:0:0:0:0:0:1", 9) && connects("[::1]")("::1", 9));
});

test("names that resolve make their addresses reachable, on the ports of the name", () => {
  const grant = validateNetwork({ connect: ["db.example:5432", "*.example:80"] }) as Grant;
  assert.ok(grant.mayResolve("db.example") && !grant.mayResolve("other"));
  assert.ok(!grant.mayConnect("10.0.0.7", 5432));
  grant.learn("db.example", ["10.0.0.7"]);
  assert.ok(grant.mayConnect("10.0.0.7", 5432) && grant.mayConnect("10.0.0.7", 80));
  assert.ok(!grant.mayConnect("10.0.0.7", 22) && !grant.mayConnect("10.0.0.8", 5432));
  grant.learn("other", ["10.0.0.9"]);
  assert.ok(!grant.mayConnect("10.0.0.9", 80));
});

test("listening", () => {
  const grant = validateNetwork({ listen: ["localhost:0", "0.0.0.0:8080"] }) as Grant;
  assert.ok(grant.mayListen("127.0.0.1", 0) && grant.mayListen("::1", 0));
  assert.ok(grant.mayListen("0.0.0.0", 8080));
  assert.ok(!grant.mayListen("127.0.0.1", 8080) && !grant.mayListen("127.0.0.2", 0));
  assert.ok(!grant.mayConnect("127.0.0.1", 8080) && !grant.mayResolve("localhost"));
});

test("lookup", () => {
  assert.ok((validateNetwork({ lookup: true }) as Grant).mayResolve("anything"));
  const none = validateNetwork({ connect: ["a.example"], lookup: false }) as Grant;
  assert.ok(!none.mayResolve("a.example") && none.mayConnect("a.example", 1));
});

test("what is no host", () => {
  for (
    const text of ["", "a b", "a/b", "a:1", "a@b", "a#b", "[::1]:1", "a%b", "a\\b", ":", "[x]"]
  ) {
    assert.equal(hostOf(text), undefined, text);
  }
});
