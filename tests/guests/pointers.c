/*
 * Pointers outside the guest's memory are fault, and such a call changes nothing. (The reference
 * for it: WASI's C ABI knows fault for this; wasmtime traps instead.)
 */
#include "check.h"

#define PAGE 65536u

static u8 bytes[64];

/* The imports again with plain numbers for pointers: C would not let 2^32 - 1 be one. */
#define RAW(name, ...) int raw_##name(__VA_ARGS__) IMPORT(name)
RAW(args_get, u32, u32);
RAW(args_sizes_get, u32, u32);
RAW(environ_sizes_get, u32, u32);
RAW(clock_res_get, u32, u32);
RAW(clock_time_get, u32, u64, u32);
RAW(fd_fdstat_get, u32, u32);
RAW(fd_filestat_get, u32, u32);
RAW(fd_pread, u32, u32, u32, u64, u32);
RAW(fd_prestat_get, u32, u32);
RAW(fd_prestat_dir_name, u32, u32, u32);
RAW(fd_pwrite, u32, u32, u32, u64, u32);
RAW(fd_read, u32, u32, u32, u32);
RAW(fd_readdir, u32, u32, u32, u64, u32);
RAW(fd_seek, u32, u64, u32, u32);
RAW(fd_tell, u32, u32);
RAW(fd_write, u32, u32, u32, u32);
RAW(path_readlink, u32, u32, u32, u32, u32, u32);
RAW(poll_oneoff, u32, u32, u32, u32);
RAW(random_get, u32, u32);
int path_open_at(u32, u32, u32, u32, u32, u64, u64, u32, u32) IMPORT(path_open);
int path_filestat_at(u32, u32, u32, u32, u32) IMPORT(path_filestat_get);

static u32 address(const void *pointer) { return (u32)(uintptr_t)pointer; }

static void from(const char *where, u32 bad) {
  static u32 result, iovec[2];
  static u8 event[32], subscription[48];
  u32 good = address(bytes), out = address(&result), vector = address(iovec);
#define FAULTS(name, call) errno_is(join(name, " at ", where), call, FAULT)
  FAULTS("args_get", raw_args_get(bad, good));
  FAULTS("args_get's strings", raw_args_get(good, bad));
  FAULTS("args_sizes_get's count", raw_args_sizes_get(bad, out));
  FAULTS("args_sizes_get's size", raw_args_sizes_get(out, bad));
  FAULTS("environ_sizes_get's count", raw_environ_sizes_get(bad, out));
  FAULTS("clock_res_get", raw_clock_res_get(0, bad));
  FAULTS("clock_time_get", raw_clock_time_get(0, 0, bad));
  FAULTS("fd_fdstat_get", raw_fd_fdstat_get(ROOT, bad));
  FAULTS("fd_filestat_get", raw_fd_filestat_get(ROOT, bad));
  FAULTS("fd_prestat_get", raw_fd_prestat_get(ROOT, bad));
  /* The preopen's name has one byte, for which the memory's last byte is enough. */
  if (bad >= (u32)__builtin_wasm_memory_size(0) * PAGE) {
    FAULTS("fd_prestat_dir_name", raw_fd_prestat_dir_name(ROOT, bad, 1));
  }
  FAULTS("fd_readdir", raw_fd_readdir(ROOT, bad, 64, 0, out));
  FAULTS("path_filestat_get's path", path_filestat_at(ROOT, 0, bad, 4, good));
  FAULTS("path_filestat_get's result", path_filestat_at(ROOT, 0, address("file"), 4, bad));
  FAULTS("path_open's path", path_open_at(ROOT, 0, bad, 4, 0, READ_RIGHTS, 0, 0, out));
  FAULTS("path_readlink's path", raw_path_readlink(ROOT, bad, 4, good, 8, out));
  FAULTS("path_readlink's buffer", raw_path_readlink(ROOT, address("link"), 4, bad, 8, out));
  FAULTS("random_get", raw_random_get(bad, 16));
  FAULTS("poll_oneoff's subscriptions", raw_poll_oneoff(bad, address(event), 1, out));
  memset(subscription, 0, sizeof subscription);
  FAULTS("poll_oneoff's events", raw_poll_oneoff(address(subscription), bad, 1, out));

  fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  FAULTS("fd_tell", raw_fd_tell(fd, bad));
  FAULTS("fd_seek", raw_fd_seek(fd, 0, __WASI_WHENCE_CUR, bad));
  FAULTS("fd_read's vector", raw_fd_read(fd, bad, 1, out));
  FAULTS("fd_write's vector", raw_fd_write(fd, bad, 1, out));
  FAULTS("fd_pread's vector", raw_fd_pread(fd, bad, 1, 0, out));
  FAULTS("fd_pwrite's vector", raw_fd_pwrite(fd, bad, 1, 0, out));
  iovec[0] = bad;
  iovec[1] = 4;
  FAULTS("fd_read's buffer", raw_fd_read(fd, vector, 1, out));
  FAULTS("fd_write's buffer", raw_fd_write(fd, vector, 1, out));
  FAULTS("fd_pread's buffer", raw_fd_pread(fd, vector, 1, 0, out));
  FAULTS("fd_pwrite's buffer", raw_fd_pwrite(fd, vector, 1, 0, out));
  close_fd(fd);
}

int main(void) {
  u32 end = (u32)__builtin_wasm_memory_size(0) * PAGE;
  make_file(ROOT, "file", "content");
  must("symlink", __wasi_path_symlink("file-of-a-longer-name", ROOT, "link"));
  from("the memory's end", end);
  from("one byte before the memory's end", end - 1);
  from("2^31", 0x80000000);
  from("2^32 - 4", 0xfffffffc);

  errno_is("a length that reaches over the end is fault", raw_random_get(end - 16, 17), FAULT);
  bool untouched = true;
  for (u32 i = 0; i < 16; i++) untouched = untouched && ((u8 *)(uintptr_t)(end - 16))[i] == 0;
  is_true("and nothing is written before it", untouched);
  succeeds("a length that reaches the end is right", raw_random_get(end - 16, 16));
  errno_is("a length of 2^32 - 1 is fault", raw_random_get(16, 0xffffffff), FAULT);
  succeeds("no bytes at the memory's end are right", raw_random_get(end, 0));

  /* A good buffer before a bad one: all or nothing, never a write that is not counted. */
  static u32 vectors[4], count = 12345;
  vectors[0] = address("new");
  vectors[1] = 3;
  vectors[2] = end - 1;
  vectors[3] = 4;
  fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  errno_is("a bad buffer after a good one is fault",
           raw_fd_write(fd, address(vectors), 2, address(&count)), FAULT);
  close_fd(fd);
  file_holds("and writes nothing of the good one", ROOT, "file", "content");
  return finish();
}
