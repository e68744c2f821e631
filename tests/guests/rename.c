/* path_rename: every kind over every kind, within and between directories. */
#include "check.h"

static int move(const char *old_path, const char *new_path) {
  return __wasi_path_rename(ROOT, old_path, ROOT, new_path);
}

static void files(void) {
  make_file(ROOT, "a", "a");
  succeeds("a file is renamed", move("a", "b"));
  is_missing("its old name is gone", ROOT, "a");
  file_holds("its new name has it", ROOT, "b", "a");
  make_file(ROOT, "c", "c");
  u64 inode = stat_of(ROOT, 0, "b").ino;
  succeeds("a file is renamed over a file", move("b", "c"));
  file_holds("and replaces it", ROOT, "c", "a");
  equals("it stays the same file", stat_of(ROOT, 0, "c").ino, inode);
  is_missing("without its old name", ROOT, "b");
  succeeds("a file is renamed to its own name", move("c", "c"));
  file_holds("and stays", ROOT, "c", "a");
  must("link", __wasi_path_link(ROOT, 0, "c", ROOT, "d"));
  succeeds("renaming between two names of a file succeeds", move("c", "d"));
  exists("and leaves the first", ROOT, "c");
  exists("and the second", ROOT, "d");
}

static void directories(void) {
  make_directory(ROOT, "dir");
  make_file(ROOT, "dir/inside", "inside");
  make_directory(ROOT, "empty");
  make_directory(ROOT, "full");
  make_file(ROOT, "full/inside", "full");
  make_file(ROOT, "file", "file");

  succeeds("a directory is renamed over an empty one", move("dir", "empty"));
  file_holds("and brings what it holds", ROOT, "empty/inside", "inside");
  is_missing("without its old name", ROOT, "dir");
  errno_is("a directory over one that is not empty is notempty", move("empty", "full"), NOTEMPTY,
           EXIST);
  errno_is("a directory over a file is notdir", move("empty", "file"), NOTDIR);
  errno_is("a file over a directory is isdir", move("file", "empty"), ISDIR);
  make_directory(ROOT, "vacant");
  errno_is("a file over an empty directory is isdir", move("file", "vacant"), ISDIR);
  errno_is("a directory into itself is inval", move("empty", "empty/self"), INVAL);
  succeeds("a directory is renamed to its own name", move("full", "full"));
  file_holds("none of these touched the file", ROOT, "file", "file");
  file_holds("nor the full directory", ROOT, "full/inside", "full");
  file_holds("nor the other", ROOT, "empty/inside", "inside");
}

static void slashes(void) {
  make_directory(ROOT, "source");
  succeeds("slashes after both names of a directory are accepted", move("source/", "target/"));
  exists("and it is renamed", ROOT, "target");
  errno_is("a slash after a file's old name is notdir", move("file/", "new"), NOTDIR);
  errno_is("a slash after a file's new name is refused", move("file", "new/"), NOTDIR, NOENT,
           ISDIR);
  errno_is("a slash after a file over a file is notdir", move("file", "c/"), NOTDIR);
  is_missing("and the file is not renamed", ROOT, "new");
  file_holds("but stays", ROOT, "file", "file");
}

static void errors(void) {
  errno_is("renaming what is missing is noent", move("missing", "new"), NOENT);
  errno_is("renaming into a missing directory is noent", move("file", "missing/new"), NOENT);
  errno_is("renaming into a file is notdir", move("c", "file/new"), NOTDIR);
  errno_is("renaming an empty path is noent", move("", "new"), NOENT);
  errno_is("renaming to an empty path is noent", move("file", ""), NOENT);
  errno_is("renaming '.' is refused", move(".", "new"), BUSY, INVAL, PERM, NOTCAPABLE);
  errno_is("renaming to '.' is refused", move("target", "."), BUSY, INVAL, NOTEMPTY, EXIST);
  errno_is("renaming 'target/.' is refused", move("target/.", "new"), BUSY, INVAL, PERM,
           NOTCAPABLE);
  errno_is("renaming 'target/..' is refused", move("target/..", "new"), BUSY, INVAL, PERM,
           NOTCAPABLE);
  errno_is("renaming from a closed descriptor is badf",
           __wasi_path_rename(CLOSED, "file", ROOT, "new"), BADF);
  errno_is("renaming to a closed descriptor is badf",
           __wasi_path_rename(ROOT, "file", CLOSED, "new"), BADF);
  is_missing("none of these made anything", ROOT, "new");
}

static void between_directories(void) {
  fd_t full = open_directory(ROOT, "full"), target = open_directory(ROOT, "target");
  succeeds("a file is renamed between two descriptors",
           __wasi_path_rename(full, "inside", target, "inside"));
  file_holds("and arrives", ROOT, "target/inside", "full");
  is_missing("and leaves", ROOT, "full/inside");
  succeeds("a directory is renamed between two descriptors",
           __wasi_path_rename(ROOT, "vacant", target, "vacant"));
  exists("and arrives too", ROOT, "target/vacant");
  close_fd(full);
  close_fd(target);
}

static void links(void) {
  must("symlink", __wasi_path_symlink("file", ROOT, "link"));
  must("symlink", __wasi_path_symlink("target", ROOT, "link-dir"));
  succeeds("a symbolic link is renamed itself", move("link", "moved-link"));
  equals("and stays a link", stat_of(ROOT, 0, "moved-link").filetype,
         __WASI_FILETYPE_SYMBOLIC_LINK);
  file_holds("to where it was", ROOT, "moved-link", "file");
  errno_is("a directory over a link to a directory is notdir", move("full", "link-dir"), NOTDIR);
  succeeds("a file is renamed over a link", move("d", "moved-link"));
  file_holds("and replaces the link", ROOT, "moved-link", "a");
  file_holds("not its target", ROOT, "file", "file");
}

int main(void) {
  files();
  directories();
  slashes();
  errors();
  between_directories();
  links();
  return finish();
}
