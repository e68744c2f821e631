/*
 * What every guest shares: checks that print one line each, and short names for the calls that
 * prepare one. A guest prints `ok <sentence>` or `not ok <sentence>: expected X, got Y` for every
 * check and ends with `return finish();`, so that its exit code is 0 or 1.
 *
 * It writes with fd_write and formats its own numbers: no stdio, so a guest stays a few kilobytes
 * and imports only what it tests.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wasi/api.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef __wasi_fd_t fd_t;

/* The first preopened directory. */
#define ROOT 3
/* A number that is never open. */
#define CLOSED 1000

#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
#define CREAT __WASI_OFLAGS_CREAT
#define DIRECTORY __WASI_OFLAGS_DIRECTORY
#define EXCL __WASI_OFLAGS_EXCL
#define TRUNC __WASI_OFLAGS_TRUNC

#define RIGHT(name) ((u64)__WASI_RIGHTS_##name)
#define READ_RIGHTS                                                                              \
  (RIGHT(FD_READ) | RIGHT(FD_SEEK) | RIGHT(FD_TELL) | RIGHT(FD_FDSTAT_SET_FLAGS) |               \
   RIGHT(FD_SYNC) | RIGHT(FD_ADVISE) | RIGHT(FD_FILESTAT_GET) | RIGHT(FD_FILESTAT_SET_TIMES) |   \
   RIGHT(POLL_FD_READWRITE))
#define WRITE_RIGHTS                                                                             \
  (RIGHT(FD_WRITE) | RIGHT(FD_DATASYNC) | RIGHT(FD_ALLOCATE) | RIGHT(FD_FILESTAT_SET_SIZE))
#define FILE_RIGHTS (READ_RIGHTS | WRITE_RIGHTS)
#define DIRECTORY_RIGHTS                                                                         \
  (RIGHT(PATH_CREATE_DIRECTORY) | RIGHT(PATH_CREATE_FILE) | RIGHT(PATH_LINK_SOURCE) |            \
   RIGHT(PATH_LINK_TARGET) | RIGHT(PATH_OPEN) | RIGHT(FD_READDIR) | RIGHT(PATH_READLINK) |       \
   RIGHT(PATH_RENAME_SOURCE) | RIGHT(PATH_RENAME_TARGET) | RIGHT(PATH_FILESTAT_GET) |            \
   RIGHT(PATH_FILESTAT_SET_SIZE) | RIGHT(PATH_FILESTAT_SET_TIMES) | RIGHT(FD_FILESTAT_GET) |     \
   RIGHT(FD_FILESTAT_SET_TIMES) | RIGHT(PATH_SYMLINK) | RIGHT(PATH_REMOVE_DIRECTORY) |           \
   RIGHT(PATH_UNLINK_FILE))

/* proc_raise was dropped from wasi-libc's header, and __wasi_path_open takes no length. */
#define IMPORT(name)                                                                             \
  __attribute__((__import_module__("wasi_snapshot_preview1"), __import_name__(#name)))
int raw_proc_raise(int signal) IMPORT(proc_raise);
int raw_path_open(fd_t fd, u32 dirflags, const void *path, size_t path_len, int oflags,
                  u64 base, u64 inheriting, int fdflags, void *opened) IMPORT(path_open);
int raw_path_create_directory(fd_t fd, const void *path, size_t path_len)
    IMPORT(path_create_directory);
int raw_path_unlink_file(fd_t fd, const void *path, size_t path_len) IMPORT(path_unlink_file);
int raw_path_filestat_get(fd_t fd, u32 flags, const void *path, size_t path_len, void *filestat)
    IMPORT(path_filestat_get);
int raw_path_link(fd_t fd, u32 flags, const void *old_path, size_t old_len, fd_t new_fd,
                  const void *new_path, size_t new_len) IMPORT(path_link);
int raw_path_rename(fd_t fd, const void *old_path, size_t old_len, fd_t new_fd,
                    const void *new_path, size_t new_len) IMPORT(path_rename);
int raw_path_symlink(const void *old_path, size_t old_len, fd_t fd, const void *new_path,
                     size_t new_len) IMPORT(path_symlink);

/* --- output ------------------------------------------------------------------------------- */

static char line[4096];
static size_t line_used;
static u32 failures;

static void say_bytes(const void *bytes, size_t length) {
  if (length > sizeof line - 1 - line_used) length = sizeof line - 1 - line_used;
  memcpy(line + line_used, bytes, length);
  line_used += length;
}

static void say(const char *text) { say_bytes(text, strlen(text)); }

static void say_number(u64 number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  say_bytes(digits + at, sizeof digits - at);
}

static void say_quoted(const void *bytes, size_t length) {
  static const char hex[] = "0123456789abcdef";
  const u8 *from = bytes;
  say("\"");
  for (size_t i = 0; i < length && i < 100; i++) {
    if (from[i] >= 32 && from[i] < 127 && from[i] != '\\') {
      say_bytes(&from[i], 1);
    } else {
      char escape[4] = {'\\', 'x', hex[from[i] >> 4], hex[from[i] & 15]};
      say_bytes(escape, 4);
    }
  }
  say(length > 100 ? "\"..." : "\"");
}

static void end_line(void) {
  line[line_used++] = '\n';
  for (size_t done = 0; done < line_used;) {
    __wasi_ciovec_t part = {(u8 *)line + done, line_used - done};
    __wasi_size_t count = 0;
    if (__wasi_fd_write(1, &part, 1, &count) != 0 || count == 0) __builtin_trap();
    done += count;
  }
  line_used = 0;
}

/* A line that is no check: what the test compares with the host's side. */
static inline void note(const char *name, u64 number) {
  say("# ");
  say(name);
  say(" ");
  say_number(number);
  end_line();
}

static inline void note_text(const char *name, const void *bytes, size_t length) {
  say("# ");
  say(name);
  say(" ");
  say_quoted(bytes, length);
  end_line();
}

/* --- checks ------------------------------------------------------------------------------- */

static bool begin_check(const char *sentence, bool passed) {
  say(passed ? "ok " : "not ok ");
  say(sentence);
  if (passed) {
    end_line();
  } else {
    failures++;
    say(": expected ");
  }
  return passed;
}

static inline void is_true(const char *sentence, bool value) {
  if (begin_check(sentence, value)) return;
  say("true, got false");
  end_line();
}

static inline void equals(const char *sentence, u64 got, u64 expected) {
  if (begin_check(sentence, got == expected)) return;
  say_number(expected);
  say(", got ");
  say_number(got);
  end_line();
}

static inline void between(const char *sentence, u64 got, u64 low, u64 high) {
  if (begin_check(sentence, got >= low && got <= high)) return;
  say_number(low);
  say(" to ");
  say_number(high);
  say(", got ");
  say_number(got);
  end_line();
}

static inline void same_bytes(const char *sentence, const void *got, size_t got_length,
                              const void *expected, size_t length) {
  bool same = got_length == length && memcmp(got, expected, length) == 0;
  if (begin_check(sentence, same)) return;
  say_quoted(expected, length);
  say(", got ");
  say_quoted(got, got_length);
  end_line();
}

static void say_errno(int error) {
  static const char names[] =
      "SUCCESS\0002BIG\0ACCES\0ADDRINUSE\0ADDRNOTAVAIL\0AFNOSUPPORT\0AGAIN\0ALREADY\0BADF\0"
      "BADMSG\0BUSY\0CANCELED\0CHILD\0CONNABORTED\0CONNREFUSED\0CONNRESET\0DEADLK\0"
      "DESTADDRREQ\0DOM\0DQUOT\0EXIST\0FAULT\0FBIG\0HOSTUNREACH\0IDRM\0ILSEQ\0INPROGRESS\0"
      "INTR\0INVAL\0IO\0ISCONN\0ISDIR\0LOOP\0MFILE\0MLINK\0MSGSIZE\0MULTIHOP\0NAMETOOLONG\0"
      "NETDOWN\0NETRESET\0NETUNREACH\0NFILE\0NOBUFS\0NODEV\0NOENT\0NOEXEC\0NOLCK\0NOLINK\0"
      "NOMEM\0NOMSG\0NOPROTOOPT\0NOSPC\0NOSYS\0NOTCONN\0NOTDIR\0NOTEMPTY\0NOTRECOVERABLE\0"
      "NOTSOCK\0NOTSUP\0NOTTY\0NXIO\0OVERFLOW\0OWNERDEAD\0PERM\0PIPE\0PROTO\0"
      "PROTONOSUPPORT\0PROTOTYPE\0RANGE\0ROFS\0SPIPE\0SRCH\0STALE\0TIMEDOUT\0TXTBSY\0XDEV\0"
      "NOTCAPABLE\0";
  const char *name = names;
  for (int i = 0; i < error && *name != 0; i++) name += strlen(name) + 1;
  if (*name != 0) {
    say(name);
  } else {
    say("errno ");
    say_number((u64)error);
  }
}

static void check_errno(const char *sentence, int got, const int *allowed, size_t count) {
  bool passed = false;
  for (size_t i = 0; i < count; i++) passed |= got == allowed[i];
  if (begin_check(sentence, passed)) return;
  for (size_t i = 0; i < count; i++) {
    if (i > 0) say(" or ");
    say_errno(allowed[i]);
  }
  say(", got ");
  say_errno(got);
  end_line();
}

/* The errno is one of the named ones: errno_is("...", call, NOENT) or (..., PERM, NOTCAPABLE). */
#define errno_is(sentence, got, ...) errno_is_(sentence, got, __VA_ARGS__, 0, 0, 0)
#define errno_is_(sentence, got, a, b, c, d, ...)                                                \
  check_errno(sentence, got, (const int[]){E_##a, E_##b, E_##c, E_##d},                          \
              1 + (E_##b != -1) + (E_##c != -1) + (E_##d != -1))
#define E_0 (-1)
#define E_SUCCESS __WASI_ERRNO_SUCCESS
#define E_ACCES __WASI_ERRNO_ACCES
#define E_AGAIN __WASI_ERRNO_AGAIN
#define E_BADF __WASI_ERRNO_BADF
#define E_BUSY __WASI_ERRNO_BUSY
#define E_EXIST __WASI_ERRNO_EXIST
#define E_FAULT __WASI_ERRNO_FAULT
#define E_FBIG __WASI_ERRNO_FBIG
#define E_ILSEQ __WASI_ERRNO_ILSEQ
#define E_INVAL __WASI_ERRNO_INVAL
#define E_ISDIR __WASI_ERRNO_ISDIR
#define E_LOOP __WASI_ERRNO_LOOP
#define E_NAMETOOLONG __WASI_ERRNO_NAMETOOLONG
#define E_NOENT __WASI_ERRNO_NOENT
#define E_NOSYS __WASI_ERRNO_NOSYS
#define E_NOTCAPABLE __WASI_ERRNO_NOTCAPABLE
#define E_NOTDIR __WASI_ERRNO_NOTDIR
#define E_NOTEMPTY __WASI_ERRNO_NOTEMPTY
#define E_NOTSOCK __WASI_ERRNO_NOTSOCK
#define E_NOTSUP __WASI_ERRNO_NOTSUP
#define E_OVERFLOW __WASI_ERRNO_OVERFLOW
#define E_PERM __WASI_ERRNO_PERM
#define E_SPIPE __WASI_ERRNO_SPIPE

#define succeeds(sentence, got) errno_is(sentence, got, SUCCESS)

/* Ends the guest: a step that only prepares a check has failed, so no check after it means much. */
static void must(const char *step, int error) {
  if (error == 0) return;
  say("not ok the preparation `");
  say(step);
  say("`: expected SUCCESS, got ");
  say_errno(error);
  end_line();
  __wasi_proc_exit(1);
}

static inline int finish(void) { return failures == 0 ? 0 : 1; }

/* Joins up to three texts into a sentence. Eight are kept at a time. */
static inline const char *join(const char *a, const char *b, const char *c) {
  static char kept[8][256];
  static u32 turn;
  char *to = kept[turn++ % 8];
  size_t used = 0;
  const char *parts[3] = {a, b, c};
  for (int i = 0; i < 3; i++) {
    size_t length = strlen(parts[i]);
    if (length > 255 - used) length = 255 - used;
    memcpy(to + used, parts[i], length);
    used += length;
  }
  to[used] = 0;
  return to;
}

/* A number as text, for join() and for numbered names. */
static inline const char *text_of(u64 number) {
  static char kept[8][24];
  static u32 turn;
  char *at = kept[turn++ % 8] + 23;
  *at = 0;
  do *--at = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  return at;
}

/* --- steps -------------------------------------------------------------------------------- */

/* Opens; returns the errno. */
static inline int open_into(fd_t dir, u32 lookup, const char *path, int oflags, u64 rights,
                            int fdflags, fd_t *fd) {
  *fd = CLOSED;
  return __wasi_path_open(dir, lookup, path, (__wasi_oflags_t)oflags, rights, rights,
                          (__wasi_fdflags_t)fdflags, fd);
}

/* Opens and closes again; returns the errno of opening. */
static inline int try_open(fd_t dir, u32 lookup, const char *path, int oflags, u64 rights) {
  fd_t fd;
  int error = open_into(dir, lookup, path, oflags, rights, 0, &fd);
  if (error == 0) must("closing", __wasi_fd_close(fd));
  return error;
}

/* Opens a file that must open, following links. */
static inline fd_t open_file(fd_t dir, const char *path, int oflags, u64 rights, int fdflags) {
  fd_t fd;
  must(join("opening ", path, ""),
       open_into(dir, FOLLOW, path, oflags, rights, fdflags, &fd));
  return fd;
}

/* Opens a directory that must open; what is opened through it may be anything. */
static inline fd_t open_directory(fd_t dir, const char *path) {
  fd_t fd = CLOSED;
  must(join("opening the directory ", path, ""),
       __wasi_path_open(dir, FOLLOW, path, DIRECTORY, DIRECTORY_RIGHTS,
                        DIRECTORY_RIGHTS | FILE_RIGHTS, 0, &fd));
  return fd;
}

static inline void close_fd(fd_t fd) { must("closing", __wasi_fd_close(fd)); }

static inline void make_directory(fd_t dir, const char *path) {
  must(join("creating the directory ", path, ""), __wasi_path_create_directory(dir, path));
}

/* Writes all bytes at the descriptor's position. */
static inline void write_bytes(fd_t fd, const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    __wasi_ciovec_t part = {(u8 *)bytes + done, length - done};
    __wasi_size_t count = 0;
    must("writing", __wasi_fd_write(fd, &part, 1, &count));
    if (count == 0) must("writing more than nothing", __WASI_ERRNO_IO);
    done += count;
  }
}

static inline void write_text(fd_t fd, const char *text) { write_bytes(fd, text, strlen(text)); }

/* Reads up to `room` bytes from the descriptor's position until the end of the file. */
static inline size_t read_all(fd_t fd, void *into, size_t room) {
  size_t done = 0;
  while (done < room) {
    __wasi_iovec_t part = {(u8 *)into + done, room - done};
    __wasi_size_t count = 0;
    must("reading", __wasi_fd_read(fd, &part, 1, &count));
    if (count == 0) break;
    done += count;
  }
  return done;
}

/* Creates or replaces a file with a text. */
static inline void make_file(fd_t dir, const char *path, const char *text) {
  fd_t fd = open_file(dir, path, CREAT | TRUNC, FILE_RIGHTS, 0);
  write_text(fd, text);
  close_fd(fd);
}

/* Compares a file's whole content with a text. */
static inline void file_holds(const char *sentence, fd_t dir, const char *path,
                              const char *text) {
  static u8 content[4096];
  fd_t fd = open_file(dir, path, 0, READ_RIGHTS, 0);
  size_t length = read_all(fd, content, sizeof content);
  close_fd(fd);
  same_bytes(sentence, content, length, text, strlen(text));
}

/* The attributes of what a path names; a link itself without FOLLOW. */
static inline __wasi_filestat_t stat_of(fd_t dir, u32 lookup, const char *path) {
  __wasi_filestat_t stat;
  memset(&stat, '?', sizeof stat);
  must(join("the filestat of ", path, ""), __wasi_path_filestat_get(dir, lookup, path, &stat));
  return stat;
}

static inline __wasi_filestat_t stat_of_fd(fd_t fd) {
  __wasi_filestat_t stat;
  memset(&stat, '?', sizeof stat);
  must("the filestat of a descriptor", __wasi_fd_filestat_get(fd, &stat));
  return stat;
}

/* The errno of looking a path up, without following a link at its end. */
static inline int lookup_errno(fd_t dir, const char *path) {
  __wasi_filestat_t stat;
  return __wasi_path_filestat_get(dir, 0, path, &stat);
}

static inline void is_missing(const char *sentence, fd_t dir, const char *path) {
  errno_is(sentence, lookup_errno(dir, path), NOENT);
}

static inline void exists(const char *sentence, fd_t dir, const char *path) {
  succeeds(sentence, lookup_errno(dir, path));
}

static inline __wasi_fdstat_t fdstat_of(fd_t fd) {
  __wasi_fdstat_t stat;
  memset(&stat, '?', sizeof stat);
  must("the fdstat of a descriptor", __wasi_fd_fdstat_get(fd, &stat));
  return stat;
}

static inline u64 time_of(__wasi_clockid_t clock) {
  __wasi_timestamp_t now = 0;
  must("reading a clock", __wasi_clock_time_get(clock, 1, &now));
  return now;
}

/* Whether the test gave this word as an argument of the guest. */
static inline bool told(int argc, char **argv, const char *word) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], word) == 0) return true;
  }
  return false;
}

#endif
