/* fd_fdstat_get and fd_fdstat_set_flags. */
#include "check.h"

#define APPEND __WASI_FDFLAGS_APPEND
#define NONBLOCK __WASI_FDFLAGS_NONBLOCK
#define SYNCED (__WASI_FDFLAGS_DSYNC | __WASI_FDFLAGS_RSYNC | __WASI_FDFLAGS_SYNC)

static u32 flags_of(fd_t fd) { return fdstat_of(fd).fs_flags; }

int main(void) {
  fd_t fd = open_file(ROOT, "flags", CREAT, FILE_RIGHTS, 0);
  __wasi_fdstat_t stat = fdstat_of(fd);
  equals("a file opens without flags", stat.fs_flags, 0);
  equals("fd_fdstat_get() tells a regular file", stat.fs_filetype, __WASI_FILETYPE_REGULAR_FILE);
  equals("fd_fdstat_get() tells the rights asked for", stat.fs_rights_base, FILE_RIGHTS);

  fd_t root = open_directory(ROOT, ".");
  equals("fd_fdstat_get() tells a directory", fdstat_of(root).fs_filetype,
         __WASI_FILETYPE_DIRECTORY);
  close_fd(root);
  equals("the preopen is a directory", fdstat_of(ROOT).fs_filetype, __WASI_FILETYPE_DIRECTORY);
  for (fd_t i = 0; i < 3; i++) {
    equals(join("standard stream ", text_of(i), " is the regular file it was given"),
           fdstat_of(i).fs_filetype, __WASI_FILETYPE_REGULAR_FILE);
  }

  write_text(fd, "0123456789");
  __wasi_filesize_t position;
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  succeeds("fd_fdstat_set_flags() sets append", __wasi_fd_fdstat_set_flags(fd, APPEND));
  equals("fd_fdstat_get() tells append", flags_of(fd), APPEND);
  write_text(fd, "end");
  file_holds("append applies from then on", ROOT, "flags", "0123456789end");
  succeeds("fd_fdstat_set_flags() clears append", __wasi_fd_fdstat_set_flags(fd, 0));
  equals("fd_fdstat_get() tells no flags", flags_of(fd), 0);
  must("seek", __wasi_fd_seek(fd, 2, __WASI_WHENCE_SET, &position));
  write_text(fd, "AB");
  file_holds("without append writing is at the position", ROOT, "flags", "01AB456789end");

  succeeds("fd_fdstat_set_flags() sets nonblock", __wasi_fd_fdstat_set_flags(fd, NONBLOCK));
  equals("fd_fdstat_get() tells nonblock", flags_of(fd), NONBLOCK);
  succeeds("fd_fdstat_set_flags() sets both", __wasi_fd_fdstat_set_flags(fd, APPEND | NONBLOCK));
  equals("fd_fdstat_get() tells both", flags_of(fd), APPEND | NONBLOCK);
  equals("flags leave the rights alone", fdstat_of(fd).fs_rights_base, FILE_RIGHTS);

  /* Linux's F_SETFL ignores O_SYNC and O_DSYNC, wasmtime says notsup: not a silent half. */
  must("clearing", __wasi_fd_fdstat_set_flags(fd, 0));
  int error = __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC);
  errno_is("fd_fdstat_set_flags() sets sync or says that it cannot", error, SUCCESS, NOTSUP,
           INVAL);
  if (error != 0) equals("what it cannot set is not set", flags_of(fd) & SYNCED, 0);
  else is_true("what it set is set", (flags_of(fd) & __WASI_FDFLAGS_SYNC) != 0);

  close_fd(fd);

  static const struct { const char *name; int flag; } opened[] = {
      {"dsync", __WASI_FDFLAGS_DSYNC}, {"rsync", __WASI_FDFLAGS_RSYNC},
      {"sync", __WASI_FDFLAGS_SYNC},   {"nonblock", NONBLOCK}};
  for (int i = 0; i < 4; i++) {
    error = open_into(ROOT, 0, "flags", 0, FILE_RIGHTS, opened[i].flag, &fd);
    errno_is(join("path_open() with ", opened[i].name, " opens or says that it cannot"), error,
             SUCCESS, NOTSUP);
    if (error != 0) continue;
    is_true(join("fd_fdstat_get() tells ", opened[i].name, ""),
            (flags_of(fd) & (u32)opened[i].flag) != 0);
    write_text(fd, "still");
    close_fd(fd);
  }
  file_holds("the file holds what was written last", ROOT, "flags", "still56789end");
  return finish();
}
