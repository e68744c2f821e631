/**
 * The 46 functions of `wasi_snapshot_preview1`: name, parameters, implementation.
 *
 * A parameter is 32 bits wide unless ":i64" follows; "*" marks where a result is written. The
 * names are those of `preview1/witx/wasi_snapshot_preview1.witx`.
 *
 * @module
 */
import * as args_environ from "./args_environ.ts";
import * as clock from "./clock.ts";
import * as fd from "./fd.ts";
import * as path from "./path.ts";
import * as poll from "./poll.ts";
import * as proc from "./proc.ts";
import * as sock from "./sock.ts";
import type { Preview1System } from "./system.ts";
import type { Wait } from "../system/waiting.ts";

/** A system call: unsigned 32-bit numbers and signed 64-bit bigints in, an errno out. */
// deno-lint-ignore no-explicit-any
export type SystemCall = (system: Preview1System, ...parameters: any[]) => number | Wait;

/** A function of the table. */
export interface Signature {
  parameters: readonly string[];
  call: SystemCall;
}

/** The table, without `proc_exit`, which is the class's own. */
export const preview1: Readonly<Record<string, Signature>> = {
  args_get: { parameters: ["argv*", "argv_buf*"], call: args_environ.args_get },
  args_sizes_get: { parameters: ["argc*", "argv_buf_size*"], call: args_environ.args_sizes_get },
  environ_get: { parameters: ["environ*", "environ_buf*"], call: args_environ.environ_get },
  environ_sizes_get: {
    parameters: ["environc*", "environ_buf_size*"],
    call: args_environ.environ_sizes_get,
  },
  clock_res_get: { parameters: ["id", "resolution*"], call: clock.clock_res_get },
  clock_time_get: { parameters: ["id", "precision:i64", "time*"], call: clock.clock_time_get },
  fd_advise: { parameters: ["fd", "offset:i64", "len:i64", "advice"], call: fd.fd_advise },
  fd_allocate: { parameters: ["fd", "offset:i64", "len:i64"], call: fd.fd_allocate },
  fd_close: { parameters: ["fd"], call: fd.fd_close },
  fd_datasync: { parameters: ["fd"], call: fd.fd_datasync },
  fd_fdstat_get: { parameters: ["fd", "stat*"], call: fd.fd_fdstat_get },
  fd_fdstat_set_flags: { parameters: ["fd", "flags"], call: fd.fd_fdstat_set_flags },
  fd_fdstat_set_rights: {
    parameters: ["fd", "fs_rights_base:i64", "fs_rights_inheriting:i64"],
    call: fd.fd_fdstat_set_rights,
  },
  fd_filestat_get: { parameters: ["fd", "filestat*"], call: fd.fd_filestat_get },
  fd_filestat_set_size: { parameters: ["fd", "size:i64"], call: fd.fd_filestat_set_size },
  fd_filestat_set_times: {
    parameters: ["fd", "atim:i64", "mtim:i64", "fst_flags"],
    call: fd.fd_filestat_set_times,
  },
  fd_pread: { parameters: ["fd", "iovs", "iovs_len", "offset:i64", "nread*"], call: fd.fd_pread },
  fd_prestat_get: { parameters: ["fd", "prestat*"], call: fd.fd_prestat_get },
  fd_prestat_dir_name: { parameters: ["fd", "path*", "path_len"], call: fd.fd_prestat_dir_name },
  fd_pwrite: {
    parameters: ["fd", "iovs", "iovs_len", "offset:i64", "nwritten*"],
    call: fd.fd_pwrite,
  },
  fd_read: { parameters: ["fd", "iovs", "iovs_len", "nread*"], call: fd.fd_read },
  fd_readdir: {
    parameters: ["fd", "buf*", "buf_len", "cookie:i64", "bufused*"],
    call: fd.fd_readdir,
  },
  fd_renumber: { parameters: ["fd", "to"], call: fd.fd_renumber },
  fd_seek: { parameters: ["fd", "offset:i64", "whence", "newoffset*"], call: fd.fd_seek },
  fd_sync: { parameters: ["fd"], call: fd.fd_sync },
  fd_tell: { parameters: ["fd", "offset*"], call: fd.fd_tell },
  fd_write: { parameters: ["fd", "iovs", "iovs_len", "nwritten*"], call: fd.fd_write },
  path_create_directory: {
    parameters: ["fd", "path", "path_len"],
    call: path.path_create_directory,
  },
  path_filestat_get: {
    parameters: ["fd", "flags", "path", "path_len", "filestat*"],
    call: path.path_filestat_get,
  },
  path_filestat_set_times: {
    parameters: ["fd", "flags", "path", "path_len", "atim:i64", "mtim:i64", "fst_flags"],
    call: path.path_filestat_set_times,
  },
  path_link: {
    parameters: [
      "old_fd",
      "old_flags",
      "old_path",
      "old_path_len",
      "new_fd",
      "new_path",
      "new_path_len",
    ],
    call: path.path_link,
  },
  path_open: {
    parameters: [
      "fd",
      "dirflags",
      "path",
      "path_len",
      "oflags",
      "fs_rights_base:i64",
      "fs_rights_inheriting:i64",
      "fdflags",
      "opened_fd*",
    ],
    call: path.path_open,
  },
  path_readlink: {
    parameters: ["fd", "path", "path_len", "buf*", "buf_len", "bufused*"],
    call: path.path_readlink,
  },
  path_remove_directory: {
    parameters: ["fd", "path", "path_len"],
    call: path.path_remove_directory,
  },
  path_rename: {
    parameters: ["fd", "old_path", "old_path_len", "new_fd", "new_path", "new_path_len"],
    call: path.path_rename,
  },
  path_symlink: {
    parameters: ["old_path", "old_path_len", "fd", "new_path", "new_path_len"],
    call: path.path_symlink,
  },
  path_unlink_file: { parameters: ["fd", "path", "path_len"], call: path.path_unlink_file },
  poll_oneoff: { parameters: ["in", "out*", "nsubscriptions", "nevents*"], call: poll.poll_oneoff },
  proc_raise: { parameters: ["sig"], call: proc.proc_raise },
  random_get: { parameters: ["buf*", "buf_len"], call: proc.random_get },
  sched_yield: { parameters: [], call: proc.sched_yield },
  sock_accept: { parameters: ["fd", "flags", "fd*"], call: sock.sock_accept },
  sock_recv: {
    parameters: ["fd", "ri_data", "ri_data_len", "ri_flags", "ro_datalen*", "ro_flags*"],
    call: sock.sock_recv,
  },
  sock_send: {
    parameters: ["fd", "si_data", "si_data_len", "si_flags", "so_datalen*"],
    call: sock.sock_send,
  },
  sock_shutdown: { parameters: ["fd", "how"], call: sock.sock_shutdown },
};
