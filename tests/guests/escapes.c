/*
 * Every way out of the preopen is perm or notcapable, and leaves what is outside alone. The test
 * lays out, beside the preopen "inside":
 *
 *   outside/secret, outside/empty/          what must stay as it is
 *   inside/file, inside/dir/sub/            what is allowed
 *   inside/up -> ..                         a link to above the preopen
 *   inside/out -> ../outside                a link to a directory outside
 *   inside/stolen -> ../outside/secret      a link to a file outside
 *   inside/abs -> <absolute>/outside        the same by an absolute path
 *   inside/abs-file -> <absolute>/outside/secret
 *   inside/new -> ../outside/new            a link to a file that is not there
 *   inside/dir/sub/winding -> ../../../outside
 *
 * The first argument is the absolute path of "outside" on the host.
 */
#include "check.h"

static char outside[1024];

#define refused(sentence, got) errno_is(sentence, got, PERM, NOTCAPABLE)

/* join() keeps only its last results: a path that goes through many of them is kept here. */
static const char *keep(const char *path) {
  static char kept[512];
  return strcpy(kept, path);
}

/* A function on a path to an existing file outside. */
static void on_file(const char *given) {
  const char *path = keep(given);
  __wasi_filestat_t stat;
#define REFUSED(name, call) refused(join(name, " refuses ", path), call)
  REFUSED("opening", try_open(ROOT, FOLLOW, path, 0, READ_RIGHTS));
  REFUSED("opening to write", try_open(ROOT, FOLLOW, path, 0, FILE_RIGHTS));
  REFUSED("emptying", try_open(ROOT, FOLLOW, path, TRUNC, FILE_RIGHTS));
  REFUSED("creating", try_open(ROOT, FOLLOW, path, CREAT, FILE_RIGHTS));
  REFUSED("path_filestat_get", __wasi_path_filestat_get(ROOT, FOLLOW, path, &stat));
  REFUSED("path_filestat_set_times",
          __wasi_path_filestat_set_times(ROOT, FOLLOW, path, 1, 1, __WASI_FSTFLAGS_MTIM));
}

/* A function on a path whose parent directory is outside, so that its last name is too. */
static void on_entry(const char *given) {
  const char *path = keep(given);
  __wasi_filestat_t stat;
  u8 buffer[64];
  __wasi_size_t used;
  REFUSED("creating exclusively", try_open(ROOT, 0, path, CREAT | EXCL, FILE_RIGHTS));
  REFUSED("opening without following", try_open(ROOT, 0, path, 0, READ_RIGHTS));
  REFUSED("path_filestat_get without following", __wasi_path_filestat_get(ROOT, 0, path, &stat));
  REFUSED("path_filestat_set_times without following",
          __wasi_path_filestat_set_times(ROOT, 0, path, 1, 1, __WASI_FSTFLAGS_MTIM));
  REFUSED("path_readlink", __wasi_path_readlink(ROOT, path, buffer, 64, &used));
  REFUSED("path_create_directory", __wasi_path_create_directory(ROOT, path));
  REFUSED("path_unlink_file", __wasi_path_unlink_file(ROOT, path));
  REFUSED("path_remove_directory", __wasi_path_remove_directory(ROOT, path));
  REFUSED("path_link from", __wasi_path_link(ROOT, 0, path, ROOT, "taken"));
  REFUSED("path_link to", __wasi_path_link(ROOT, 0, "file", ROOT, path));
  REFUSED("path_rename from", __wasi_path_rename(ROOT, path, ROOT, "taken"));
  REFUSED("path_rename to", __wasi_path_rename(ROOT, "file", ROOT, path));
  REFUSED("path_symlink to", __wasi_path_symlink("file", ROOT, path));
}

static const char *absolute(const char *name) { return join(outside, "/", name); }

int main(int argc, char **argv) {
  if (argc != 2 || strlen(argv[1]) > 200) return 99;
  strcpy(outside, argv[1]);
  fd_t fd;
  __wasi_filestat_t stat;

  static const char *const prefixes[] = {"../outside/", "dir/../../outside/", "out/", "up/outside/",
                                         "dir/sub/winding/", "abs/", "./dir/sub/../../../outside/"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    on_file(join(prefixes[i], "secret", ""));
    on_entry(join(prefixes[i], "secret", ""));
    on_entry(join(prefixes[i], "empty", ""));
    on_entry(join(prefixes[i], "made", ""));
  }
  on_file(absolute("secret"));
  on_entry(absolute("secret"));
  on_entry(absolute("empty"));
  on_entry(absolute("made"));
  on_file("stolen");
  on_file("abs-file");
  refused("creating does not follow a link to the outside",
          try_open(ROOT, FOLLOW, "new", CREAT, FILE_RIGHTS));
  refused("a file of the preopen has no absolute path", try_open(ROOT, 0, "/file", 0, READ_RIGHTS));
  refused("'/' is not the preopen", try_open(ROOT, 0, "/", DIRECTORY, DIRECTORY_RIGHTS));
  refused("'//file' is absolute too", try_open(ROOT, 0, "//file", 0, READ_RIGHTS));

  static const char *const above[] = {"..", "../", "../.", "dir/../..", "dir/sub/../../..", "up",
                                      "up/", "up/.", "up/inside", "../inside", "out/../inside",
                                      "dir/../../inside/file", "out", "abs", "/", "../../.."};
  for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
    refused(join("opening refuses ", above[i], ""),
            try_open(ROOT, FOLLOW, above[i], 0, READ_RIGHTS | DIRECTORY_RIGHTS));
    refused(join("path_filestat_get refuses ", above[i], ""),
            __wasi_path_filestat_get(ROOT, FOLLOW, above[i], &stat));
  }
  succeeds("'dir/..' is the preopen itself",
           try_open(ROOT, 0, "dir/..", DIRECTORY, DIRECTORY_RIGHTS));
  errno_is("a path above that is missing on the way is noent, perm or notcapable",
           try_open(ROOT, 0, "missing/../../outside/secret", 0, READ_RIGHTS), NOENT, PERM,
           NOTCAPABLE);

  /* Each descriptor is a preopen of its own: nothing above it, though it is inside. */
  fd_t sub = open_directory(ROOT, "dir/sub");
  refused("'..' is above a directory that was opened", try_open(sub, 0, "..", 0, DIRECTORY_RIGHTS));
  refused("so is '../../file'", try_open(sub, 0, "../../file", 0, READ_RIGHTS));
  refused("and a link that winds out of it", try_open(sub, 0, "winding/secret", 0, READ_RIGHTS));
  refused("nothing is created above it", try_open(sub, 0, "../made", CREAT, FILE_RIGHTS));
  refused("nor removed", __wasi_path_unlink_file(sub, "../../file"));
  refused("nor renamed", __wasi_path_rename(sub, "../../file", sub, "taken"));
  close_fd(sub);

  /* Links to the outside may be made, as any text may, or refused; they lead nowhere. */
  int error = __wasi_path_symlink("../outside/secret", ROOT, "dir/made-link");
  errno_is("a link to the outside is made or refused", error, SUCCESS, PERM, NOTCAPABLE);
  error = __wasi_path_symlink("../../outside/secret", ROOT, "dir/escape");
  errno_is("a link to above the preopen is made or refused", error, SUCCESS, PERM, NOTCAPABLE);
  if (error == 0) {
    refused("and leads nowhere", try_open(ROOT, FOLLOW, "dir/escape", 0, READ_RIGHTS));
    must("unlink", __wasi_path_unlink_file(ROOT, "dir/escape"));
  } else {
    is_missing("and is not there", ROOT, "dir/escape");
  }

  /* A directory opened inside and then moved by the guest cannot be moved out. */
  refused("a directory is not renamed to the outside",
          __wasi_path_rename(ROOT, "dir/sub", ROOT, "../outside/sub"));
  succeeds("links to the outside can be read, as links",
           __wasi_path_filestat_get(ROOT, 0, "out", &stat));
  succeeds("and unlinked", __wasi_path_unlink_file(ROOT, "stolen"));
  file_holds("the inside still works", ROOT, "file", "inside");
  succeeds("and can be written", open_into(ROOT, 0, "file", TRUNC, FILE_RIGHTS, 0, &fd));
  write_text(fd, "written");
  close_fd(fd);
  return finish();
}
