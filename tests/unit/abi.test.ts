/**
 * Every number and offset of both snapshots, against the specification: names in its order, and
 * records by the types of their fields, laid out by its rules (natural alignment, a union's
 * payload aligned to its largest field). Transcribed from `preview0/witx/typenames.witx` and
 * `preview1/witx/typenames.witx` of WebAssembly/WASI, branch wasi-0.1.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as abi from "../../core/preview1/abi.ts";
import { preview1 } from "../../core/preview1/table.ts";
import { unstable } from "../../core/unstable/table.ts";

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** An enumeration counts from 0. */
function enumeration(names: string): Record<string, number> {
  return Object.fromEntries(words(names).map((name, i) => [name.toUpperCase(), i]));
}

/** A set of flags gives each a bit. */
function flags(names: string): Record<string, number> {
  return Object.fromEntries(words(names).map((name, i) => [name.toUpperCase(), 2 ** i]));
}

const ERRNO = `success 2big acces addrinuse addrnotavail afnosupport again already badf badmsg busy
  canceled child connaborted connrefused connreset deadlk destaddrreq dom dquot exist fault fbig
  hostunreach idrm ilseq inprogress intr inval io isconn isdir loop mfile mlink msgsize multihop
  nametoolong netdown netreset netunreach nfile nobufs nodev noent noexec nolck nolink nomem nomsg
  noprotoopt nospc nosys notconn notdir notempty notrecoverable notsock notsup notty nxio overflow
  ownerdead perm pipe proto protonosupport prototype range rofs spipe srch stale timedout txtbsy xdev
  notcapable`;
const RIGHTS = `fd_datasync fd_read fd_seek fd_fdstat_set_flags fd_sync fd_tell fd_write fd_advise
  fd_allocate path_create_directory path_create_file path_link_source path_link_target path_open
  fd_readdir path_readlink path_rename_source path_rename_target path_filestat_get
  path_filestat_set_size path_filestat_set_times fd_filestat_get fd_filestat_set_size
  fd_filestat_set_times path_symlink path_remove_directory path_unlink_file poll_fd_readwrite
  sock_shutdown sock_accept`;

test("enumerations and flags have the specification's numbers", () => {
  assert.deepEqual({ ...abi.Errno }, enumeration(ERRNO));
  assert.deepEqual({ ...abi.Rights }, flags(RIGHTS));
  assert.equal(abi.RIGHTS_ALL, 2 ** words(RIGHTS).length - 1);
  assert.deepEqual(
    { ...abi.Filetype },
    enumeration(
      "unknown block_device character_device directory regular_file socket_dgram socket_stream symbolic_link",
    ),
  );
  assert.deepEqual({ ...abi.Fdflags }, flags("append dsync nonblock rsync sync"));
  assert.deepEqual({ ...abi.Oflags }, flags("creat directory excl trunc"));
  assert.deepEqual({ ...abi.Lookupflags }, flags("symlink_follow"));
  assert.deepEqual({ ...abi.Fstflags }, flags("atim atim_now mtim mtim_now"));
  assert.deepEqual({ ...abi.Whence }, enumeration("set cur end"));
  assert.deepEqual({ ...abi.WhenceUnstable }, enumeration("cur end set"));
  assert.deepEqual(
    { ...abi.Clockid },
    enumeration("realtime monotonic process_cputime_id thread_cputime_id"),
  );
  assert.deepEqual({ ...abi.Eventtype }, enumeration("clock fd_read fd_write"));
  assert.deepEqual({ ...abi.Eventrwflags }, flags("fd_readwrite_hangup"));
  assert.deepEqual({ ...abi.Subclockflags }, flags("subscription_clock_abstime"));
  assert.deepEqual({ ...abi.Riflags }, flags("recv_peek recv_waitall"));
  assert.deepEqual({ ...abi.Sdflags }, flags("rd wr"));
  assert.deepEqual({ ...abi.Preopentype }, enumeration("dir"));
  assert.equal(
    abi.ADVICE_MAX,
    words("normal sequential random willneed dontneed noreuse").length - 1,
  );
  assert.equal(
    abi.SIGNAL_MAX,
    words(`none hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term chld cont stop
      tstp ttin ttou urg xcpu xfsz vtalrm prof winch poll pwr sys`).length - 1,
  );
});

/** Bytes of the types that fields have; each is aligned to its size. */
const SIZES: Record<string, number> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  // named types
  filetype: 1,
  eventtype: 1,
  preopentype: 1,
  fdflags: 2,
  errno: 2,
  eventrwflags: 2,
  subclockflags: 2,
  pointer: 4,
  size: 4,
  fd: 4,
  clockid: 4,
  dirnamlen: 4,
  rights: 8,
  device: 8,
  inode: 8,
  filesize: 8,
  timestamp: 8,
  userdata: 8,
  dircookie: 8,
};

/** Offsets of a record "name:type name:type ..."; `base` is where it begins, for a payload. */
function record(fields: string, base = 0): Record<string, number> {
  const offsets: Record<string, number> = {};
  let at = base;
  let alignment = 1;
  for (const field of words(fields)) {
    const [name, type] = field.split(":") as [string, string];
    const size = SIZES[type]!;
    assert.ok(size, field);
    alignment = Math.max(alignment, size);
    at = Math.ceil(at / size) * size;
    offsets[name] = at;
    at += size;
  }
  return { ...offsets, size: Math.ceil(at / alignment) * alignment };
}

function filestat(linkcount: string): Record<string, number> {
  const { size_: filesize, ...rest } = record(
    `dev:device ino:inode filetype:filetype nlink:${linkcount} size_:filesize atim:timestamp
      mtim:timestamp ctim:timestamp`,
  );
  return { ...rest, filesize: filesize! };
}

function subscription(identifier: string): Record<string, number> {
  const { userdata, tag } = record("userdata:userdata tag:eventtype");
  // the union holds 64-bit fields, so its payload is aligned to 8
  const payload = 16;
  const { id, timeout, precision, flags, size, identifier: first } = record(
    `${identifier} id:clockid timeout:timestamp precision:timestamp flags:subclockflags`,
    payload,
  );
  return {
    ...(first === undefined ? {} : { clock_identifier: first }),
    userdata: userdata!,
    tag: tag!,
    clock_id: id!,
    clock_timeout: timeout!,
    clock_precision: precision!,
    clock_flags: flags!,
    fd: record("fd:fd", payload).fd!,
    size: size!,
  };
}

test("records have the specification's offsets and sizes", () => {
  assert.deepEqual({ ...abi.Iovec }, record("buf:pointer buf_len:size"));
  assert.deepEqual(
    { ...abi.Fdstat },
    record(
      "fs_filetype:filetype fs_flags:fdflags fs_rights_base:rights fs_rights_inheriting:rights",
    ),
  );
  assert.deepEqual({ ...abi.Filestat }, filestat("u64"));
  assert.deepEqual({ ...abi.FilestatUnstable }, filestat("u32"));
  assert.deepEqual(
    { ...abi.Dirent },
    record("d_next:dircookie d_ino:inode d_namlen:dirnamlen d_type:filetype"),
  );
  assert.deepEqual({ ...abi.Prestat }, record("tag:preopentype pr_name_len:size"));
  assert.deepEqual({ ...abi.Subscription }, subscription(""));
  assert.deepEqual({ ...abi.SubscriptionUnstable }, subscription("identifier:userdata"));
  const head = record("userdata:userdata error:errno type:eventtype");
  const { nbytes, flags: rw, size } = record("nbytes:filesize flags:eventrwflags", 16);
  const { userdata, error, type } = head;
  assert.deepEqual({ ...abi.Event }, { userdata, error, type, nbytes, flags: rw, size });
});

const FUNCTIONS = words(`args_get args_sizes_get environ_get environ_sizes_get clock_res_get
  clock_time_get fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags
  fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread
  fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell
  fd_write path_create_directory path_filestat_get path_filestat_set_times path_link path_open
  path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff
  proc_raise sched_yield random_get sock_accept sock_recv sock_send sock_shutdown`);

test("both tables have the specification's functions, proc_exit aside", () => {
  assert.deepEqual(Object.keys(preview1).sort(), [...FUNCTIONS].sort());
  assert.deepEqual(
    Object.keys(unstable).sort(),
    FUNCTIONS.filter((name) => name !== "sock_accept").sort(),
  );
});

test("a function has as many parameters as its signature says", () => {
  for (const table of [preview1, unstable]) {
    for (const [name, { parameters, call }] of Object.entries(table)) {
      assert.equal(call.length, parameters.length + 1, name);
    }
  }
});
