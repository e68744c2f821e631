/* fd_prestat_get and fd_prestat_dir_name, and paths across several preopens. */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

int main(void) {
  static u8 name[256];
  __wasi_prestat_t prestat;
  u32 count = 0;
  for (fd_t fd = ROOT;; fd++) {
    memset(&prestat, '?', sizeof prestat);
    int error = __wasi_fd_prestat_get(fd, &prestat);
    if (error != 0) {
      errno_is("the number after the last preopen is badf", error, BADF);
      break;
    }
    count++;
    const char *n = text_of(fd);
    size_t length = prestat.u.dir.pr_name_len;
    equals(join("preopen ", n, " is a directory"), prestat.tag, __WASI_PREOPENTYPE_DIR);
    equals(join("preopen ", n, " has a directory's file type"), fdstat_of(fd).fs_filetype,
           __WASI_FILETYPE_DIRECTORY);
    memset(name, '?', sizeof name);
    succeeds(join("fd_prestat_dir_name() of ", n, " fits"),
             __wasi_fd_prestat_dir_name(fd, name, length));
    equals(join("fd_prestat_dir_name() of ", n, " writes no byte more"), name[length], '?');
    note_text("preopen", name, length);
    memset(name, '?', sizeof name);
    errno_is(join("fd_prestat_dir_name() of ", n, " into less is nametoolong"),
             __wasi_fd_prestat_dir_name(fd, name, length - 1), NAMETOOLONG);
    errno_is(join("fd_prestat_dir_name() of ", n, " into nothing is nametoolong"),
             __wasi_fd_prestat_dir_name(fd, name, 0), NAMETOOLONG);
    equals(join("and writes nothing of ", n, ""), name[0], '?');
    succeeds(join("fd_prestat_dir_name() of ", n, " into more succeeds"),
             __wasi_fd_prestat_dir_name(fd, name, length + 10));
    equals(join("and writes no byte more of ", n, ""), name[length], '?');
  }
  equals("there are four preopens", count, 4);
  for (fd_t fd = 0; fd < 3; fd++) {
    errno_is(join("standard stream ", text_of(fd), " is no preopen"),
             __wasi_fd_prestat_get(fd, &prestat), BADF, NOTSUP, INVAL);
    errno_is(join("standard stream ", text_of(fd), " has no preopen's name"),
             __wasi_fd_prestat_dir_name(fd, name, sizeof name), BADF, NOTSUP, INVAL, NOTDIR);
  }

  make_directory(ROOT, "dir");
  make_file(ROOT, "file", "content");
  fd_t dir = open_directory(ROOT, "dir");
  errno_is("a directory that was opened is no preopen", __wasi_fd_prestat_get(dir, &prestat), BADF,
           NOTSUP, INVAL);
  close_fd(dir);
  fd_t file = open_file(ROOT, "file", 0, READ_RIGHTS, 0);
  errno_is("a file is no preopen", __wasi_fd_prestat_get(file, &prestat), BADF, NOTSUP, INVAL);
  close_fd(file);

  succeeds("a file is renamed into another preopen",
           __wasi_path_rename(ROOT, "file", ROOT + 1, "renamed"));
  succeeds("and linked into a third", __wasi_path_link(ROOT + 1, 0, "renamed", ROOT + 2, "linked"));
  file_holds("and is there", ROOT + 2, "linked", "content");
  make_file(ROOT + 3, "last", "in the last");
  errno_is("another preopen is not beneath the first", lookup_errno(ROOT, "data/renamed"), NOENT);

  char got[32] = {0};
  int fd = open("/data/renamed", O_RDONLY);
  is_true("libc finds a file by the longest preopen", fd >= 0 && read(fd, got, 31) == 7 &&
                                                          strcmp(got, "content") == 0);
  close(fd);
  fd = open("relative/linked", O_RDONLY);
  is_true("libc finds a file by a relative preopen", fd >= 0 && read(fd, got, 31) == 7);
  close(fd);
  return finish();
}
