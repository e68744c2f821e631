/*
 * Rights: dropped and never regained, inherited through directories, and refused on use. A missing
 * right is notcapable; badf is accepted too, which is what wasmtime says of a file not open for it.
 */
#include "check.h"

#define ALL_INHERITING (DIRECTORY_RIGHTS | FILE_RIGHTS)
#define refused(sentence, got) errno_is(sentence, got, NOTCAPABLE, BADF)

static u64 base_of(fd_t fd) { return fdstat_of(fd).fs_rights_base; }
static u64 inheriting_of(fd_t fd) { return fdstat_of(fd).fs_rights_inheriting; }

static int set_rights(fd_t fd, u64 base, u64 inheriting) {
  return __wasi_fd_fdstat_set_rights(fd, base, inheriting);
}

/* One call that needs exactly the right in question; the file is 10 bytes long. */
static int use_file(fd_t fd, u64 right) {
  u8 bytes[] = "XXXX", got[4];
  __wasi_ciovec_t out = {bytes, 4};
  __wasi_iovec_t in = {got, 4};
  __wasi_size_t count;
  __wasi_filesize_t position;
  __wasi_filestat_t stat;
  switch (right) {
    case RIGHT(FD_DATASYNC): return __wasi_fd_datasync(fd);
    case RIGHT(FD_READ): return __wasi_fd_read(fd, &in, 1, &count);
    case RIGHT(FD_SEEK): return __wasi_fd_seek(fd, 1, __WASI_WHENCE_SET, &position);
    case RIGHT(FD_FDSTAT_SET_FLAGS): return __wasi_fd_fdstat_set_flags(fd, 0);
    case RIGHT(FD_SYNC): return __wasi_fd_sync(fd);
    case RIGHT(FD_WRITE): return __wasi_fd_write(fd, &out, 1, &count);
    case RIGHT(FD_ADVISE): return __wasi_fd_advise(fd, 0, 0, __WASI_ADVICE_NORMAL);
    case RIGHT(FD_ALLOCATE): return __wasi_fd_allocate(fd, 0, 100);
    case RIGHT(FD_FILESTAT_GET): return __wasi_fd_filestat_get(fd, &stat);
    case RIGHT(FD_FILESTAT_SET_SIZE): return __wasi_fd_filestat_set_size(fd, 3);
    case RIGHT(FD_FILESTAT_SET_TIMES):
      return __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM);
  }
  return -1;
}

static const struct { const char *name; u64 right; } file_rights[] = {
    {"fd_datasync", RIGHT(FD_DATASYNC)},
    {"fd_read", RIGHT(FD_READ)},
    {"fd_seek", RIGHT(FD_SEEK)},
    {"fd_fdstat_set_flags", RIGHT(FD_FDSTAT_SET_FLAGS)},
    {"fd_sync", RIGHT(FD_SYNC)},
    {"fd_write", RIGHT(FD_WRITE)},
    {"fd_advise", RIGHT(FD_ADVISE)},
    {"fd_allocate", RIGHT(FD_ALLOCATE)},
    {"fd_filestat_get", RIGHT(FD_FILESTAT_GET)},
    {"fd_filestat_set_size", RIGHT(FD_FILESTAT_SET_SIZE)},
    {"fd_filestat_set_times", RIGHT(FD_FILESTAT_SET_TIMES)},
};

static void dropped_from_files(void) {
  make_file(ROOT, "file", "0123456789");
  __wasi_filestat_t before = stat_of(ROOT, 0, "file");
  for (size_t i = 0; i < sizeof file_rights / sizeof *file_rights; i++) {
    const char *name = file_rights[i].name;
    u64 right = file_rights[i].right;
    fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
    u64 rest = base_of(fd) & ~right;
    succeeds(join("the right ", name, " can be dropped"), set_rights(fd, rest, 0));
    equals(join("fd_fdstat_get() no longer tells ", name, ""), base_of(fd) & right, 0);
    refused(join("without the right, ", name, " is refused"), use_file(fd, right));
    errno_is(join("the right ", name, " is never regained"), set_rights(fd, rest | right, 0),
             NOTCAPABLE);
    refused(join("after that attempt ", name, " is still refused"), use_file(fd, right));
    close_fd(fd);
  }
  file_holds("refused calls changed no byte", ROOT, "file", "0123456789");
  is_true("refused calls changed no time", stat_of(ROOT, 0, "file").mtim == before.mtim);
}

static void positions(void) {
  __wasi_filesize_t position;
  u8 bytes[] = "XXXX";
  __wasi_ciovec_t out = {bytes, 4};
  __wasi_iovec_t in = {bytes, 4};
  __wasi_size_t count;
  fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  must("drop", set_rights(fd, FILE_RIGHTS & ~RIGHT(FD_SEEK), 0));
  succeeds("fd_tell() needs only the right fd_tell", __wasi_fd_tell(fd, &position));
  succeeds("fd_seek() by nothing needs only the right fd_tell",
           __wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &position));
  refused("fd_seek() by one needs the right fd_seek",
          __wasi_fd_seek(fd, 1, __WASI_WHENCE_CUR, &position));
  refused("fd_pread() needs the right fd_seek too", __wasi_fd_pread(fd, &in, 1, 0, &count));
  refused("fd_pwrite() needs the right fd_seek too", __wasi_fd_pwrite(fd, &out, 1, 0, &count));
  succeeds("fd_read() does not", __wasi_fd_read(fd, &in, 1, &count));
  close_fd(fd);

  fd = open_file(ROOT, "file", 0, FILE_RIGHTS & ~RIGHT(FD_TELL), 0);
  succeeds("the right fd_seek implies fd_tell", __wasi_fd_tell(fd, &position));
  close_fd(fd);

  fd = open_file(ROOT, "file", 0, RIGHT(FD_READ), 0);
  refused("fd_tell() without either right is refused", __wasi_fd_tell(fd, &position));
  refused("a file opened to be read is not written", use_file(fd, RIGHT(FD_WRITE)));
  refused("a file opened to be read is not truncated", use_file(fd, RIGHT(FD_FILESTAT_SET_SIZE)));
  succeeds("a file opened to be read is read", use_file(fd, RIGHT(FD_READ)));
  close_fd(fd);

  fd = open_file(ROOT, "file", 0, RIGHT(FD_WRITE), 0);
  refused("a file opened to be written is not read", use_file(fd, RIGHT(FD_READ)));
  succeeds("a file opened to be written is written", use_file(fd, RIGHT(FD_WRITE)));
  equals("fd_fdstat_get() tells just that right", base_of(fd), RIGHT(FD_WRITE));
  close_fd(fd);
  file_holds("it wrote at its start", ROOT, "file", "XXXX456789");
}

static fd_t directory_with(u64 base, u64 inheriting) {
  fd_t fd = CLOSED;
  must("opening the directory with fewer rights",
       __wasi_path_open(ROOT, 0, "dir", DIRECTORY, base, inheriting, 0, &fd));
  return fd;
}

/* One call that needs exactly the right in question of a directory. */
static int use_directory(fd_t dir, u64 right) {
  static u8 buffer[256];
  __wasi_size_t count;
  __wasi_filestat_t stat;
  fd_t fd;
  int error;
  switch (right) {
    case RIGHT(PATH_CREATE_DIRECTORY): return __wasi_path_create_directory(dir, "made");
    case RIGHT(PATH_CREATE_FILE):
      error = open_into(dir, 0, "created", CREAT, RIGHT(FD_READ), 0, &fd);
      if (error == 0) close_fd(fd);
      return error;
    case RIGHT(PATH_LINK_SOURCE): return __wasi_path_link(dir, 0, "child", ROOT, "linked");
    case RIGHT(PATH_LINK_TARGET): return __wasi_path_link(ROOT, 0, "file", dir, "linked");
    case RIGHT(PATH_OPEN): return try_open(dir, 0, "child", 0, RIGHT(FD_READ));
    case RIGHT(FD_READDIR): return __wasi_fd_readdir(dir, buffer, 256, 0, &count);
    case RIGHT(PATH_READLINK): return __wasi_path_readlink(dir, "link", buffer, 256, &count);
    case RIGHT(PATH_RENAME_SOURCE): return __wasi_path_rename(dir, "child", ROOT, "moved");
    case RIGHT(PATH_RENAME_TARGET): return __wasi_path_rename(ROOT, "file", dir, "moved");
    case RIGHT(PATH_FILESTAT_GET): return __wasi_path_filestat_get(dir, 0, "child", &stat);
    case RIGHT(PATH_FILESTAT_SET_SIZE):
      return try_open(dir, 0, "child", TRUNC, RIGHT(FD_WRITE));
    case RIGHT(PATH_FILESTAT_SET_TIMES):
      return __wasi_path_filestat_set_times(dir, 0, "child", 1, 1, __WASI_FSTFLAGS_MTIM);
    case RIGHT(FD_FILESTAT_GET): return __wasi_fd_filestat_get(dir, &stat);
    case RIGHT(FD_FILESTAT_SET_TIMES):
      return __wasi_fd_filestat_set_times(dir, 1, 1, __WASI_FSTFLAGS_MTIM);
    case RIGHT(PATH_SYMLINK): return __wasi_path_symlink("child", dir, "linked");
    case RIGHT(PATH_REMOVE_DIRECTORY): return __wasi_path_remove_directory(dir, "empty");
    case RIGHT(PATH_UNLINK_FILE): return __wasi_path_unlink_file(dir, "child");
  }
  return -1;
}

static const struct { const char *name; u64 right; } directory_rights[] = {
    {"path_create_directory", RIGHT(PATH_CREATE_DIRECTORY)},
    {"path_create_file", RIGHT(PATH_CREATE_FILE)},
    {"path_link_source", RIGHT(PATH_LINK_SOURCE)},
    {"path_link_target", RIGHT(PATH_LINK_TARGET)},
    {"path_open", RIGHT(PATH_OPEN)},
    {"fd_readdir", RIGHT(FD_READDIR)},
    {"path_readlink", RIGHT(PATH_READLINK)},
    {"path_rename_source", RIGHT(PATH_RENAME_SOURCE)},
    {"path_rename_target", RIGHT(PATH_RENAME_TARGET)},
    {"path_filestat_get", RIGHT(PATH_FILESTAT_GET)},
    {"path_filestat_set_size", RIGHT(PATH_FILESTAT_SET_SIZE)},
    {"path_filestat_set_times", RIGHT(PATH_FILESTAT_SET_TIMES)},
    {"fd_filestat_get", RIGHT(FD_FILESTAT_GET)},
    {"fd_filestat_set_times", RIGHT(FD_FILESTAT_SET_TIMES)},
    {"path_symlink", RIGHT(PATH_SYMLINK)},
    {"path_remove_directory", RIGHT(PATH_REMOVE_DIRECTORY)},
    {"path_unlink_file", RIGHT(PATH_UNLINK_FILE)},
};

static void dropped_from_directories(void) {
  make_directory(ROOT, "dir");
  make_directory(ROOT, "dir/empty");
  make_file(ROOT, "dir/child", "child");
  must("path_symlink", __wasi_path_symlink("child", ROOT, "dir/link"));
  __wasi_filestat_t dir_before = stat_of(ROOT, 0, "dir");
  for (size_t i = 0; i < sizeof directory_rights / sizeof *directory_rights; i++) {
    const char *name = directory_rights[i].name;
    u64 right = directory_rights[i].right;
    fd_t fd = directory_with(DIRECTORY_RIGHTS & ~right, ALL_INHERITING & ~right);
    refused(join("a directory opened without ", name, " refuses it"), use_directory(fd, right));
    errno_is(join("the right ", name, " is not added afterwards"),
             set_rights(fd, DIRECTORY_RIGHTS, ALL_INHERITING), NOTCAPABLE);
    close_fd(fd);
    fd = directory_with(DIRECTORY_RIGHTS, ALL_INHERITING);
    must("drop", set_rights(fd, DIRECTORY_RIGHTS & ~right, ALL_INHERITING));
    refused(join("a directory that dropped ", name, " refuses it"), use_directory(fd, right));
    close_fd(fd);
  }
  file_holds("the child was not touched", ROOT, "dir/child", "child");
  exists("the empty directory was not removed", ROOT, "dir/empty");
  is_missing("nothing was created", ROOT, "dir/created");
  is_missing("nothing was linked", ROOT, "dir/linked");
  is_missing("nothing was moved", ROOT, "moved");
  equals("the directory was not touched", stat_of(ROOT, 0, "dir").mtim, dir_before.mtim);
}

/* Opening "." in the directory would give the right; Go's library relies on that. */
static void truncated_through_directories(void) {
  u64 right = RIGHT(PATH_FILESTAT_SET_SIZE);
  make_file(ROOT, "dir/long", "long");
  fd_t fd = directory_with(DIRECTORY_RIGHTS & ~right, ALL_INHERITING);
  succeeds("a directory that passes on path_filestat_set_size truncates what it opens",
           try_open(fd, 0, "long", TRUNC, RIGHT(FD_WRITE)));
  file_holds("the file is empty", ROOT, "dir/long", "");
  must("drop", set_rights(fd, DIRECTORY_RIGHTS & ~right, ALL_INHERITING));
  refused("until it drops the right itself", use_directory(fd, right));
  close_fd(fd);
  must("path_unlink_file", __wasi_path_unlink_file(ROOT, "dir/long"));
}

/* Opening the file once more would give the right; Zig's library relies on that. */
static void asked_for_their_size(void) {
  u64 right = RIGHT(FD_FILESTAT_GET);
  u64 rights = RIGHT(FD_WRITE) | RIGHT(FD_FILESTAT_SET_SIZE);
  fd_t fd = open_file(ROOT, "dir/child", 0, rights, 0);
  succeeds("a file whose size may be set tells it", use_file(fd, right));
  must("drop", set_rights(fd, rights, 0));
  refused("until it drops that right", use_file(fd, right));
  close_fd(fd);
  fd_t dir = directory_with(DIRECTORY_RIGHTS, ALL_INHERITING & ~right);
  must("path_open", open_into(dir, 0, "child", 0, rights, 0, &fd));
  refused("nor does one of a directory that does not pass it on", use_file(fd, right));
  close_fd(fd);
  close_fd(dir);
}

static void inherited(void) {
  fd_t fd, child;
  u64 reading = READ_RIGHTS | RIGHT(PATH_OPEN) | RIGHT(FD_READDIR);
  fd_t dir = directory_with(DIRECTORY_RIGHTS, reading);
  equals("a directory keeps the inheriting rights it was opened with", inheriting_of(dir), reading);
  errno_is("a child is not opened with rights the directory does not pass on",
           open_into(dir, 0, "child", 0, RIGHT(FD_WRITE), 0, &fd), NOTCAPABLE);
  errno_is("nor to be truncated and written",
           open_into(dir, 0, "child", TRUNC, RIGHT(FD_READ) | RIGHT(FD_WRITE), 0, &fd),
           NOTCAPABLE);
  errno_is("nor created to be written",
           open_into(dir, 0, "created", CREAT, RIGHT(FD_WRITE), 0, &fd), NOTCAPABLE);
  is_missing("and none was created", ROOT, "dir/created");
  succeeds("a child is opened with rights the directory passes on",
           open_into(dir, 0, "child", 0, RIGHT(FD_READ), 0, &fd));
  refused("that child is not written", use_file(fd, RIGHT(FD_WRITE)));
  close_fd(fd);

  succeeds("a directory is opened through the directory",
           __wasi_path_open(dir, 0, "empty", DIRECTORY, RIGHT(PATH_OPEN), RIGHT(FD_READ), 0,
                            &child));
  equals("with no more inheriting rights than asked for", inheriting_of(child), RIGHT(FD_READ));
  errno_is("and without rights it does not pass on",
           open_into(child, 0, "deep", CREAT, RIGHT(FD_READ), 0, &fd), NOTCAPABLE, BADF);
  close_fd(child);
  errno_is("inheriting rights beyond the directory's are refused",
           __wasi_path_open(dir, 0, "empty", DIRECTORY, RIGHT(PATH_OPEN),
                            RIGHT(FD_READ) | RIGHT(FD_WRITE), 0, &child), NOTCAPABLE);

  succeeds("inheriting rights can be dropped", set_rights(dir, DIRECTORY_RIGHTS,
                                                          RIGHT(PATH_OPEN)));
  errno_is("a child is then not opened with them",
           open_into(dir, 0, "child", 0, RIGHT(FD_READ), 0, &fd), NOTCAPABLE);
  errno_is("inheriting rights are never regained", set_rights(dir, DIRECTORY_RIGHTS, reading),
           NOTCAPABLE);
  equals("a refused change changes nothing", inheriting_of(dir), RIGHT(PATH_OPEN));
  close_fd(dir);
}

static void kept_by_renumbering(void) {
  fd_t from = open_file(ROOT, "dir/child", 0, RIGHT(FD_READ), 0);
  fd_t to = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  must("fd_renumber", __wasi_fd_renumber(from, to));
  equals("a renumbered descriptor keeps its rights", base_of(to), RIGHT(FD_READ));
  refused("a renumbered descriptor is refused as before", use_file(to, RIGHT(FD_WRITE)));
  close_fd(to);
}

/* Last, for the preopen itself is stripped. */
static void dropped_from_the_preopen(void) {
  fd_t fd;
  __wasi_fdstat_t stat = fdstat_of(ROOT);
  equals("the preopen has every right of a directory", stat.fs_rights_base & DIRECTORY_RIGHTS,
         DIRECTORY_RIGHTS);
  equals("the preopen passes on every right of files and directories",
         stat.fs_rights_inheriting & ALL_INHERITING, ALL_INHERITING);
  succeeds("the preopen can drop rights", set_rights(ROOT, RIGHT(PATH_OPEN), READ_RIGHTS));
  errno_is("files are then not opened to be written",
           open_into(ROOT, 0, "file", 0, FILE_RIGHTS, 0, &fd), NOTCAPABLE);
  refused("nor removed", __wasi_path_unlink_file(ROOT, "file"));
  succeeds("but to be read", try_open(ROOT, 0, "file", 0, READ_RIGHTS));
  succeeds("the preopen can drop all rights", set_rights(ROOT, 0, 0));
  refused("nothing can be opened then", try_open(ROOT, 0, "file", 0, READ_RIGHTS));
  errno_is("nor anything regained", set_rights(ROOT, RIGHT(PATH_OPEN), 0), NOTCAPABLE);
  errno_is("fd_fdstat_set_rights() of a closed descriptor is badf", set_rights(CLOSED, 0, 0), BADF);
}

int main(void) {
  dropped_from_files();
  positions();
  dropped_from_directories();
  truncated_through_directories();
  asked_for_their_size();
  inherited();
  kept_by_renumbering();
  dropped_from_the_preopen();
  return finish();
}
