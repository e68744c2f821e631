/**
 * How many checks each self-checking guest of this folder makes. The number is stated so that a guest
 * that ends early does not pass.
 */
export const CHECKS = {
  append: 18,
  args: 16,
  changing: 10,
  clocks: 23,
  closed: 186,
  escapes: 424,
  fdflags: 30,
  filestat: 90,
  hardlinks: 31,
  large: 42,
  libc: 47,
  memory: 28,
  names: 67,
  open: 78,
  pointers: 126,
  poll: 120,
  preopens: 52,
  raise: 33,
  random: 46,
  readdir: 38,
  remove: 53,
  rename: 55,
  renumber: 32,
  rights: 162,
  scatter: 30,
  seek: 34,
  size: 42,
  sock: 21,
  symlinks: 91,
  times: 70,
  tree: 14,
  unknown: 35,
  unstable: 49,
} as const;

/** A guest that checks itself. */
export type SelfChecking = keyof typeof CHECKS;
