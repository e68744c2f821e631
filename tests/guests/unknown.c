/* Values that the specification's enumerations and flags do not have are inval. */
#include "check.h"

int main(void) {
  static const u32 clocks[] = {4, 5, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff};
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    __wasi_timestamp_t time = 42;
    errno_is(join("clock_res_get() of the clock ", text_of(clocks[i]), " is inval"),
             __wasi_clock_res_get(clocks[i], &time), INVAL);
    errno_is(join("clock_time_get() of the clock ", text_of(clocks[i]), " is inval"),
             __wasi_clock_time_get(clocks[i], 1, &time), INVAL);
    equals("an unknown clock writes no time", time, 42);
  }

  make_file(ROOT, "file", "content");
  fd_t other, fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  __wasi_filesize_t position = 42;
  errno_is("fd_seek() with the whence 3 is inval", __wasi_fd_seek(fd, 0, 3, &position), INVAL);
  errno_is("fd_seek() with the whence 255 is inval", __wasi_fd_seek(fd, 0, 255, &position), INVAL);
  errno_is("fd_advise() with the advice 6 is inval", __wasi_fd_advise(fd, 0, 0, 6), INVAL);
  errno_is("fd_advise() with the advice 255 is inval", __wasi_fd_advise(fd, 0, 0, 255), INVAL);
  errno_is("fd_fdstat_set_flags() with the flag 1 << 5 is inval",
           __wasi_fd_fdstat_set_flags(fd, 1 << 5), INVAL);
  equals("and sets none", fdstat_of(fd).fs_flags, 0);
  __wasi_filestat_t before = stat_of_fd(fd);
  errno_is("fd_filestat_set_times() with the flag 1 << 4 is inval",
           __wasi_fd_filestat_set_times(fd, 5, 5, 1 << 4), INVAL);
  errno_is("path_filestat_set_times() with the flag 1 << 4 is inval",
           __wasi_path_filestat_set_times(ROOT, 0, "file", 5, 5, 1 | 1 << 4), INVAL);
  __wasi_filestat_t after = stat_of_fd(fd);
  is_true("and sets no time", before.atim == after.atim && before.mtim == after.mtim);
  close_fd(fd);

  errno_is("path_open() with the oflag 1 << 4 is inval",
           open_into(ROOT, 0, "new", CREAT | 1 << 4, FILE_RIGHTS, 0, &other), INVAL);
  errno_is("path_open() with the fdflag 1 << 5 is inval",
           open_into(ROOT, 0, "new", CREAT, FILE_RIGHTS, 1 << 5, &other), INVAL);
  is_missing("and neither creates", ROOT, "new");
  errno_is("path_open() with the lookupflag 1 << 1 is inval",
           open_into(ROOT, 1 << 1, "file", 0, FILE_RIGHTS, 0, &other), INVAL);
  errno_is("path_filestat_get() with the lookupflag 1 << 1 is inval",
           __wasi_path_filestat_get(ROOT, 1 << 1, "file", &before), INVAL);
  return finish();
}
