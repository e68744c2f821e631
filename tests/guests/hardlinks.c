/* path_link. */
#include "check.h"

static int link_to(const char *old_path, const char *new_path) {
  return __wasi_path_link(ROOT, 0, old_path, ROOT, new_path);
}

int main(void) {
  make_file(ROOT, "file", "one");
  make_directory(ROOT, "dir");
  make_directory(ROOT, "dir/sub");

  succeeds("a file is linked", link_to("file", "same"));
  succeeds("a file is linked into a directory", link_to("file", "dir/same"));
  file_holds("the link holds the file's bytes", ROOT, "dir/same", "one");
  fd_t fd = open_file(ROOT, "dir/same", TRUNC, FILE_RIGHTS, 0);
  write_text(fd, "two");
  close_fd(fd);
  file_holds("what is written through one name is read through another", ROOT, "same", "two");
  equals("the file has three links", stat_of(ROOT, 0, "file").nlink, 3);
  must("unlink", __wasi_path_unlink_file(ROOT, "file"));
  file_holds("removing the first name leaves the others", ROOT, "same", "two");

  fd_t dir = open_directory(ROOT, "dir"), sub = open_directory(ROOT, "dir/sub");
  succeeds("a file is linked between two descriptors",
           __wasi_path_link(dir, 0, "same", sub, "across"));
  file_holds("and is there", ROOT, "dir/sub/across", "two");
  close_fd(dir);
  close_fd(sub);

  make_file(ROOT, "other", "other");
  errno_is("linking over a file is exist", link_to("same", "other"), EXIST);
  errno_is("linking over itself is exist", link_to("same", "same"), EXIST);
  errno_is("linking over a directory is exist", link_to("same", "dir"), EXIST);
  errno_is("linking over a directory with a slash is exist", link_to("same", "dir/"), EXIST);
  file_holds("what was there is untouched", ROOT, "other", "other");
  errno_is("linking what is missing is noent", link_to("missing", "new"), NOENT);
  errno_is("linking into a missing directory is noent", link_to("same", "missing/new"), NOENT);
  errno_is("linking into a file is notdir", link_to("same", "other/new"), NOTDIR);
  errno_is("linking a file with a slash after it is notdir", link_to("same/", "new"), NOTDIR);
  errno_is("linking to a name with a slash after it is noent", link_to("same", "new/"), NOENT,
           NOTDIR);
  errno_is("linking a directory is refused", link_to("dir", "new"), PERM, ACCES, NOTCAPABLE);
  errno_is("linking an empty path is noent", link_to("", "new"), NOENT);
  errno_is("linking to an empty path is noent", link_to("same", ""), NOENT);
  errno_is("linking from a closed descriptor is badf",
           __wasi_path_link(CLOSED, 0, "same", ROOT, "new"), BADF);
  errno_is("linking to a closed descriptor is badf",
           __wasi_path_link(ROOT, 0, "same", CLOSED, "new"), BADF);
  is_missing("none of these made anything", ROOT, "new");

  must("symlink", __wasi_path_symlink("same", ROOT, "symbolic"));
  succeeds("a symbolic link itself is linked", link_to("symbolic", "hard"));
  equals("and both are symbolic links", stat_of(ROOT, 0, "hard").filetype,
         __WASI_FILETYPE_SYMBOLIC_LINK);
  equals("of one inode", stat_of(ROOT, 0, "hard").ino, stat_of(ROOT, 0, "symbolic").ino);
  must("symlink", __wasi_path_symlink("missing", ROOT, "dangling"));
  succeeds("so is a dangling one", link_to("dangling", "hard-dangling"));
  /* wasmtime knows no followed linking and says inval. */
  int error = __wasi_path_link(ROOT, FOLLOW, "symbolic", ROOT, "followed");
  errno_is("a followed symbolic link's target is linked, or it is inval", error, SUCCESS, INVAL,
           NOTSUP);
  if (error == 0) {
    equals("the followed link is the target", stat_of(ROOT, 0, "followed").ino,
           stat_of(ROOT, 0, "same").ino);
    errno_is("a followed dangling link is noent",
             __wasi_path_link(ROOT, FOLLOW, "dangling", ROOT, "new"), NOENT);
    must("unlink", __wasi_path_unlink_file(ROOT, "followed"));
  } else {
    is_missing("a refused followed link is not made", ROOT, "followed");
    is_missing("nor another", ROOT, "new");
  }
  return finish();
}
