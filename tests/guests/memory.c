/* Memory that grows between the calls, up to over 2 GiB, and reading and writing there. */
#include "check.h"
#include <stdlib.h>

#define PAGE 65536u

static u8 *grow_to(u32 pages) {
  u32 now = (u32)__builtin_wasm_memory_size(0);
  if (pages > now && __builtin_wasm_memory_grow(0, pages - now) == (size_t)-1) return NULL;
  return (u8 *)(uintptr_t)((pages - 1) * PAGE);
}

static void write_and_read(const char *where, u8 *at) {
  u8 got[64];
  __wasi_size_t count = 0;
  strcpy((char *)at, "written from there, and read into it");
  size_t length = strlen((char *)at);
  __wasi_ciovec_t *out = (__wasi_ciovec_t *)(at + 256);
  __wasi_size_t *result = (__wasi_size_t *)(at + 512);
  *out = (__wasi_ciovec_t){at, length};
  fd_t fd = open_file(ROOT, "grown", CREAT | TRUNC, FILE_RIGHTS, 0);
  *result = 12345;
  succeeds(join("fd_write() writes from ", where, ""), __wasi_fd_write(fd, out, 1, result));
  equals(join("and counts at ", where, ""), *result, length);
  memset(at, 0, length);
  __wasi_iovec_t *in = (__wasi_iovec_t *)(at + 1024);
  *in = (__wasi_iovec_t){at + 2048, 63};
  succeeds(join("fd_pread() reads into ", where, ""), __wasi_fd_pread(fd, in, 1, 0, result));
  equals(join("and counts there at ", where, ""), *result, length);
  same_bytes(join("with the bytes at ", where, ""), at + 2048, length,
             "written from there, and read into it", length);
  close_fd(fd);
  memcpy(at + 4096, "grown", 6);
  fd = CLOSED;
  succeeds(join("path_open() reads its path from ", where, ""),
           __wasi_path_open(ROOT, 0, (char *)at + 4096, 0, READ_RIGHTS, 0, 0, (fd_t *)(at + 8192)));
  fd = *(fd_t *)(at + 8192);
  count = (__wasi_size_t)read_all(fd, got, sizeof got);
  equals(join("and the descriptor is right at ", where, ""), count, length);
  close_fd(fd);
  succeeds(join("random_get() writes to ", where, ""), __wasi_random_get(at + 9000, 1000));
  succeeds(join("fd_filestat_get() writes to ", where, ""),
           __wasi_fd_filestat_get(ROOT, (__wasi_filestat_t *)(at + 16384)));
}

int main(void) {
  u32 first = (u32)__builtin_wasm_memory_size(0);
  write_and_read("the first page grown", grow_to(first + 1));
  for (u32 i = 2; i < 200; i++) {
    u8 *page = grow_to(first + i);
    must("random_get", __wasi_random_get(page, PAGE));
  }
  is_true("memory grows 200 times between calls", __builtin_wasm_memory_size(0) == first + 199);
  write_and_read("the last page grown", grow_to(first + 199));

  u8 *high = grow_to(32768 + 10);
  if (high == NULL) {
    note("no memory over 2 GiB", 0);
    return finish();
  }
  note("memory over 2 GiB", (u64)(uintptr_t)high);
  write_and_read("over 2 GiB", high);
  return finish();
}
