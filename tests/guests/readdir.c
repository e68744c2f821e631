/* fd_readdir on a directory that nobody changes meanwhile. */
#include "check.h"
#include "dirent.h"
#include <dirent.h>
#include <stdlib.h>

#define MANY 2000

static u8 full[65536], buffer[4096];
static size_t full_size;
static fd_t dir;

static void populate(void) {
  static char name[256];
  make_directory(ROOT, "list");
  dir = open_directory(ROOT, "list");
  make_file(dir, "file", "content");
  make_directory(dir, "directory");
  must("symlink", __wasi_path_symlink("file", dir, "link"));
  must("link", __wasi_path_link(dir, 0, "file", dir, "hard"));
  make_file(dir, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x9f", "");
  make_file(dir, "x", "");
  for (size_t length = 2; length < 40; length++) {
    memset(name, 'n', length);
    name[length] = 0;
    make_file(dir, name, "");
  }
  memset(name, 'l', 255);
  make_file(dir, name, "");
}

/* The whole directory in one call, entry by entry. */
static void whole(void) {
  __wasi_size_t used = 12345;
  memset(full, '?', sizeof full);
  succeeds("fd_readdir() succeeds", __wasi_fd_readdir(dir, full, sizeof full, 0, &used));
  is_true("fewer bytes than the buffer has tell the end", used < sizeof full);
  equals("no byte more is written", full[used], '?');
  full_size = used;

  u32 count = 0, dots = 0, types = 0, inodes = 0;
  bool unique = true, complete = true;
  static u64 cookies[64];
  entry_t entry;
  for (size_t at = 0; at < used; at += entry.size) {
    if (!parse_entry(full + at, used - at, &entry)) {
      complete = false;
      break;
    }
    for (u32 i = 0; i < count && i < 64; i++) unique = unique && cookies[i] != entry.next;
    if (count < 64) cookies[count] = entry.next;
    unique = unique && entry.next != 0;
    count++;
    /* '..' cannot be looked up beneath this descriptor, but through the preopen. */
    __wasi_filestat_t stat = is_named(&entry, "..") ? stat_of(ROOT, 0, ".")
                                                    : stat_of(dir, 0, name_of(&entry));
    if (entry.type == stat.filetype) types++;
    if (entry.ino == stat.ino) inodes++;
    if (is_named(&entry, ".") || is_named(&entry, "..")) dots++;
  }
  is_true("every entry is complete", complete);
  equals("every entry is listed, and '.' and '..'", count, 6 + 38 + 1 + 2);
  equals("'.' and '..' are among them", dots, 2);
  equals("every entry has its file's type", types, count);
  equals("every entry has its file's inode", inodes, count);
  is_true("every entry's cookie is its own, and not 0", unique);
}

static void twice(void) {
  static u8 again[65536];
  __wasi_size_t used = 12345;
  succeeds("fd_readdir() from the start again succeeds",
           __wasi_fd_readdir(dir, again, sizeof again, 0, &used));
  is_true("and tells the same", used == full_size && memcmp(full, again, used) == 0);
  fd_t other = open_directory(ROOT, "list");
  must("fd_readdir", __wasi_fd_readdir(other, again, sizeof again, 0, &used));
  is_true("another descriptor tells the same", used == full_size && memcmp(full, again, used) == 0);
  close_fd(other);
}

/* From every entry on, into buffers of every small size: always as much as fits. */
static void truncated(void) {
  u32 errors = 0, lengths = 0, bytes = 0, beyond = 0;
  u64 cookie = 0;
  entry_t entry;
  for (size_t at = 0; at <= full_size; at += entry.size) {
    for (size_t size = 0; size <= 64; size++) {
      size_t left = full_size - at, expected = left < size ? left : size;
      __wasi_size_t used = 12345;
      memset(buffer, '?', 100);
      if (__wasi_fd_readdir(dir, buffer, size, cookie, &used) != 0) errors++;
      else if (used != expected) lengths++;
      else if (memcmp(buffer, full + at, used) != 0) bytes++;
      if (buffer[size] != '?' || buffer[size + 1] != '?') beyond++;
    }
    if (at == full_size) break;
    parse_entry(full + at, full_size - at, &entry);
    cookie = entry.next;
  }
  equals("buffers of 0 to 64 bytes from every entry on are no error", errors, 0);
  equals("such buffers are filled as far as there are entries", lengths, 0);
  equals("such buffers hold the same bytes, the last entry truncated", bytes, 0);
  equals("such buffers are not overrun", beyond, 0);
  __wasi_size_t used = 12345;
  succeeds("the last entry's cookie is the end", __wasi_fd_readdir(dir, buffer, 64, cookie, &used));
  equals("where nothing is read", used, 0);
}

/* As libc reads: skip to the next entry by cookie, grow the buffer for one that does not fit. */
static void growing(size_t start) {
  static u8 seen[65536];
  size_t at = 0, size = start;
  u64 cookie = 0;
  for (;;) {
    __wasi_size_t used = 0;
    must("fd_readdir", __wasi_fd_readdir(dir, buffer, size, cookie, &used));
    entry_t entry;
    size_t from = 0;
    for (; from < used && parse_entry(buffer + from, used - from, &entry); from += entry.size) {
      memcpy(seen + at, buffer + from, entry.size);
      at += entry.size;
      cookie = entry.next;
    }
    if (used < size) break;
    if (from == 0) size *= 2;
  }
  is_true(join("reading on from buffers of ", text_of(start), " bytes lists everything once"),
          at == full_size && memcmp(seen, full, at) == 0);
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void many(void) {
  static int numbers[MANY + 1];
  make_directory(ROOT, "many");
  fd_t many = open_directory(ROOT, "many");
  for (u32 i = 0; i < MANY; i++) {
    fd_t fd = open_file(many, join("entry-", text_of(i), ""), CREAT, FILE_RIGHTS, 0);
    close_fd(fd);
  }
  u64 cookie = 0;
  u32 count = 0, dots = 0, others = 0, short_reads = 0;
  for (;;) {
    __wasi_size_t used = 0;
    must("fd_readdir", __wasi_fd_readdir(many, buffer, sizeof buffer, cookie, &used));
    entry_t entry;
    for (size_t at = 0; at < used && parse_entry(buffer + at, used - at, &entry);
         at += entry.size) {
      const char *name = name_of(&entry);
      if (is_named(&entry, ".") || is_named(&entry, "..")) dots++;
      else if (strncmp(name, "entry-", 6) != 0 || count >= MANY) others++;
      else numbers[count++] = atoi(name + 6);
      cookie = entry.next;
    }
    if (used < sizeof buffer) break;
    short_reads++;
  }
  qsort(numbers, count, sizeof *numbers, compare);
  u32 right = 0;
  for (u32 i = 0; i < count; i++) right += numbers[i] == (int)i;
  equals("2000 entries are listed over many calls, each once", right, MANY);
  equals("with '.' and '..' once", dots, 2);
  equals("and nothing else", others, 0);
  is_true("the calls before the last fill their buffers", short_reads > 10);
  close_fd(many);

  DIR *stream = opendir("/many");
  u32 seen = 0;
  if (stream != NULL) {
    while (readdir(stream) != NULL) seen++;
    closedir(stream);
  }
  equals("libc's readdir() lists 2000 entries, '.' and '..'", seen, MANY + 2);
}

int main(void) {
  __wasi_size_t used;
  populate();
  whole();
  twice();
  truncated();
  for (size_t size = 24; size <= 64; size += 4) growing(size);
  growing(4000);
  close_fd(dir);
  errno_is("fd_readdir() of a closed descriptor is badf",
           __wasi_fd_readdir(dir, buffer, 64, 0, &used), BADF);

  fd_t file = open_file(ROOT, "list/file", 0, READ_RIGHTS, 0);
  errno_is("fd_readdir() of a file is refused", __wasi_fd_readdir(file, buffer, 64, 0, &used),
           NOTDIR, BADF, NOTCAPABLE);
  close_fd(file);

  make_directory(ROOT, "empty");
  dir = open_directory(ROOT, "empty");
  must("fd_readdir", __wasi_fd_readdir(dir, buffer, sizeof buffer, 0, &used));
  equals("an empty directory lists '.' and '..'", used, 2 * HEADER + 3);
  close_fd(dir);
  many();
  return finish();
}
