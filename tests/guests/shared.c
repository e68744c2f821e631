/* Standard streams belong to the host: a guest reads or writes them, and changes nothing of them. */
#include "check.h"

static void belongs(fd_t fd, const char *what) {
  errno_is(join("sock_shutdown() on ", what, " is notsock"),
           __wasi_sock_shutdown(fd, __WASI_SDFLAGS_RD | __WASI_SDFLAGS_WR), NOTSOCK);
  errno_is(join("fd_filestat_set_size() on ", what, " is notcapable"),
           __wasi_fd_filestat_set_size(fd, 0), NOTCAPABLE);
  errno_is(join("fd_filestat_set_times() on ", what, " is notcapable"),
           __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM),
           NOTCAPABLE);
  is_true(join("fd_allocate() on ", what, " is refused"), __wasi_fd_allocate(fd, 0, 4096) != 0);
  __wasi_fdstat_t stat;
  succeeds(join("fd_fdstat_get() on ", what, ""), __wasi_fd_fdstat_get(fd, &stat));
  is_true(join("fd_fdstat_set_flags() on ", what, " does not change whether it appends"),
          __wasi_fd_fdstat_set_flags(fd, stat.fs_flags ^ __WASI_FDFLAGS_APPEND) != 0);
  is_true(join(what, " says so in its rights", ""),
          (stat.fs_rights_base & (RIGHT(FD_ALLOCATE) | RIGHT(FD_FILESTAT_SET_SIZE) |
                                  RIGHT(FD_FILESTAT_SET_TIMES))) == 0);
}

int main(void) {
  u8 byte = '!';
  __wasi_iovec_t in = {&byte, 1};
  __wasi_ciovec_t out = {&byte, 1};
  __wasi_size_t size = 0;
  belongs(0, "input");
  belongs(1, "output");
  belongs(2, "error");
  errno_is("input is not written to", __wasi_fd_write(0, &out, 1, &size), NOTCAPABLE);
  errno_is("output is not read", __wasi_fd_read(1, &in, 1, &size), NOTCAPABLE);
  errno_is("error is not read", __wasi_fd_read(2, &in, 1, &size), NOTCAPABLE);
  return finish();
}
