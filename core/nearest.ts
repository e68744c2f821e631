/**
 * What somebody may have meant.
 *
 * @module
 */

/** The name that is nearly this one, if there is one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const near = known.map((other) => ({ other, steps: distance(name, other) }))
    .filter(({ other, steps }) => steps <= 2 && steps < other.length / 2);
  return near.sort((one, two) => one.steps - two.steps)[0]?.other;
}

/** How many letters have to be added, removed or changed; 1 if they are only in another order. */
function distance(one: string, other: string): number {
  one = one.toLowerCase();
  other = other.toLowerCase();
  if ([...one].sort().join() === [...other].sort().join()) return 1;
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
