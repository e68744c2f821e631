/* fd_read and fd_write over several buffers, some of them empty, on files and on standard input. */
#include "check.h"

static const char text[] = "The quick brown fox jumps over the lazy dog";
#define LENGTH (sizeof text - 1)

static __wasi_ciovec_t out(const void *bytes, size_t length) {
  return (__wasi_ciovec_t){bytes, length};
}

static __wasi_iovec_t in(void *bytes, size_t length) { return (__wasi_iovec_t){bytes, length}; }

static void gather(fd_t fd) {
  __wasi_ciovec_t parts[] = {out(text, 0),      out(text, 4),     out(text + 4, 0),
                             out(text + 4, 1),  out(text + 5, 15), out(NULL, 0),
                             out(text + 20, LENGTH - 20), out(text, 0)};
  __wasi_size_t count = 12345;
  succeeds("fd_write() gathers eight buffers", __wasi_fd_write(fd, parts, 8, &count));
  equals("fd_write() counts the bytes of all buffers", count, LENGTH);
  count = 12345;
  succeeds("fd_write() of no buffers succeeds", __wasi_fd_write(fd, parts, 0, &count));
  equals("fd_write() of no buffers writes nothing", count, 0);
  count = 12345;
  succeeds("fd_write() of only empty buffers succeeds", __wasi_fd_write(fd, parts + 2, 1, &count));
  equals("fd_write() of only empty buffers writes nothing", count, 0);
  equals("fd_filestat_get() tells the size written", stat_of_fd(fd).size, LENGTH);
}

static void scatter(fd_t fd) {
  static u8 first[4], second[8], third[100];
  memset(first, '?', sizeof first);
  memset(second, '?', sizeof second);
  memset(third, '?', sizeof third);
  __wasi_iovec_t parts[] = {in(first, 0), in(first, 3), in(NULL, 0), in(second, 7), in(third, 0),
                            in(third, 99)};
  __wasi_size_t count = 12345;
  succeeds("fd_read() scatters over six buffers", __wasi_fd_read(fd, parts, 6, &count));
  equals("fd_read() counts the bytes up to the end of the file", count, LENGTH);
  same_bytes("fd_read() fills the first buffer", first, 4, "The?", 4);
  same_bytes("fd_read() fills the second buffer", second, 8, " quick ?", 8);
  u8 expected[100];
  memset(expected, '?', sizeof expected);
  memcpy(expected, text + 10, LENGTH - 10);
  same_bytes("fd_read() leaves the rest of the last buffer alone", third, 100, expected, 100);
}

static void ends(fd_t fd) {
  u8 byte = '?';
  __wasi_iovec_t part = in(&byte, 1);
  __wasi_size_t count = 12345;
  succeeds("fd_read() at the end of the file succeeds", __wasi_fd_read(fd, &part, 1, &count));
  equals("fd_read() at the end of the file reads nothing", count, 0);
  equals("fd_read() at the end of the file writes nothing", byte, '?');
  count = 12345;
  succeeds("fd_read() of no buffers succeeds", __wasi_fd_read(fd, &part, 0, &count));
  equals("fd_read() of no buffers reads nothing", count, 0);
}

/* More buffers than Linux takes in one writev(): a short count is allowed, an error is not. */
static void many(void) {
  static __wasi_ciovec_t parts[3000];
  static u8 bytes[3000], back[3001];
  for (u32 i = 0; i < 3000; i++) {
    bytes[i] = (u8)(i * 7);
    parts[i] = out(&bytes[i], 1);
  }
  fd_t fd = open_file(ROOT, "many", CREAT, FILE_RIGHTS, 0);
  size_t done = 0;
  int error = 0;
  while (done < 3000 && error == 0) {
    __wasi_size_t count = 0;
    error = __wasi_fd_write(fd, parts + done, 3000 - done, &count);
    if (count == 0) break;
    done += count;
  }
  succeeds("fd_write() takes 3000 buffers", error);
  equals("fd_write() writes 3000 buffers of a byte", done, 3000);
  close_fd(fd);

  fd = open_file(ROOT, "many", 0, READ_RIGHTS, 0);
  memset(back, '?', sizeof back);
  done = 0;
  while (done < 3000 && error == 0) {
    __wasi_size_t count = 0;
    __wasi_iovec_t targets[3000];
    for (u32 i = 0; i < 3000 - done; i++) targets[i] = in(&back[done + i], 1);
    error = __wasi_fd_read(fd, targets, 3000 - done, &count);
    if (count == 0) break;
    done += count;
  }
  succeeds("fd_read() takes 3000 buffers", error);
  same_bytes("fd_read() fills 3000 buffers of a byte", back, done, bytes, 3000);
  equals("fd_read() writes no byte more", back[3000], '?');
  close_fd(fd);
}

static void standard_input(void) {
  static u8 first[6], second[32];
  memset(first, '?', sizeof first);
  memset(second, '?', sizeof second);
  __wasi_iovec_t parts[] = {in(first, 5), in(NULL, 0), in(second, 31)};
  __wasi_size_t count = 12345;
  succeeds("fd_read() reads standard input", __wasi_fd_read(0, parts, 3, &count));
  equals("fd_read() reads all of standard input", count, 12);
  same_bytes("standard input's first bytes are in the first buffer", first, 6, "from ?", 6);
  same_bytes("standard input's other bytes are in the last buffer", second, 8, "outside?", 8);
  count = 12345;
  succeeds("standard input ends", __wasi_fd_read(0, parts, 3, &count));
  equals("the end of standard input reads nothing", count, 0);
}

int main(void) {
  fd_t fd = open_file(ROOT, "gathered", CREAT, FILE_RIGHTS, 0);
  gather(fd);
  close_fd(fd);
  fd = open_file(ROOT, "gathered", 0, READ_RIGHTS, 0);
  scatter(fd);
  ends(fd);
  close_fd(fd);
  many();
  standard_input();

  __wasi_ciovec_t parts[] = {out("# to ", 5), out(NULL, 0), out("standard error", 14)};
  __wasi_size_t count = 12345;
  succeeds("fd_write() gathers onto standard error", __wasi_fd_write(2, parts, 3, &count));
  equals("fd_write() counts what it wrote to standard error", count, 19);
  return finish();
}
