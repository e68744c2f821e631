/* fd_filestat_get and path_filestat_get: two ways to the same attributes. */
#include "check.h"
#include <sys/stat.h>

static void same_file(const char *name, __wasi_filestat_t a, __wasi_filestat_t b) {
  equals(join(name, ": both ways tell the same device", ""), a.dev, b.dev);
  equals(join(name, ": both ways tell the same inode", ""), a.ino, b.ino);
  equals(join(name, ": both ways tell the same type", ""), a.filetype, b.filetype);
  equals(join(name, ": both ways tell the same number of links", ""), a.nlink, b.nlink);
  equals(join(name, ": both ways tell the same size", ""), a.size, b.size);
  equals(join(name, ": both ways tell the same access time", ""), a.atim, b.atim);
  equals(join(name, ": both ways tell the same modification time", ""), a.mtim, b.mtim);
  equals(join(name, ": both ways tell the same change time", ""), a.ctim, b.ctim);
}

/* The name stat is taken by a variable in main(). */
static int stat_path(const char *path, struct stat *into) { return stat(path, into); }

int main(void) {
  u64 now = time_of(__WASI_CLOCKID_REALTIME);
  fd_t fd = open_file(ROOT, "file", CREAT, FILE_RIGHTS, 0);
  write_text(fd, "twelve bytes");
  __wasi_filestat_t stat = stat_of_fd(fd);
  same_file("a file", stat, stat_of(ROOT, 0, "file"));
  equals("a file is a regular file", stat.filetype, __WASI_FILETYPE_REGULAR_FILE);
  equals("a file has its size", stat.size, 12);
  equals("a file has one link", stat.nlink, 1);
  is_true("a file has an inode", stat.ino != 0);
  /* The file system's clock may lag behind the realtime clock by one timer tick. */
  between("a new file was modified now", stat.mtim, now - 1000000000, now + 5000000000);
  between("a new file was changed now", stat.ctim, now - 1000000000, now + 5000000000);
  between("a new file was accessed now", stat.atim, now - 1000000000, now + 5000000000);

  must("link", __wasi_path_link(ROOT, 0, "file", ROOT, "second"));
  equals("a hard link makes two", stat_of_fd(fd).nlink, 2);
  __wasi_filestat_t second = stat_of(ROOT, 0, "second");
  equals("both names have one inode", second.ino, stat.ino);
  equals("both names have one device", second.dev, stat.dev);
  must("link", __wasi_path_link(ROOT, 0, "second", ROOT, "third"));
  equals("another makes three", stat_of(ROOT, 0, "file").nlink, 3);
  must("unlink", __wasi_path_unlink_file(ROOT, "second"));
  must("unlink", __wasi_path_unlink_file(ROOT, "third"));
  equals("removing names leaves one", stat_of_fd(fd).nlink, 1);
  close_fd(fd);

  make_directory(ROOT, "dir");
  fd_t dir = open_directory(ROOT, "dir");
  same_file("a directory", stat_of_fd(dir), stat_of(ROOT, 0, "dir"));
  equals("a directory is a directory", stat_of_fd(dir).filetype, __WASI_FILETYPE_DIRECTORY);
  same_file("a directory and its '.'", stat_of_fd(dir), stat_of(dir, 0, "."));
  same_file("a directory with a slash", stat_of_fd(dir), stat_of(ROOT, 0, "dir/"));
  same_file("the preopen", stat_of_fd(ROOT), stat_of(ROOT, 0, "."));
  same_file("the preopen through '..'", stat_of_fd(ROOT), stat_of(ROOT, 0, "dir/.."));
  is_true("a directory is another file", stat_of_fd(dir).ino != stat.ino);
  equals("a directory is on the same device", stat_of_fd(dir).dev, stat.dev);
  close_fd(dir);

  must("symlink", __wasi_path_symlink("../file", ROOT, "dir/link"));
  __wasi_filestat_t link = stat_of(ROOT, 0, "dir/link");
  equals("a symbolic link is one", link.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
  equals("a symbolic link is as long as its text", link.size, 7);
  is_true("a symbolic link is a file of its own", link.ino != stat.ino);
  same_file("a followed link", stat_of(ROOT, FOLLOW, "dir/link"), stat_of(ROOT, 0, "file"));

  for (fd_t i = 0; i < 3; i++) {
    equals(join("standard stream ", text_of(i), " is the regular file it was given"),
           stat_of_fd(i).filetype, __WASI_FILETYPE_REGULAR_FILE);
  }

  __wasi_filestat_t none;
  errno_is("a missing path is noent", __wasi_path_filestat_get(ROOT, 0, "missing", &none), NOENT);
  errno_is("an empty path is noent", __wasi_path_filestat_get(ROOT, 0, "", &none), NOENT);
  errno_is("a slash after a file is notdir", __wasi_path_filestat_get(ROOT, 0, "file/", &none),
           NOTDIR);
  errno_is("a path through a file is notdir", __wasi_path_filestat_get(ROOT, 0, "file/x", &none),
           NOTDIR);
  errno_is("a closed descriptor is badf", __wasi_fd_filestat_get(CLOSED, &none), BADF);
  errno_is("a path beneath a closed descriptor is badf",
           __wasi_path_filestat_get(CLOSED, 0, "file", &none), BADF);

  struct stat c;
  equals("libc's stat() finds the file", (u64)stat_path("/file", &c), 0);
  equals("libc's stat() tells the inode", c.st_ino, stat.ino);
  equals("libc's stat() tells the size", (u64)c.st_size, 12);
  is_true("libc's stat() tells a regular file", S_ISREG(c.st_mode));
  equals("libc's stat() follows a link", (u64)stat_path("/dir/link", &c), 0);
  equals("libc's stat() tells the inode at its end", c.st_ino, stat.ino);
  is_true("libc's lstat() tells a link", lstat("/dir/link", &c) == 0 && S_ISLNK(c.st_mode));
  return finish();
}
