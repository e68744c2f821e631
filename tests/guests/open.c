/* path_open: what each flag does to what is there, and which paths name it. */
#include "check.h"

static void oflags(void) {
  fd_t fd;
  errno_is("opening what is missing is noent", try_open(ROOT, 0, "missing", 0, READ_RIGHTS), NOENT);
  errno_is("opening a missing file to be written is noent",
           try_open(ROOT, 0, "missing", 0, FILE_RIGHTS), NOENT);
  errno_is("trunc alone does not create", try_open(ROOT, 0, "missing", TRUNC, FILE_RIGHTS), NOENT);
  errno_is("directory alone does not create",
           try_open(ROOT, 0, "missing", DIRECTORY, DIRECTORY_RIGHTS), NOENT);
  is_missing("and none of them did", ROOT, "missing");

  succeeds("creat creates", try_open(ROOT, 0, "created", CREAT, FILE_RIGHTS));
  equals("creat creates an empty file", stat_of(ROOT, 0, "created").size, 0);
  succeeds("creat creates a file only to be read", try_open(ROOT, 0, "reading", CREAT,
                                                            READ_RIGHTS));
  succeeds("creat with excl creates", try_open(ROOT, 0, "exclusive", CREAT | EXCL, FILE_RIGHTS));
  errno_is("creat with excl refuses what is there",
           try_open(ROOT, 0, "exclusive", CREAT | EXCL, FILE_RIGHTS), EXIST);

  make_file(ROOT, "file", "content");
  succeeds("creat opens what is there", try_open(ROOT, 0, "file", CREAT, FILE_RIGHTS));
  file_holds("creat leaves what is there", ROOT, "file", "content");
  errno_is("excl with trunc refuses what is there",
           try_open(ROOT, 0, "file", CREAT | EXCL | TRUNC, FILE_RIGHTS), EXIST);
  file_holds("and does not empty it", ROOT, "file", "content");
  succeeds("trunc opens what is there", open_into(ROOT, 0, "file", TRUNC, FILE_RIGHTS, 0, &fd));
  equals("trunc empties it", stat_of_fd(fd).size, 0);
  write_text(fd, "new");
  close_fd(fd);
  file_holds("and it can be written", ROOT, "file", "new");
  succeeds("creat with trunc opens what is there",
           try_open(ROOT, 0, "file", CREAT | TRUNC, FILE_RIGHTS));
  equals("and empties it", stat_of(ROOT, 0, "file").size, 0);
}

static void directories(void) {
  make_directory(ROOT, "dir");
  make_file(ROOT, "dir/file", "inside");
  errno_is("directory refuses a file", try_open(ROOT, 0, "dir/file", DIRECTORY, READ_RIGHTS),
           NOTDIR);
  succeeds("directory opens a directory", try_open(ROOT, 0, "dir", DIRECTORY, DIRECTORY_RIGHTS));
  succeeds("a directory opens without the flag too", try_open(ROOT, 0, "dir", 0,
                                                              DIRECTORY_RIGHTS));
  errno_is("a directory does not open to be written",
           try_open(ROOT, 0, "dir", 0, RIGHT(FD_READ) | RIGHT(FD_WRITE)), ISDIR);
  errno_is("nor to be only written", try_open(ROOT, 0, "dir", 0, RIGHT(FD_WRITE)), ISDIR);
  errno_is("creat on a directory is isdir", try_open(ROOT, 0, "dir", CREAT, FILE_RIGHTS), ISDIR);
  errno_is("creat on a directory is isdir even to be read",
           try_open(ROOT, 0, "dir", CREAT, READ_RIGHTS), ISDIR);
  errno_is("creat with excl on a directory is exist",
           try_open(ROOT, 0, "dir", CREAT | EXCL, FILE_RIGHTS), EXIST);
  errno_is("trunc on a directory is isdir", try_open(ROOT, 0, "dir", TRUNC, FILE_RIGHTS), ISDIR);
  errno_is("creat with directory is inval",
           try_open(ROOT, 0, "new", CREAT | DIRECTORY, READ_RIGHTS), INVAL);
  is_missing("and creates nothing", ROOT, "new");

  /* A directory is no file to be read, sought or written, whatever the descriptor's rights. */
  fd_t dir = open_directory(ROOT, "dir");
  u8 byte = '?';
  __wasi_iovec_t in = {&byte, 1};
  __wasi_ciovec_t out = {&byte, 1};
  __wasi_size_t count;
  errno_is("fd_read() of a directory is refused", __wasi_fd_read(dir, &in, 1, &count), BADF, ISDIR,
           NOTCAPABLE);
  errno_is("fd_write() of a directory is refused", __wasi_fd_write(dir, &out, 1, &count), BADF,
           ISDIR, NOTCAPABLE);
  errno_is("fd_pread() of a directory is refused", __wasi_fd_pread(dir, &in, 1, 0, &count), BADF,
           ISDIR, NOTCAPABLE);
  errno_is("fd_filestat_set_size() of a directory is refused", __wasi_fd_filestat_set_size(dir, 0),
           BADF, ISDIR, NOTCAPABLE, INVAL);
  close_fd(dir);

  fd_t fd = open_file(ROOT, "dir/file", 0, READ_RIGHTS, 0);
  errno_is("a path beneath a file's descriptor is refused",
           try_open(fd, 0, "x", 0, READ_RIGHTS), NOTDIR, BADF, NOTCAPABLE);
  close_fd(fd);
  errno_is("a path beneath a closed descriptor is badf",
           try_open(CLOSED, 0, "dir/file", 0, READ_RIGHTS), BADF);
  errno_is("a path beneath standard input is refused", try_open(0, 0, "x", 0, READ_RIGHTS), NOTDIR,
           BADF, NOTCAPABLE);
}

static void opens(const char *path) {
  succeeds(join("'", path, "' opens the file"), try_open(ROOT, 0, path, 0, READ_RIGHTS));
}

static void opens_directory(const char *path) {
  succeeds(join("'", path, "' opens the directory"),
           try_open(ROOT, 0, path, DIRECTORY, DIRECTORY_RIGHTS));
}

static void paths(void) {
  make_directory(ROOT, "dir/nested");
  make_file(ROOT, "dir/nested/file", "nested");
  opens("dir/nested/file");
  opens("./dir/nested/file");
  opens("dir//nested///file");
  opens("dir/./nested/././file");
  opens("dir/.//nested/../../dir/nested/../nested///./file");
  opens("dir/../dir/../dir/nested/file");
  opens_directory(".");
  opens_directory("./");
  opens_directory("dir");
  opens_directory("dir/");
  opens_directory("dir///");
  opens_directory("dir/.");
  opens_directory("dir/nested/..");
  opens_directory("dir/nested/../");
  opens_directory("dir/..");
  errno_is("an empty path is noent", try_open(ROOT, 0, "", 0, READ_RIGHTS), NOENT);
  errno_is("a missing directory in the path is noent",
           try_open(ROOT, 0, "dir/missing/file", 0, READ_RIGHTS), NOENT);
  errno_is("'..' does not forgive a missing directory",
           try_open(ROOT, 0, "dir/missing/../file", 0, READ_RIGHTS), NOENT);
  errno_is("creat does not create the directories of the path",
           try_open(ROOT, 0, "dir/missing/file", CREAT, FILE_RIGHTS), NOENT);
  errno_is("a file in the path is notdir", try_open(ROOT, 0, "dir/file/x", 0, READ_RIGHTS), NOTDIR);
  errno_is("creating beneath a file is notdir",
           try_open(ROOT, 0, "dir/file/x", CREAT, FILE_RIGHTS), NOTDIR);
  errno_is("'..' does not forgive a file in the path",
           try_open(ROOT, 0, "dir/file/../file", 0, READ_RIGHTS), NOTDIR);
  errno_is("'.' beneath a file is notdir", try_open(ROOT, 0, "dir/file/.", 0, READ_RIGHTS),
           NOTDIR);
  errno_is("a slash after a file is notdir", try_open(ROOT, 0, "dir/file/", 0, READ_RIGHTS),
           NOTDIR);
  errno_is("slashes after a file are notdir", try_open(ROOT, 0, "dir/file///", 0, READ_RIGHTS),
           NOTDIR);
  errno_is("a slash after what is missing is noent",
           try_open(ROOT, 0, "dir/missing/", 0, READ_RIGHTS), NOENT);
  errno_is("a file is not created with a slash after it",
           try_open(ROOT, 0, "dir/slashed/", CREAT, FILE_RIGHTS), ISDIR, NOTDIR, NOENT, INVAL);
  is_missing("and is not there", ROOT, "dir/slashed");
  errno_is("nor is a file created at 'new/.'", try_open(ROOT, 0, "dir/new/.", CREAT, FILE_RIGHTS),
           NOENT);
  is_missing("which is not there either", ROOT, "dir/new");
  errno_is("nor is a file opened by creat with a slash after it",
           try_open(ROOT, 0, "dir/file/", CREAT, FILE_RIGHTS), ISDIR, NOTDIR);

  static char name[512];
  memset(name, 'n', 255);
  name[255] = 0;
  succeeds("a name may have 255 bytes", try_open(ROOT, 0, name, CREAT, FILE_RIGHTS));
  name[255] = 'n';
  errno_is("a name of 256 bytes is too long", try_open(ROOT, 0, name, CREAT, FILE_RIGHTS),
           NAMETOOLONG);
  succeeds("a name may be any UTF-8",
           try_open(ROOT, 0, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f\n\\:*?", CREAT, FILE_RIGHTS));
  static char deep[3000];
  for (int i = 0; i < 1400; i++) memcpy(deep + 2 * i, "./", 2);
  memcpy(deep + 2800, "dir/file", 9);
  opens(deep);
}

/* What a file's descriptor still does after its name is gone. */
static void unlinked(void) {
  u8 got[16];
  fd_t fd = open_file(ROOT, "gone", CREAT, FILE_RIGHTS, 0);
  write_text(fd, "still here");
  must("unlink", __wasi_path_unlink_file(ROOT, "gone"));
  is_missing("an unlinked file has no name", ROOT, "gone");
  __wasi_filesize_t position;
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  same_bytes("an unlinked file is still read", got, read_all(fd, got, sizeof got), "still here",
             10);
  equals("an unlinked file has no links", stat_of_fd(fd).nlink, 0);
  make_file(ROOT, "gone", "another");
  is_true("a new file of that name is another", stat_of_fd(fd).ino != stat_of(ROOT, 0, "gone").ino);
  close_fd(fd);
}

/* A descriptor follows its directory, not the directory's name. */
static void moved(void) {
  make_directory(ROOT, "before");
  make_file(ROOT, "before/file", "moved");
  fd_t dir = open_directory(ROOT, "before");
  must("rename", __wasi_path_rename(ROOT, "before", ROOT, "after"));
  file_holds("an open directory is found after it was renamed", dir, "file", "moved");
  make_file(dir, "made", "there");
  file_holds("and what is made in it is there", ROOT, "after/made", "there");
  close_fd(dir);
}

int main(void) {
  oflags();
  directories();
  paths();
  unlinked();
  moved();
  return finish();
}
