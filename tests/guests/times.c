/*
 * fd_filestat_set_times and path_filestat_set_times. The word "us" as an argument allows an error
 * below a microsecond, for hosts whose only call takes seconds as a double.
 */
#include "check.h"

#define ATIM __WASI_FSTFLAGS_ATIM
#define ATIM_NOW __WASI_FSTFLAGS_ATIM_NOW
#define MTIM __WASI_FSTFLAGS_MTIM
#define MTIM_NOW __WASI_FSTFLAGS_MTIM_NOW
#define SECOND 1000000000u

static u64 slack;

static void is_time(const char *sentence, u64 got, u64 expected) {
  between(sentence, got, expected < slack ? 0 : expected - slack, expected + slack);
}

static void is_now(const char *sentence, u64 got) {
  u64 now = time_of(__WASI_CLOCKID_REALTIME);
  between(sentence, got, now - 5 * (u64)SECOND, now + SECOND);
}

static int set(const char *path, u32 lookup, u64 atim, u64 mtim, int flags) {
  return __wasi_path_filestat_set_times(ROOT, lookup, path, atim, mtim,
                                        (__wasi_fstflags_t)flags);
}

static int set_fd(fd_t fd, u64 atim, u64 mtim, int flags) {
  return __wasi_fd_filestat_set_times(fd, atim, mtim, (__wasi_fstflags_t)flags);
}

int main(int argc, char **argv) {
  slack = told(argc, argv, "us") ? 999 : 0;
  make_file(ROOT, "file", "content");
  __wasi_filestat_t s;

  static const u64 moments[] = {0, 1, 1001, SECOND - 1, SECOND, 1234567890123456789,
                                1700000000999999999, 4102444800000000001};
  for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
    u64 atim = moments[i], mtim = moments[i] + 7000123456;
    const char *n = text_of(atim);
    succeeds(join("path_filestat_set_times() sets ", n, " ns"),
             set("file", 0, atim, mtim, ATIM | MTIM));
    s = stat_of(ROOT, 0, "file");
    is_time(join("the access time ", n, " ns is kept"), s.atim, atim);
    is_time(join("the modification time 7.000123456 s after ", n, " ns is kept"), s.mtim, mtim);
  }

  fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  succeeds("fd_filestat_set_times() sets both",
           set_fd(fd, 1111111111222333444, 999999999888777666, ATIM | MTIM));
  s = stat_of_fd(fd);
  is_time("fd_filestat_set_times() keeps the access time", s.atim, 1111111111222333444);
  is_time("fd_filestat_set_times() keeps the modification time", s.mtim, 999999999888777666);
  is_now("setting times is a change now", s.ctim);

  u64 atim = s.atim, mtim = s.mtim;
  succeeds("only the access time can be set", set_fd(fd, 2000000000000000001, 5, ATIM));
  s = stat_of_fd(fd);
  is_time("the access time is set", s.atim, 2000000000000000001);
  is_time("the modification time stays", s.mtim, mtim);
  atim = s.atim;
  succeeds("only the modification time can be set", set("file", 0, 5, 2000000001000000002, MTIM));
  s = stat_of_fd(fd);
  is_time("the access time stays", s.atim, atim);
  is_time("the modification time is set", s.mtim, 2000000001000000002);
  succeeds("without flags fd_filestat_set_times() succeeds", set_fd(fd, 5, 5, 0));
  succeeds("without flags path_filestat_set_times() succeeds", set("file", 0, 5, 5, 0));
  s = stat_of_fd(fd);
  is_time("without flags the access time stays", s.atim, atim);
  is_time("without flags the modification time stays", s.mtim, 2000000001000000002);

  succeeds("atim_now succeeds", set_fd(fd, 5, 5, ATIM_NOW));
  s = stat_of_fd(fd);
  is_now("atim_now sets the access time to now", s.atim);
  is_time("atim_now leaves the modification time", s.mtim, 2000000001000000002);
  succeeds("mtim_now with atim succeeds", set("file", 0, 1000000000000000003, 5, ATIM | MTIM_NOW));
  s = stat_of_fd(fd);
  is_time("atim beside mtim_now sets the time given", s.atim, 1000000000000000003);
  is_now("mtim_now sets the modification time to now", s.mtim);
  succeeds("both can be set to now", set_fd(fd, 5, 5, ATIM_NOW | MTIM_NOW));
  s = stat_of_fd(fd);
  is_now("the access time is now", s.atim);
  is_now("the modification time is now", s.mtim);

  must("both", set_fd(fd, 1000000000000000000, 1000000001000000000, ATIM | MTIM));
  errno_is("atim with atim_now is inval", set_fd(fd, 5, 5, ATIM | ATIM_NOW), INVAL);
  errno_is("mtim with mtim_now is inval", set_fd(fd, 5, 5, MTIM | MTIM_NOW), INVAL);
  errno_is("atim with atim_now is inval by path", set("file", 0, 5, 5, ATIM | ATIM_NOW), INVAL);
  errno_is("mtim with mtim_now is inval by path", set("file", 0, 5, 5, ATIM | MTIM | MTIM_NOW),
           INVAL);
  s = stat_of_fd(fd);
  is_true("refused calls leave the times alone",
          s.atim == 1000000000000000000 && s.mtim == 1000000001000000000);
  close_fd(fd);

  fd = open_file(ROOT, "file", 0, READ_RIGHTS, 0);
  succeeds("a file open to be read has its times set", set_fd(fd, 5, 3000000000, MTIM));
  is_time("and they are kept", stat_of_fd(fd).mtim, 3000000000);
  close_fd(fd);

  make_directory(ROOT, "dir");
  succeeds("a directory's times are set by path", set("dir", 0, 7000000007, 8000000008,
                                                      ATIM | MTIM));
  s = stat_of(ROOT, 0, "dir");
  is_time("a directory's access time is kept", s.atim, 7000000007);
  is_time("a directory's modification time is kept", s.mtim, 8000000008);
  fd = open_directory(ROOT, "dir");
  succeeds("a directory's times are set by descriptor", set_fd(fd, 9000000009, 5, ATIM));
  is_time("and kept", stat_of_fd(fd).atim, 9000000009);
  close_fd(fd);

  must("symlink", __wasi_path_symlink("file", ROOT, "link"));
  succeeds("a followed link's target is set", set("link", FOLLOW, 21000000000, 22000000000,
                                                  ATIM | MTIM));
  is_time("the target has the time", stat_of(ROOT, 0, "file").mtim, 22000000000);
  is_now("the link has its own", stat_of(ROOT, 0, "link").mtim);
  succeeds("a link itself is set", set("link", 0, 31000000000, 32000000000, ATIM | MTIM));
  is_time("the link has the time", stat_of(ROOT, 0, "link").mtim, 32000000000);
  is_time("the target keeps its own", stat_of(ROOT, 0, "file").mtim, 22000000000);
  must("symlink", __wasi_path_symlink("missing", ROOT, "dangling"));
  errno_is("a followed dangling link is noent", set("dangling", FOLLOW, 1, 1, MTIM), NOENT);
  succeeds("a dangling link itself is set", set("dangling", 0, 41000000000, 42000000000, MTIM));

  errno_is("a missing path is noent", set("missing", 0, 1, 1, MTIM), NOENT);
  errno_is("a slash after a file is notdir", set("file/", 0, 1, 1, MTIM), NOTDIR);
  errno_is("a closed descriptor is badf", set_fd(CLOSED, 1, 1, MTIM), BADF);

  must("final", set("file", 0, 1234567890123456789, 1345678901234567891, ATIM | MTIM));
  return finish();
}
