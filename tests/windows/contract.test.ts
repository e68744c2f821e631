/** The contract of directories over ntdll, on a volume of Windows in memory. */
import { Errno } from "../../core/errno.ts";
import { contract } from "../contract/suite.ts";
import { baseVolume, type FakeOptions, ntDirectory } from "../support/fake_nt.ts";
import { posix, type System } from "../support/system.ts";

const ntfs: System = { ...posix, anyName: false, nameUnits: 16 };

for (
  const [name, options] of [
    ["ntdll", {}],
    ["ntdll before POSIX semantics", { old: true }],
    ["ntdll without the privilege for links", { unprivileged: true }],
  ] as [string, FakeOptions][]
) {
  contract(name, {
    make: () => ntDirectory(baseVolume(options)),
    pinned: true,
    step: 100n,
    system: { ...ntfs, linkError: options.unprivileged ? Errno.PERM : 0 },
  });
}
