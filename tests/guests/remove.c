/* path_create_directory, path_remove_directory and path_unlink_file. */
#include "check.h"

static int mkdir_errno(const char *path) { return __wasi_path_create_directory(ROOT, path); }
static int rmdir_errno(const char *path) { return __wasi_path_remove_directory(ROOT, path); }
static int unlink_errno(const char *path) { return __wasi_path_unlink_file(ROOT, path); }

int main(void) {
  make_file(ROOT, "file", "file");
  must("symlink", __wasi_path_symlink("nowhere", ROOT, "dangling"));

  succeeds("a directory is created", mkdir_errno("dir"));
  equals("and is one", stat_of(ROOT, 0, "dir").filetype, __WASI_FILETYPE_DIRECTORY);
  succeeds("a directory is created with a slash after it", mkdir_errno("slashed/"));
  exists("and is there", ROOT, "slashed");
  succeeds("a directory is created in one", mkdir_errno("dir/sub"));
  succeeds("a directory is created by a winding path", mkdir_errno("./dir/../dir//other"));
  errno_is("a directory over a directory is exist", mkdir_errno("dir"), EXIST);
  errno_is("a directory over a directory with a slash is exist", mkdir_errno("dir/"), EXIST);
  errno_is("a directory over a file is exist", mkdir_errno("file"), EXIST);
  errno_is("a directory over a dangling link is exist", mkdir_errno("dangling"), EXIST);
  errno_is("a directory in a missing one is noent", mkdir_errno("missing/dir"), NOENT);
  errno_is("a directory in a file is notdir", mkdir_errno("file/dir"), NOTDIR);
  errno_is("a directory without a name is noent", mkdir_errno(""), NOENT);
  errno_is("the directory '.' is exist", mkdir_errno("."), EXIST);
  errno_is("the directory 'dir/..' is exist", mkdir_errno("dir/.."), EXIST);
  errno_is("the directory 'new/.' is noent, for 'new' is", mkdir_errno("new/."), NOENT);
  is_missing("and is not made", ROOT, "new");
  errno_is("a directory beneath a closed descriptor is badf",
           __wasi_path_create_directory(CLOSED, "x"), BADF);

  errno_is("unlinking a directory is isdir", unlink_errno("dir"), ISDIR);
  errno_is("unlinking an empty directory is isdir", unlink_errno("slashed"), ISDIR);
  errno_is("unlinking a directory with a slash is refused", unlink_errno("slashed/"), ISDIR,
           NOTDIR, PERM);
  errno_is("unlinking '.' is refused", unlink_errno("."), ISDIR, INVAL, PERM, BUSY);
  errno_is("unlinking 'dir/..' is refused", unlink_errno("dir/.."), ISDIR, INVAL, PERM, BUSY);
  errno_is("unlinking what is missing is noent", unlink_errno("missing"), NOENT);
  errno_is("unlinking in a missing directory is noent", unlink_errno("missing/file"), NOENT);
  errno_is("unlinking in a file is notdir", unlink_errno("file/x"), NOTDIR);
  errno_is("unlinking an empty path is noent", unlink_errno(""), NOENT);
  errno_is("unlinking a file with a slash is notdir", unlink_errno("file/"), NOTDIR);
  errno_is("unlinking beneath a closed descriptor is badf",
           __wasi_path_unlink_file(CLOSED, "file"), BADF);
  file_holds("the file is still there", ROOT, "file", "file");
  exists("so is the directory", ROOT, "dir/sub");
  exists("so is the empty one", ROOT, "slashed");

  errno_is("removing a file as a directory is notdir", rmdir_errno("file"), NOTDIR);
  errno_is("removing a file with a slash as a directory is notdir", rmdir_errno("file/"), NOTDIR);
  errno_is("removing a dangling link as a directory is notdir", rmdir_errno("dangling"), NOTDIR);
  errno_is("removing a directory that is not empty is notempty", rmdir_errno("dir"), NOTEMPTY);
  errno_is("removing one that is not empty with a slash is notempty", rmdir_errno("dir/"),
           NOTEMPTY);
  errno_is("removing a missing directory is noent", rmdir_errno("missing"), NOENT);
  errno_is("removing an empty path is noent", rmdir_errno(""), NOENT);
  errno_is("removing '.' is refused", rmdir_errno("."), INVAL, NOTEMPTY, BUSY);
  errno_is("removing 'dir/sub/.' is refused", rmdir_errno("dir/sub/."), INVAL, NOTEMPTY, BUSY);
  errno_is("removing 'dir/sub/..' is refused", rmdir_errno("dir/sub/.."), INVAL, NOTEMPTY, BUSY);
  errno_is("removing beneath a closed descriptor is badf",
           __wasi_path_remove_directory(CLOSED, "dir"), BADF);
  exists("the inner directory is still there", ROOT, "dir/sub");

  succeeds("an empty directory is removed", rmdir_errno("dir/sub"));
  is_missing("and is gone", ROOT, "dir/sub");
  succeeds("an empty directory is removed with a slash", rmdir_errno("dir/other/"));
  succeeds("a directory is removed once it is empty", rmdir_errno("dir"));
  succeeds("a dangling link is unlinked", unlink_errno("dangling"));
  succeeds("a file is unlinked", unlink_errno("file"));
  is_missing("and is gone too", ROOT, "file");
  errno_is("and not twice", unlink_errno("file"), NOENT);

  fd_t fd = open_directory(ROOT, "slashed");
  must("rmdir", rmdir_errno("slashed"));
  errno_is("nothing is created in a removed directory that is open",
           try_open(fd, 0, "x", CREAT, FILE_RIGHTS), NOENT);
  close_fd(fd);
  return finish();
}
