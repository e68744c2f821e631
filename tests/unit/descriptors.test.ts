import assert from "node:assert/strict";
import { test } from "node:test";
import { Descriptor, DescriptorTable } from "../../core/system/descriptors.ts";
import { OutputBuffer, outputOf } from "../../core/guest/streams.ts";
import type { File } from "../../core/host.ts";

const file = outputOf(new OutputBuffer(), "stdout") as File;
const make = (): Descriptor => new Descriptor(file, 0, 0);

test("a new descriptor takes the lowest free number, whatever came and went", () => {
  const table = new DescriptorTable();
  const open = new Set<number>();
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let step = 0; step < 20000; step++) {
    if (open.size === 0 || random(100) < (step % 2000 < 1000 ? 70 : 30)) {
      let lowest = 0;
      while (open.has(lowest)) lowest++;
      assert.equal(table.insert(make()), lowest);
      open.add(lowest);
    } else {
      const fd = [...open][random(open.size)]!;
      assert.ok(table.remove(fd));
      assert.equal(table.get(fd), undefined);
      open.delete(fd);
    }
  }
  for (const fd of open) assert.ok(table.get(fd));
});

test("opening and closing costs the same however many are held", () => {
  const turn = (held: number): number => {
    const table = new DescriptorTable();
    for (let i = 0; i < held; i++) table.insert(make());
    table.remove(0);
    let best = Infinity;
    for (let round = 0; round < 20; round++) {
      const began = performance.now();
      for (let i = 0; i < 2000; i++) {
        const one = table.insert(make());
        const other = table.insert(make());
        table.remove(other);
        table.remove(one);
      }
      best = Math.min(best, performance.now() - began);
    }
    return best;
  };
  turn(10);
  const [few, many] = [turn(10), turn(100000)];
  assert.ok(many < 10 * few + 1, `${few} ms with 10, ${many} ms with 100,000`);
});

test("a limit counts what the guest itself has open", () => {
  const table = new DescriptorTable(2);
  table.insert(new Descriptor(file, 0, 0, { given: true }));
  assert.equal(table.full, false);
  table.insert(make());
  const last = table.insert(make());
  assert.equal(table.full, true);
  table.remove(last);
  assert.equal(table.full, false);
});
