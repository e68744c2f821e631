/* fd_pread and fd_pwrite, and offsets beyond 4 GiB on a sparse file. */
#include "check.h"

#define GIB ((u64)1 << 30)

static size_t count;

static int pwrite_text(fd_t fd, const char *text, u64 offset) {
  __wasi_ciovec_t parts[] = {{(u8 *)text, 1}, {NULL, 0}, {(u8 *)text + 1, strlen(text) - 1}};
  count = 12345;
  return __wasi_fd_pwrite(fd, parts, 3, offset, &count);
}

static u8 got[33];

static int pread_some(fd_t fd, size_t length, u64 offset) {
  __wasi_iovec_t parts[] = {{got, 1}, {NULL, 0}, {got + 1, length - 1}};
  memset(got, '?', sizeof got);
  count = 12345;
  return __wasi_fd_pread(fd, parts, 3, offset, &count);
}

int main(void) {
  fd_t fd = open_file(ROOT, "large", CREAT, FILE_RIGHTS, 0);
  __wasi_filesize_t position = 12345;
  write_text(fd, "start");

  succeeds("fd_pwrite() writes at 5 GiB + 3", pwrite_text(fd, "beyond", 5 * GIB + 3));
  equals("fd_pwrite() counts its bytes", count, 6);
  equals("the file is 5 GiB + 9 long", stat_of_fd(fd).size, 5 * GIB + 9);
  succeeds("fd_pwrite() writes across 4 GiB", pwrite_text(fd, "four|gib", 4 * GIB - 4));
  equals("fd_pwrite() counts the bytes across 4 GiB", count, 8);
  succeeds("fd_pwrite() writes across 2 GiB", pwrite_text(fd, "two|gib", 2 * GIB - 3));
  succeeds("fd_pwrite() writes over what is there", pwrite_text(fd, "AR", 2));
  equals("writing inside keeps the size", stat_of_fd(fd).size, 5 * GIB + 9);
  succeeds("fd_tell() succeeds", __wasi_fd_tell(fd, &position));
  equals("fd_pwrite() leaves the position alone", position, 5);

  succeeds("fd_pread() reads at 5 GiB + 3", pread_some(fd, 6, 5 * GIB + 3));
  equals("fd_pread() counts its bytes", count, 6);
  same_bytes("fd_pread() reads what was written beyond 4 GiB", got, 7, "beyond?", 7);
  succeeds("fd_pread() reads past the end", pread_some(fd, 32, 5 * GIB + 6));
  equals("fd_pread() stops at the end", count, 3);
  same_bytes("fd_pread() leaves the rest alone", got, 4, "ond?", 4);
  succeeds("fd_pread() reads across 4 GiB", pread_some(fd, 8, 4 * GIB - 4));
  same_bytes("fd_pread() reads what was written across 4 GiB", got, 9, "four|gib?", 9);
  succeeds("fd_pread() reads across 2 GiB", pread_some(fd, 7, 2 * GIB - 3));
  same_bytes("fd_pread() reads what was written across 2 GiB", got, 8, "two|gib?", 8);
  succeeds("fd_pread() reads the start", pread_some(fd, 5, 0));
  same_bytes("nothing was written modulo 4 GiB", got, 6, "stARt?", 6);
  succeeds("fd_pread() reads a hole", pread_some(fd, 4, 3 * GIB));
  same_bytes("a hole is zeros", got, 5, "\0\0\0\0?", 5);
  succeeds("fd_pread() at the end succeeds", pread_some(fd, 8, 5 * GIB + 9));
  equals("fd_pread() at the end reads nothing", count, 0);
  succeeds("fd_pread() far behind the end succeeds", pread_some(fd, 8, 1000 * GIB));
  equals("fd_pread() far behind the end reads nothing", count, 0);
  succeeds("fd_tell() succeeds after reading", __wasi_fd_tell(fd, &position));
  equals("fd_pread() leaves the position alone", position, 5);

  succeeds("fd_seek() goes to 5 GiB + 5", __wasi_fd_seek(fd, 5 * GIB + 5, __WASI_WHENCE_SET,
                                                        &position));
  equals("fd_seek() tells a position beyond 4 GiB", position, 5 * GIB + 5);
  same_bytes("fd_read() reads there", got, read_all(fd, got, sizeof got), "yond", 4);
  succeeds("fd_seek() goes back from the end by 1 GiB",
           __wasi_fd_seek(fd, -(__wasi_filedelta_t)GIB, __WASI_WHENCE_END, &position));
  equals("fd_seek() counts from the end", position, 4 * GIB + 9);
  write_text(fd, "here");
  succeeds("fd_tell() succeeds after writing", __wasi_fd_tell(fd, &position));
  equals("fd_write() moves a position beyond 4 GiB", position, 4 * GIB + 13);

  /* Linux has signed offsets, so the upper half is refused: EINVAL, or EFBIG near its limit. */
  errno_is("fd_pwrite() at 2^63 is refused", pwrite_text(fd, "no", (u64)1 << 63), INVAL, FBIG,
           OVERFLOW);
  errno_is("fd_pwrite() at 2^64 - 1 is refused", pwrite_text(fd, "no", ~(u64)0), INVAL, FBIG,
           OVERFLOW);
  errno_is("fd_pread() at 2^63 is refused", pread_some(fd, 2, (u64)1 << 63), INVAL, OVERFLOW);
  equals("refused writes leave the size alone", stat_of_fd(fd).size, 5 * GIB + 9);
  succeeds("fd_close() succeeds", __wasi_fd_close(fd));
  return finish();
}
