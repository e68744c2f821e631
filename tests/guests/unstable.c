/*
 * A guest of both snapshots: what it prints with is preview1's, what it tests is wasi_unstable's,
 * whose whence, filestat and subscription are laid out otherwise. Offsets below are counted from
 * preview0/witx/typenames.witx.
 */
#include "check.h"

#define OLD(name) __attribute__((__import_module__("wasi_unstable"), __import_name__(#name)))
int old_fd_seek(fd_t fd, int64_t offset, int whence, void *newoffset) OLD(fd_seek);
int old_fd_tell(fd_t fd, void *offset) OLD(fd_tell);
int old_fd_filestat_get(fd_t fd, void *filestat) OLD(fd_filestat_get);
int old_path_filestat_get(fd_t fd, u32 flags, const void *path, size_t path_len, void *filestat)
    OLD(path_filestat_get);
int old_poll_oneoff(const void *in, void *out, size_t count, void *events) OLD(poll_oneoff);
int old_fd_readdir(fd_t fd, void *buf, size_t buf_len, u64 cookie, void *used) OLD(fd_readdir);
int old_fd_fdstat_get(fd_t fd, void *stat) OLD(fd_fdstat_get);
int old_clock_time_get(int id, u64 precision, void *time) OLD(clock_time_get);

enum { OLD_CUR, OLD_END, OLD_SET };

static u32 get32(const u8 *at) {
  u32 value;
  memcpy(&value, at, sizeof value);
  return value;
}

static u64 get64(const u8 *at) {
  u64 value;
  memcpy(&value, at, sizeof value);
  return value;
}

static void put16(u8 *at, uint16_t value) { memcpy(at, &value, sizeof value); }
static void put32(u8 *at, u32 value) { memcpy(at, &value, sizeof value); }
static void put64(u8 *at, u64 value) { memcpy(at, &value, sizeof value); }

static void seeks(fd_t file) {
  u64 at = 99;
  equals("fd_seek with the old SET", old_fd_seek(file, 4, OLD_SET, &at), 0);
  equals("goes to the offset", at, 4);
  equals("fd_seek with the old CUR", old_fd_seek(file, 3, OLD_CUR, &at), 0);
  equals("adds to where it is", at, 7);
  equals("fd_seek with the old END", old_fd_seek(file, -1, OLD_END, &at), 0);
  equals("counts from the end", at, 9);
  equals("fd_seek with a whence of 3 is inval", old_fd_seek(file, 0, 3, &at),
        __WASI_ERRNO_INVAL);
  equals("fd_tell", old_fd_tell(file, &at), 0);
  equals("tells where the seeks have led", at, 9);
}

static void check_stat(const u8 *stat, u32 links) {
  __wasi_filestat_t now;
  equals("preview1's filestat of the same file",
         __wasi_path_filestat_get(ROOT, FOLLOW, "file", &now), 0);
  equals("dev is at 0", get64(stat), now.dev);
  equals("ino is at 8", get64(stat + 8), now.ino);
  equals("filetype is at 16", stat[16], __WASI_FILETYPE_REGULAR_FILE);
  equals("nlink is 32 bits at 20", get32(stat + 20), links);
  equals("size is at 24", get64(stat + 24), 10);
  equals("atim is at 32", get64(stat + 32), now.atim);
  equals("mtim is at 40", get64(stat + 40), now.mtim);
  equals("ctim is at 48", get64(stat + 48), now.ctim);
  for (int i = 56; i < 64; i++) {
    if (stat[i] != '?') equals("nothing is written behind the 56 bytes", stat[i], '?');
  }
}

static void stats(fd_t file) {
  u8 stat[64];
  memset(stat, '?', sizeof stat);
  equals("fd_filestat_get", old_fd_filestat_get(file, stat), 0);
  check_stat(stat, 1);
  equals("a second link", __wasi_path_link(ROOT, 0, "file", ROOT, "second"), 0);
  memset(stat, '?', sizeof stat);
  equals("path_filestat_get", old_path_filestat_get(ROOT, FOLLOW, "second", 6, stat), 0);
  check_stat(stat, 2);
  u8 fdstat[24];
  equals("fd_fdstat_get", old_fd_fdstat_get(ROOT, fdstat), 0);
  equals("there is no right to accept", get32(fdstat + 16) >> 29, 0);
}

static void polls(fd_t file) {
  u8 in[2 * 56] = {0};
  u8 out[2 * 32];
  u32 events = 0;
  u64 before, after;
  put64(in, 0x1122334455667788);
  in[8] = __WASI_EVENTTYPE_CLOCK;
  put64(in + 16, 0xdeadbeefdeadbeef); /* the identifier, which means nothing */
  put32(in + 24, __WASI_CLOCKID_MONOTONIC);
  put64(in + 32, 20000000);
  equals("the time before", old_clock_time_get(1, 1, &before), 0);
  equals("poll_oneoff of a clock", old_poll_oneoff(in, out, 1, &events), 0);
  equals("the time after", old_clock_time_get(1, 1, &after), 0);
  equals("gives one event", events, 1);
  equals("with the userdata", get64(out), 0x1122334455667788);
  equals("without an error", out[8] | out[9], 0);
  equals("of a clock", out[10], __WASI_EVENTTYPE_CLOCK);
  is_true("20 ms later", after - before >= 20000000);
  is_true("and not much later", after - before < 5000000000);

  put64(in + 32, before);
  put16(in + 48, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  put64(in + 56, 7);
  in[56 + 8] = __WASI_EVENTTYPE_FD_READ;
  put32(in + 56 + 16, file);
  equals("poll_oneoff of a time gone by and a file", old_poll_oneoff(in, out, 2, &events), 0);
  equals("gives both events", events, 2);
  equals("the file's with its userdata", get64(out + 32), 7);
  equals("the file's type", out[32 + 10], __WASI_EVENTTYPE_FD_READ);
  equals("and what is left to read", get64(out + 32 + 16), 1);
}

static void lists(void) {
  u8 entries[512];
  u32 used = 0;
  equals("fd_readdir", old_fd_readdir(ROOT, entries, sizeof entries, 0, &used), 0);
  u32 files = 0, dots = 0;
  for (u32 at = 0; at + 24 <= used;) {
    u32 length = get32(entries + at + 16);
    if (entries[at + 20] == __WASI_FILETYPE_REGULAR_FILE) files++;
    if (entries[at + 24] == '.') dots++;
    at += 24 + length;
  }
  equals("lists both names of the file", files, 2);
  equals("and . and ..", dots, 2);
}

int main(void) {
  fd_t file = open_file(ROOT, "file", CREAT, FILE_RIGHTS, 0);
  write_bytes(file, "0123456789", 10);
  seeks(file);
  stats(file);
  polls(file);
  lists();
  return finish();
}
