/* Append mode: two descriptors of one file, of which one appends. */
#include "check.h"

static u64 tell(fd_t fd) {
  __wasi_filesize_t position = 12345;
  must("fd_tell", __wasi_fd_tell(fd, &position));
  return position;
}

static void seek(fd_t fd, __wasi_filedelta_t offset) {
  __wasi_filesize_t position;
  must("fd_seek", __wasi_fd_seek(fd, offset, __WASI_WHENCE_SET, &position));
}

int main(void) {
  u8 got[64];
  fd_t plain = open_file(ROOT, "log", CREAT, FILE_RIGHTS, 0);
  fd_t appending = open_file(ROOT, "log", 0, FILE_RIGHTS, __WASI_FDFLAGS_APPEND);
  equals("fd_fdstat_get() tells append", fdstat_of(appending).fs_flags, __WASI_FDFLAGS_APPEND);
  equals("fd_fdstat_get() tells no flags of the other", fdstat_of(plain).fs_flags, 0);

  write_text(plain, "plain");
  write_text(appending, "+one");
  equals("appending moves the position to the end", tell(appending), 9);
  equals("the other's position stays", tell(plain), 5);

  write_text(plain, "-two-");
  file_holds("writing at a position overwrites what was appended", ROOT, "log", "plain-two-");
  seek(appending, 0);
  equals("an appending descriptor can seek", tell(appending), 0);
  write_text(appending, "+three");
  equals("appending after a seek moves the position to the end", tell(appending), 16);
  file_holds("appending after a seek goes to the end", ROOT, "log", "plain-two-+three");

  seek(appending, 6);
  same_bytes("an appending descriptor reads at its position", got, read_all(appending, got, 3),
             "two", 3);
  equals("reading moves its position", tell(appending), 9);

  fd_t second = open_file(ROOT, "log", 0, FILE_RIGHTS, __WASI_FDFLAGS_APPEND);
  write_text(second, "|a");
  write_text(appending, "|b");
  write_text(second, "|c");
  file_holds("two appending descriptors take turns at the end", ROOT, "log",
             "plain-two-+three|a|b|c");

  must("fd_filestat_set_size", __wasi_fd_filestat_set_size(plain, 5));
  write_text(second, "!");
  file_holds("appending follows an end that moved back", ROOT, "log", "plain!");
  equals("and tells where it is", tell(second), 6);

  __wasi_ciovec_t parts[] = {{(u8 *)"x", 1}, {NULL, 0}, {(u8 *)"yz", 2}};
  __wasi_size_t count = 12345;
  succeeds("appending gathers buffers", __wasi_fd_write(second, parts, 3, &count));
  equals("appending counts the bytes of all buffers", count, 3);
  file_holds("appending gathers them in order", ROOT, "log", "plain!xyz");
  close_fd(plain);
  close_fd(appending);
  close_fd(second);

  appending = open_file(ROOT, "fresh", CREAT, FILE_RIGHTS, __WASI_FDFLAGS_APPEND);
  write_text(appending, "created");
  close_fd(appending);
  file_holds("append with creat creates the file", ROOT, "fresh", "created");
  appending = open_file(ROOT, "fresh", TRUNC, FILE_RIGHTS, __WASI_FDFLAGS_APPEND);
  write_text(appending, "again");
  close_fd(appending);
  file_holds("append with trunc starts anew", ROOT, "fresh", "again");
  return finish();
}
