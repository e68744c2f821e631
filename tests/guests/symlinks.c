/*
 * Symbolic links, beneath the preopen. Links to the outside are in escapes.c; the test makes
 * "absolute", a link to /file, which the guest's preopen named "/" does not make an inside one.
 */
#include "check.h"

static void link_to(const char *target, const char *path) {
  must(join("the link ", path, ""), __wasi_path_symlink(target, ROOT, path));
}

static void reading(void) {
  u8 got[32];
  __wasi_size_t used = 12345;
  link_to("dir/file", "link");
  memset(got, '?', sizeof got);
  succeeds("path_readlink() succeeds", __wasi_path_readlink(ROOT, "link", got, 32, &used));
  equals("path_readlink() counts the bytes", used, 8);
  same_bytes("path_readlink() gives the text without a NUL", got, 9, "dir/file?", 9);

  memset(got, '?', sizeof got);
  used = 12345;
  succeeds("path_readlink() into three bytes succeeds",
           __wasi_path_readlink(ROOT, "link", got, 3, &used));
  equals("path_readlink() into three bytes writes three", used, 3);
  same_bytes("path_readlink() truncates", got, 5, "dir??", 5);
  used = 12345;
  memset(got, '?', sizeof got);
  succeeds("path_readlink() into just enough succeeds",
           __wasi_path_readlink(ROOT, "link", got, 8, &used));
  same_bytes("path_readlink() into just enough writes no byte more", got, 9, "dir/file?", 9);
  used = 12345;
  memset(got, '?', sizeof got);
  errno_is("path_readlink() into nothing succeeds or is inval, as Linux says",
           __wasi_path_readlink(ROOT, "link", got, 0, &used), SUCCESS, INVAL);
  equals("path_readlink() into nothing writes nothing", got[0], '?');

  errno_is("path_readlink() of a file is inval",
           __wasi_path_readlink(ROOT, "dir/file", got, 32, &used), INVAL);
  errno_is("path_readlink() of a directory is inval",
           __wasi_path_readlink(ROOT, "dir", got, 32, &used), INVAL);
  errno_is("path_readlink() of what is missing is noent",
           __wasi_path_readlink(ROOT, "missing", got, 32, &used), NOENT);
  errno_is("path_readlink() beneath a closed descriptor is badf",
           __wasi_path_readlink(CLOSED, "link", got, 32, &used), BADF);

  static char text[1500];
  static u8 back[1600];
  for (int i = 0; i < 1499; i++) text[i] = i % 100 == 99 ? '/' : (char)('a' + i % 26);
  text[1499] = 0;
  link_to(text, "long");
  succeeds("path_readlink() of a long link succeeds",
           __wasi_path_readlink(ROOT, "long", back, sizeof back, &used));
  same_bytes("path_readlink() gives all of it", back, used, text, 1499);
  equals("its size is its length", stat_of(ROOT, 0, "long").size, 1499);
}

static void creating(void) {
  errno_is("a link over a file is exist", __wasi_path_symlink("x", ROOT, "dir/file"), EXIST);
  errno_is("a link over a directory is exist", __wasi_path_symlink("x", ROOT, "dir"), EXIST);
  errno_is("a link over a link is exist", __wasi_path_symlink("x", ROOT, "link"), EXIST);
  errno_is("a link over a directory with a slash is exist", __wasi_path_symlink("x", ROOT, "dir/"),
           EXIST);
  errno_is("a link over a file with a slash is refused", __wasi_path_symlink("x", ROOT, "file/"),
           EXIST, NOTDIR);
  errno_is("a link beneath what is missing is noent", __wasi_path_symlink("x", ROOT, "missing/x"),
           NOENT);
  errno_is("a link with a slash after it is noent", __wasi_path_symlink("x", ROOT, "slashed/"),
           NOENT, NOTDIR);
  is_missing("and is not made", ROOT, "slashed");
  errno_is("an empty link is refused", __wasi_path_symlink("", ROOT, "empty"), NOENT, INVAL);
  file_holds("the file is still there", ROOT, "dir/file", "inside");
}

static void following(void) {
  fd_t fd;
  file_holds("a followed link opens its target", ROOT, "link", "inside");
  errno_is("a link that is not followed is loop", try_open(ROOT, 0, "link", 0, READ_RIGHTS), LOOP);
  errno_is("nor is it opened to be written", try_open(ROOT, 0, "link", 0, FILE_RIGHTS), LOOP);
  errno_is("nor emptied", try_open(ROOT, 0, "link", TRUNC, FILE_RIGHTS), LOOP);
  errno_is("nor created", try_open(ROOT, 0, "link", CREAT, FILE_RIGHTS), LOOP);
  errno_is("a link is there already for creat with excl",
           try_open(ROOT, FOLLOW, "link", CREAT | EXCL, FILE_RIGHTS), EXIST);
  file_holds("its target was not touched", ROOT, "dir/file", "inside");
  succeeds("a followed link is written", open_into(ROOT, FOLLOW, "link", TRUNC, FILE_RIGHTS, 0,
                                                   &fd));
  write_text(fd, "through");
  close_fd(fd);
  file_holds("and its target changes", ROOT, "dir/file", "through");
  equals("the link stays a link", stat_of(ROOT, 0, "link").filetype,
         __WASI_FILETYPE_SYMBOLIC_LINK);

  link_to("dir", "to-dir");
  succeeds("a followed link opens a directory",
           try_open(ROOT, FOLLOW, "to-dir", DIRECTORY, DIRECTORY_RIGHTS));
  errno_is("a link to a directory that is not followed is loop or notdir",
           try_open(ROOT, 0, "to-dir", DIRECTORY, DIRECTORY_RIGHTS), LOOP, NOTDIR);
  /* POSIX 4.13: a slash after a name resolves the link. */
  succeeds("with a slash after it a link to a directory is followed",
           try_open(ROOT, 0, "to-dir/", DIRECTORY, DIRECTORY_RIGHTS));
  equals("and its filestat is the directory's", stat_of(ROOT, 0, "to-dir/").filetype,
         __WASI_FILETYPE_DIRECTORY);
  errno_is("directory refuses a followed link to a file",
           try_open(ROOT, FOLLOW, "link", DIRECTORY, DIRECTORY_RIGHTS), NOTDIR);
  errno_is("a slash after a link to a file is notdir",
           try_open(ROOT, FOLLOW, "link/", 0, READ_RIGHTS), NOTDIR);
}

static void within(void) {
  succeeds("a link within the path is followed without the flag",
           try_open(ROOT, 0, "to-dir/file", 0, READ_RIGHTS));
  link_to("sub/../../to-dir/sub", "dir/winding");
  file_holds("a link that winds is followed", ROOT, "dir/winding/deep", "deep");
  link_to("../file", "dir/up");
  file_holds("a link up is resolved from its own directory", ROOT, "dir/up", "top");
  link_to("dir/up", "to-up");
  file_holds("a link to a link is followed", ROOT, "to-up", "top");
  link_to("dir/sub", "to-sub");
  file_holds("'..' after a followed link is the target's parent", ROOT, "to-sub/../file",
             "through");
  file_holds("'..' twice after a followed link is its grandparent", ROOT, "to-sub/../../file",
             "top");
  link_to(".", "here");
  file_holds("a link to '.' is followed", ROOT, "here/here/here/file", "top");
  link_to("..", "dir/sub/parent");
  file_holds("a link to '..' is followed", ROOT, "dir/sub/parent/file", "through");
  link_to("dir/", "slashed-target");
  file_holds("a link whose text ends in a slash is followed", ROOT, "slashed-target/file",
             "through");
  link_to("file/", "slashed-file");
  errno_is("a link to a file whose text ends in a slash is notdir",
           try_open(ROOT, FOLLOW, "slashed-file", 0, READ_RIGHTS), NOTDIR);

  make_file(ROOT, "to-dir/made", "made through a link");
  file_holds("a file is created through a link within the path", ROOT, "dir/made",
             "made through a link");
  make_directory(ROOT, "to-dir/made-dir");
  exists("a directory is created through a link within the path", ROOT, "dir/made-dir");
  must("rename", __wasi_path_rename(ROOT, "to-dir/made", ROOT, "to-sub/moved"));
  file_holds("a file is renamed through links within both paths", ROOT, "dir/sub/moved",
             "made through a link");
  must("unlink", __wasi_path_unlink_file(ROOT, "to-sub/moved"));
  is_missing("a file is unlinked through a link within the path", ROOT, "dir/sub/moved");
}

static void dangling(void) {
  __wasi_filestat_t stat;
  link_to("nowhere", "dangling");
  errno_is("a dangling link is noent", try_open(ROOT, FOLLOW, "dangling", 0, READ_RIGHTS), NOENT);
  errno_is("a followed dangling link has no filestat",
           __wasi_path_filestat_get(ROOT, FOLLOW, "dangling", &stat), NOENT);
  succeeds("a dangling link itself has one", __wasi_path_filestat_get(ROOT, 0, "dangling", &stat));
  errno_is("a dangling link not followed is loop", try_open(ROOT, 0, "dangling", 0, READ_RIGHTS),
           LOOP);
  errno_is("creat with excl does not create through a dangling link",
           try_open(ROOT, FOLLOW, "dangling", CREAT | EXCL, FILE_RIGHTS), EXIST);
  errno_is("a directory is not created over a dangling link",
           __wasi_path_create_directory(ROOT, "dangling"), EXIST);
  is_missing("nothing was created", ROOT, "nowhere");
  succeeds("creat creates through a dangling link",
           try_open(ROOT, FOLLOW, "dangling", CREAT, FILE_RIGHTS));
  exists("its target", ROOT, "nowhere");
}

static void loops(void) {
  __wasi_filestat_t stat;
  link_to("self", "self");
  link_to("pong", "ping");
  link_to("ping", "pong");
  errno_is("a link to itself is loop", try_open(ROOT, FOLLOW, "self", 0, READ_RIGHTS), LOOP);
  errno_is("two links to each other are loop", try_open(ROOT, FOLLOW, "ping", 0, READ_RIGHTS),
           LOOP);
  errno_is("a loop within the path is loop", try_open(ROOT, 0, "ping/x", 0, READ_RIGHTS), LOOP);
  errno_is("a loop has no filestat", __wasi_path_filestat_get(ROOT, FOLLOW, "self", &stat), LOOP);
  errno_is("nothing is created in a loop", try_open(ROOT, FOLLOW, "self", CREAT, FILE_RIGHTS),
           LOOP);
  errno_is("no directory is created within a loop", __wasi_path_create_directory(ROOT, "self/x"),
           LOOP);
  succeeds("a link in a loop is removed", __wasi_path_unlink_file(ROOT, "self"));

  /* Linux follows 40 links in a path. */
  link_to("file", "chain0");
  for (u64 i = 1; i < 60; i++) link_to(join("chain", text_of(i - 1), ""), join("chain", text_of(i), ""));
  file_holds("a chain of 20 links is followed", ROOT, "chain19", "top");
  errno_is("a chain of 60 links is loop", try_open(ROOT, FOLLOW, "chain59", 0, READ_RIGHTS), LOOP);
}

static void removing(void) {
  errno_is("a link to a directory is no directory to be removed",
           __wasi_path_remove_directory(ROOT, "to-dir"), NOTDIR);
  errno_is("nor with a slash after it", __wasi_path_remove_directory(ROOT, "to-dir/"), NOTDIR);
  errno_is("with a slash after it a link to a directory is not unlinked",
           __wasi_path_unlink_file(ROOT, "to-dir/"), NOTDIR, ISDIR, PERM);
  succeeds("a link to a directory is unlinked", __wasi_path_unlink_file(ROOT, "to-dir"));
  exists("and the directory stays", ROOT, "dir/file");
  succeeds("a link to a file is unlinked", __wasi_path_unlink_file(ROOT, "link"));
  file_holds("and the file stays", ROOT, "dir/file", "through");
}

static void absolute(void) {
  u8 got[64];
  __wasi_size_t used = 0;
  __wasi_filestat_t stat;
  /* wasmtime does not even read it; the specification does not say. */
  int error = __wasi_path_readlink(ROOT, "absolute", got, 64, &used);
  errno_is("an absolute link is read or refused", error, SUCCESS, PERM, NOTCAPABLE);
  if (error == 0) same_bytes("and as it is when it is read", got, used, "/file", 5);
  else equals("and not when it is refused", used, 0);
  errno_is("an absolute link is not opened", try_open(ROOT, FOLLOW, "absolute", 0, READ_RIGHTS),
           PERM, NOTCAPABLE);
  errno_is("nor created through", try_open(ROOT, FOLLOW, "absolute", CREAT, FILE_RIGHTS), PERM,
           NOTCAPABLE);
  errno_is("an absolute link has no followed filestat",
           __wasi_path_filestat_get(ROOT, FOLLOW, "absolute", &stat), PERM, NOTCAPABLE);
  errno_is("an absolute link within the path is not followed",
           try_open(ROOT, 0, "absolute/x", 0, READ_RIGHTS), PERM, NOTCAPABLE);
  succeeds("an absolute link itself has a filestat",
           __wasi_path_filestat_get(ROOT, 0, "absolute", &stat));
  error = __wasi_path_symlink("/file", ROOT, "made-absolute");
  errno_is("an absolute link is made or refused", error, SUCCESS, PERM, NOTCAPABLE);
  if (error == 0) {
    errno_is("a made absolute link is not followed",
             try_open(ROOT, FOLLOW, "made-absolute", 0, READ_RIGHTS), PERM, NOTCAPABLE);
    must("unlink", __wasi_path_unlink_file(ROOT, "made-absolute"));
  } else {
    is_missing("a refused absolute link is not made", ROOT, "made-absolute");
  }
}

int main(void) {
  make_file(ROOT, "file", "top");
  make_directory(ROOT, "dir");
  make_file(ROOT, "dir/file", "inside");
  make_directory(ROOT, "dir/sub");
  make_file(ROOT, "dir/sub/deep", "deep");
  reading();
  creating();
  following();
  within();
  dangling();
  loops();
  removing();
  absolute();
  return finish();
}
