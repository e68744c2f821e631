/**
 * The tests that run on every system: what they need of it they look for, or do without. The rest of
 * the tests are about Linux (descriptors, sockets, /proc), or about programs that need no system.
 */
export const portable = [
  "tests/contract/copied_limits.test.ts",
  "tests/contract/far_times.test.ts",
  "tests/contract/host_directories.test.ts",
  "tests/contract/value_directories.test.ts",
  "tests/guests/args.test.ts",
  "tests/guests/clocks.test.ts",
  "tests/unit/abi.test.ts",
  "tests/unit/windows_answers.test.ts",
];
