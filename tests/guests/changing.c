/*
 * fd_readdir on a directory that changes between the calls. POSIX: a file that is neither removed
 * nor added is told exactly once; of one that is, it is not said whether it is told.
 */
#include "check.h"
#include "dirent.h"
#include <stdlib.h>

#define COUNT 500

static u8 buffer[1000];
static fd_t dir;
static u8 seen[COUNT], removed[COUNT];
static u32 added_seen[COUNT];

static const char *file_name(u32 number) { return join("file-", text_of(number), ""); }

static void populate(const char *path) {
  make_directory(ROOT, path);
  dir = open_directory(ROOT, path);
  for (u32 i = 0; i < COUNT; i++) make_file(dir, file_name(i), "");
  memset(seen, 0, sizeof seen);
  memset(removed, 0, sizeof removed);
}

/* Reads a buffer from a cookie on; notes what it tells; returns the next cookie, 0 at the end. */
static u64 read_some(u64 cookie, size_t size) {
  __wasi_size_t used = 0;
  entry_t entry;
  must("fd_readdir", __wasi_fd_readdir(dir, buffer, size, cookie, &used));
  for (size_t at = 0; at < used && parse_entry(buffer + at, used - at, &entry); at += entry.size) {
    const char *name = name_of(&entry);
    if (strncmp(name, "file-", 5) == 0) seen[atoi(name + 5)]++;
    if (strncmp(name, "added-", 6) == 0) added_seen[atoi(name + 6)]++;
    cookie = entry.next;
  }
  return used < size ? 0 : cookie;
}

static void remove_file(u32 number) {
  must("unlink", __wasi_path_unlink_file(dir, file_name(number)));
  removed[number] = 1;
}

/* After each call: remove one that was told and one that was not, and add one. */
static void while_reading(void) {
  populate("while");
  u32 added = 0;
  u64 cookie = 0;
  do {
    cookie = read_some(cookie, sizeof buffer);
    for (u32 i = 0, done = 0; i < COUNT && done < 1; i++) {
      if (seen[i] && !removed[i]) remove_file(i), done++;
    }
    for (u32 i = 0, done = 0; i < COUNT && done < 1; i++) {
      if (!seen[i] && !removed[i]) remove_file(i), done++;
    }
    make_file(dir, join("added-", text_of(added++), ""), "");
  } while (cookie != 0 && added < COUNT);
  equals("the listing ends", cookie, 0);
  u32 missed = 0, repeated = 0;
  for (u32 i = 0; i < COUNT; i++) {
    if (!seen[i] && !removed[i]) missed++;
    if (seen[i] > 1 || added_seen[i] > 1) repeated++;
  }
  equals("files that stayed are told while others are removed and added", missed, 0);
  equals("no file is told twice", repeated, 0);

  memset(seen, 0, sizeof seen);
  memset(added_seen, 0, sizeof added_seen);
  cookie = 0;
  do cookie = read_some(cookie, sizeof buffer);
  while (cookie != 0);
  u32 wrong = 0;
  for (u32 i = 0; i < COUNT; i++) {
    wrong += seen[i] != !removed[i];
    wrong += added_seen[i] != (i < added);
  }
  equals("from the start again the directory is told as it is now", wrong, 0);
  close_fd(dir);
}

/* What `rm -r` does: remove all that one call tells, then go on. */
static void removing_all(void) {
  populate("all");
  u64 cookie = 0;
  do {
    cookie = read_some(cookie, sizeof buffer);
    for (u32 i = 0; i < COUNT; i++) {
      if (seen[i] && !removed[i]) remove_file(i);
    }
  } while (cookie != 0);
  u32 left = 0;
  for (u32 i = 0; i < COUNT; i++) left += !removed[i];
  equals("removing what each call tells removes everything", left, 0);
  close_fd(dir);
  succeeds("so that the directory can be removed", __wasi_path_remove_directory(ROOT, "all"));
}

/* A cookie kept while later calls went on: where telldir() was, seekdir() goes. */
static void going_back(void) {
  populate("back");
  u64 cookies[COUNT];
  u32 calls = 0;
  for (u64 cookie = 0; calls < COUNT; calls++) {
    cookies[calls] = cookie;
    cookie = read_some(cookie, sizeof buffer);
    if (cookie == 0) break;
  }
  is_true("the directory takes several calls", calls > 5);
  u32 wrong = 0;
  for (u32 i = 0; i < COUNT; i++) wrong += seen[i] != 1;
  equals("each file is told once", wrong, 0);
  memset(seen, 0, sizeof seen);
  for (u64 cookie = cookies[3];;) {
    cookie = read_some(cookie, sizeof buffer);
    if (cookie == 0) break;
  }
  for (u32 i = 0; i < 3; i++) read_some(cookies[i], sizeof buffer);
  wrong = 0;
  for (u32 i = 0; i < COUNT; i++) wrong += seen[i] != 1;
  equals("what follows a kept cookie and what came before it is each file once", wrong, 0);

  /* The file at a cookie is removed: the cookie still leads to what came after it. */
  memset(seen, 0, sizeof seen);
  read_some(cookies[3], 64);
  for (u32 i = 0; i < COUNT; i++) {
    if (seen[i]) remove_file(i);
  }
  memset(seen, 0, sizeof seen);
  u64 cookie = cookies[3];
  do cookie = read_some(cookie, sizeof buffer);
  while (cookie != 0);
  for (u32 i = 0; i < 3; i++) read_some(cookies[i], sizeof buffer);
  wrong = 0;
  for (u32 i = 0; i < COUNT; i++) wrong += removed[i] ? seen[i] > 1 : seen[i] != 1;
  equals("a cookie still leads on after its own file is removed", wrong, 0);
  close_fd(dir);
}

int main(void) {
  while_reading();
  removing_all();
  going_back();
  return finish();
}
