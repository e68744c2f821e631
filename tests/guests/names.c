/*
 * Names that are no UTF-8. The test makes, on the host, the files "caf\xe9" (holding "coffee") and
 * "\xff\xfe", and the directory "dir\x80" with the file "in\xc3" (holding "deep").
 */
#include "check.h"
#include "dirent.h"

static u8 buffer[4096];

static size_t find(fd_t dir, const char *start, u8 *name) {
  __wasi_size_t used = 0;
  entry_t entry;
  must("fd_readdir", __wasi_fd_readdir(dir, buffer, sizeof buffer, 0, &used));
  for (size_t at = 0; at < used && parse_entry(buffer + at, used - at, &entry); at += entry.size) {
    if (entry.name_length >= strlen(start) && memcmp(entry.name, start, strlen(start)) == 0) {
      memcpy(name, entry.name, entry.name_length);
      return entry.name_length;
    }
  }
  return 0;
}

/* Whatever bytes readdir gives for a name, they name that file. */
static void by_readdir(fd_t dir, const char *start, const char *content) {
  u8 name[256], got[16];
  size_t length = find(dir, start, name);
  is_true(join("fd_readdir() lists the file that begins with ", start, ""), length > 0);
  __wasi_filestat_t stat;
  succeeds("it has a filestat by the name listed",
           raw_path_filestat_get(dir, 0, name, length, &stat));
  equals("which tells its size", stat.size, strlen(content));
  fd_t fd = CLOSED;
  int error = raw_path_open(dir, 0, name, length, 0, FILE_RIGHTS, 0, 0, &fd);
  succeeds("it opens by the name listed", error);
  if (error == 0) {
    same_bytes("and holds its bytes", got, read_all(fd, got, sizeof got), content, strlen(content));
    write_text(fd, "!");
    close_fd(fd);
  }
  succeeds("it is linked by the name listed", raw_path_link(dir, 0, name, length, ROOT, "plain", 5));
  exists("and has its new name", ROOT, "plain");
  succeeds("it is removed by the name listed", raw_path_unlink_file(dir, name, length));
  equals("and is not listed any more", find(dir, start, name), 0);
  must("unlink", __wasi_path_unlink_file(ROOT, "plain"));
}

static void listed(void) {
  by_readdir(ROOT, "caf", "coffee");
  u8 name[256];
  size_t length = find(ROOT, "\xff", name);
  succeeds("a file is renamed by the name listed",
           raw_path_rename(ROOT, name, length, ROOT, "renamed", 7));
  exists("and has the new name", ROOT, "renamed");
  length = find(ROOT, "dir", name);
  is_true("fd_readdir() lists the directory", length > 0);
  fd_t dir = CLOSED;
  int error = raw_path_open(ROOT, 0, name, length, DIRECTORY, DIRECTORY_RIGHTS,
                            DIRECTORY_RIGHTS | FILE_RIGHTS, 0, &dir);
  succeeds("it opens by the name listed", error);
  if (error == 0) {
    by_readdir(dir, "in", "deep");
    close_fd(dir);
  }
}

/* What is new has to be UTF-8. */
static void refused_names(void) {
  fd_t fd;
  static const struct { const char *what, *name; size_t length; } bad[] = {
      {"a byte that begins nothing", "new\xff", 4},
      {"a lone continuation byte", "new\x80x", 5},
      {"a truncated sequence", "new\xe2\x82", 5},
      {"an overlong slash", "new\xc0\xaf", 5},
      {"a surrogate", "new\xed\xa0\x80", 6},
      {"a code point over U+10FFFF", "new\xf4\x90\x80\x80", 7},
      {"Latin-1", "n\xe9w", 3}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    errno_is(join("a file is not created with ", bad[i].what, ": ilseq"),
             raw_path_open(ROOT, 0, bad[i].name, bad[i].length, CREAT, FILE_RIGHTS, 0, 0, &fd),
             ILSEQ);
    errno_is(join("nor a directory with ", bad[i].what, ": ilseq"),
             raw_path_create_directory(ROOT, bad[i].name, bad[i].length), ILSEQ);
    errno_is(join("nor a link with ", bad[i].what, ": ilseq"),
             raw_path_symlink("file", 4, ROOT, bad[i].name, bad[i].length), ILSEQ);
    errno_is(join("what is missing with ", bad[i].what, " is noent or ilseq"),
             raw_path_open(ROOT, 0, bad[i].name, bad[i].length, 0, READ_RIGHTS, 0, 0, &fd), NOENT,
             ILSEQ);
  }
  make_file(ROOT, "file", "file");
  errno_is("a file is not renamed to a name that is no UTF-8: ilseq",
           raw_path_rename(ROOT, "file", 4, ROOT, "new\xff", 4), ILSEQ);
}

static void nul(void) {
  fd_t fd;
  __wasi_filestat_t stat;
  static const char path[] = "file\0x";
  errno_is("a path with a NUL at its end is inval or ilseq",
           raw_path_open(ROOT, 0, path, 5, 0, READ_RIGHTS, 0, 0, &fd), INVAL, ILSEQ);
  errno_is("a path with a NUL in it is inval or ilseq",
           raw_path_open(ROOT, 0, path, 6, 0, READ_RIGHTS, 0, 0, &fd), INVAL, ILSEQ);
  errno_is("nothing is created at a path with a NUL",
           raw_path_open(ROOT, 0, "new\0x", 5, CREAT, FILE_RIGHTS, 0, 0, &fd), INVAL, ILSEQ);
  errno_is("no directory is", raw_path_create_directory(ROOT, "new\0x", 5), INVAL, ILSEQ);
  errno_is("nothing is unlinked", raw_path_unlink_file(ROOT, path, 6), INVAL, ILSEQ);
  errno_is("nothing has a filestat", raw_path_filestat_get(ROOT, 0, path, 6, &stat), INVAL, ILSEQ);
  errno_is("nothing is renamed", raw_path_rename(ROOT, path, 6, ROOT, "new", 3), INVAL, ILSEQ);
  errno_is("nor to it", raw_path_rename(ROOT, "file", 4, ROOT, "new\0x", 5), INVAL, ILSEQ);
  errno_is("no link's text has a NUL", raw_path_symlink("a\0b", 3, ROOT, "new", 3), INVAL, ILSEQ);
  errno_is("a path of one NUL is inval or ilseq",
           raw_path_open(ROOT, 0, "\0", 1, 0, READ_RIGHTS, 0, 0, &fd), INVAL, ILSEQ);
  is_missing("nothing new is there", ROOT, "new");
  file_holds("and the file is", ROOT, "file", "file");
}

/* A path is as long as its length says: no NUL ends it. */
static void lengths(void) {
  fd_t fd = CLOSED;
  must("open", raw_path_open(ROOT, 0, "filename", 4, 0, READ_RIGHTS, 0, 0, &fd));
  close_fd(fd);
  succeeds("a path ends where its length says",
           raw_path_open(ROOT, 0, "cut-here", 3, CREAT, FILE_RIGHTS, 0, 0, &fd));
  close_fd(fd);
  exists("and names that file", ROOT, "cut");
  is_missing("not the longer one", ROOT, "cut-here");
  errno_is("a path of no bytes is noent", raw_path_open(ROOT, 0, "cut", 0, 0, READ_RIGHTS, 0, 0, &fd),
           NOENT, INVAL);
}

int main(void) {
  listed();
  refused_names();
  nul();
  lengths();
  return finish();
}
