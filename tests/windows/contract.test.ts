/** The contract of directories over ntdll, on a volume of Windows in memory. */
import { NtDirectory } from "../../core/directories/nt/directory.ts";
import { Ntdll } from "../../core/directories/nt/ntdll.ts";
import { Errno } from "../../core/errno.ts";
import { contract } from "../contract/suite.ts";
import { type FakeOptions, FakeVolume } from "../support/fake_nt.ts";
import { posix, type System } from "../support/system.ts";

const ntfs: System = { ...posix, anyName: false, nameUnits: 16 };

function make(options: FakeOptions): NtDirectory {
  const volume = new FakeVolume(options);
  volume.add(volume.root, "base");
  const ntdll = new Ntdll(volume.foreign);
  const path = "\\??\\C:\\base";
  const handle = ntdll.openPath(path);
  return new NtDirectory({ ntdll, serial: ntdll.volume(handle) }, handle, path);
}

for (
  const [name, options] of [
    ["ntdll", {}],
    ["ntdll before POSIX semantics", { old: true }],
    ["ntdll without the privilege for links", { unprivileged: true }],
  ] as [string, FakeOptions][]
) {
  contract(name, {
    make: () => make(options),
    pinned: true,
    step: 100n,
    system: { ...ntfs, linkError: options.unprivileged ? Errno.PERM : 0 },
  });
}
