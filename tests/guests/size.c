/* fd_filestat_set_size, fd_allocate, fd_advise, fd_sync and fd_datasync. */
#include "check.h"
#include <unistd.h>

static u64 size_of(fd_t fd) { return stat_of_fd(fd).size; }

static void set_size(fd_t fd) {
  u8 got[32];
  __wasi_filesize_t position = 12345;
  write_text(fd, "0123456789");
  succeeds("fd_filestat_set_size() shrinks", __wasi_fd_filestat_set_size(fd, 4));
  equals("to that size", size_of(fd), 4);
  must("fd_tell", __wasi_fd_tell(fd, &position));
  equals("and leaves the position behind the end", position, 10);
  succeeds("fd_filestat_set_size() grows", __wasi_fd_filestat_set_size(fd, 12));
  equals("to this size", size_of(fd), 12);
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  same_bytes("with zeros, not with what was there", got, read_all(fd, got, sizeof got),
             "0123\0\0\0\0\0\0\0\0", 12);
  succeeds("fd_filestat_set_size() keeps a size", __wasi_fd_filestat_set_size(fd, 12));
  succeeds("fd_filestat_set_size() grows beyond 4 GiB",
           __wasi_fd_filestat_set_size(fd, ((u64)1 << 32) + 7));
  equals("to that size beyond 4 GiB", size_of(fd), ((u64)1 << 32) + 7);
  errno_is("fd_filestat_set_size() to 2^63 is refused",
           __wasi_fd_filestat_set_size(fd, (u64)1 << 63), INVAL, FBIG, OVERFLOW);
  errno_is("fd_filestat_set_size() to 2^64 - 1 is refused",
           __wasi_fd_filestat_set_size(fd, ~(u64)0), INVAL, FBIG, OVERFLOW);
  equals("and leaves the size", size_of(fd), ((u64)1 << 32) + 7);
  succeeds("fd_filestat_set_size() empties", __wasi_fd_filestat_set_size(fd, 0));
  equals("to nothing", size_of(fd), 0);

  fd_t reading = open_file(ROOT, "file", 0, READ_RIGHTS, 0);
  errno_is("a file open to be read is not resized", __wasi_fd_filestat_set_size(reading, 5),
           NOTCAPABLE, BADF, INVAL);
  close_fd(reading);
  equals("and stays", size_of(fd), 0);
}

static void allocate(fd_t fd) {
  u8 got[32];
  __wasi_filesize_t position;
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  write_text(fd, "0123456789");
  succeeds("fd_allocate() beyond the end succeeds", __wasi_fd_allocate(fd, 5, 15));
  equals("and grows the file", size_of(fd), 20);
  succeeds("fd_allocate() inside succeeds", __wasi_fd_allocate(fd, 2, 3));
  equals("and keeps the size", size_of(fd), 20);
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  same_bytes("fd_allocate() changes no byte and adds zeros", got, read_all(fd, got, sizeof got),
             "0123456789\0\0\0\0\0\0\0\0\0\0", 20);
  errno_is("fd_allocate() of nothing is inval", __wasi_fd_allocate(fd, 0, 0), INVAL);
  errno_is("fd_allocate() at 2^63 is refused", __wasi_fd_allocate(fd, (u64)1 << 63, 1), INVAL,
           FBIG, OVERFLOW);
  errno_is("fd_allocate() of more than 2^63 is refused", __wasi_fd_allocate(fd, 10, ~(u64)0 - 5),
           INVAL, FBIG, OVERFLOW);
  equals("and leave the size", size_of(fd), 20);
  fd_t dir = open_directory(ROOT, "dir");
  errno_is("fd_allocate() of a directory is refused", __wasi_fd_allocate(dir, 0, 10), BADF,
           NOTCAPABLE, ISDIR, INVAL);
  close_fd(dir);
}

static void advise(fd_t fd) {
  static const char *const names[] = {"normal",   "sequential", "random",
                                      "willneed", "dontneed",   "noreuse"};
  for (int i = 0; i < 6; i++) {
    succeeds(join("fd_advise() takes the advice ", names[i], ""),
             __wasi_fd_advise(fd, 0, 4096, (__wasi_advice_t)i));
  }
  succeeds("fd_advise() takes a range beyond the end",
           __wasi_fd_advise(fd, (u64)1 << 33, 1 << 20, __WASI_ADVICE_WILLNEED));
  succeeds("fd_advise() takes a length of 0, the rest",
           __wasi_fd_advise(fd, 0, 0, __WASI_ADVICE_SEQUENTIAL));
  equals("fd_advise() leaves the size", size_of(fd), 20);
}

static void sync(fd_t fd) {
  succeeds("fd_sync() succeeds", __wasi_fd_sync(fd));
  succeeds("fd_datasync() succeeds", __wasi_fd_datasync(fd));
  fd_t reading = open_file(ROOT, "file", 0, READ_RIGHTS, 0);
  succeeds("fd_sync() of a file open to be read succeeds", __wasi_fd_sync(reading));
  close_fd(reading);
  errno_is("fd_sync() of a closed descriptor is badf", __wasi_fd_sync(reading), BADF);
  errno_is("fd_datasync() of a closed descriptor is badf", __wasi_fd_datasync(reading), BADF);
}

int main(void) {
  make_directory(ROOT, "dir");
  fd_t fd = open_file(ROOT, "file", CREAT, FILE_RIGHTS, 0);
  set_size(fd);
  allocate(fd);
  must("size", __wasi_fd_filestat_set_size(fd, 20));
  advise(fd);
  sync(fd);
  close_fd(fd);
  equals("libc's truncate() succeeds", (u64)truncate("/file", 10), 0);
  file_holds("and leaves the start", ROOT, "file", "0123456789");
  return finish();
}
