/* Many small system calls, or pages written and synced as a database does it. Built by
   scripts/guests.mjs' compiler: zig cc -target wasm32-wasi -Os -s. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char page[4096];

static int calls(void) {
  int fd = open("/work/small", O_RDWR | O_CREAT, 0644);
  if (fd < 0) return 1;
  struct stat stat_buffer;
  for (int i = 0; i < 20000; i++) {
    if (write(fd, page, 32) != 32) return 2;
    if (i % 4 == 0 && lseek(fd, (off_t)(i % 1000) * 32, SEEK_SET) < 0) return 3;
    if (read(fd, page, 32) < 0) return 4;
    if (i % 8 == 0 && fstat(fd, &stat_buffer) != 0) return 5;
    if (i % 16 == 0 && stat("/work/small", &stat_buffer) != 0) return 6;
    if (i % 16 == 8) {
      int other = open("/work/small", O_RDONLY);
      if (other < 0 || close(other) != 0) return 7;
    }
  }
  return close(fd);
}

static int pages(void) {
  int fd = open("/work/pages", O_RDWR | O_CREAT, 0644);
  if (fd < 0) return 1;
  for (int i = 0; i < 4000; i++) {
    memset(page, i, sizeof page);
    off_t at = (off_t)((i * 7919) % 512) * (off_t)sizeof page;
    if (pwrite(fd, page, sizeof page, at) != (ssize_t)sizeof page) return 2;
    if (pread(fd, page, sizeof page, at) != (ssize_t)sizeof page) return 3;
    if (i % 200 == 199 && fsync(fd) != 0) return 4;
  }
  return close(fd);
}

int main(int argc, char **argv) {
  return argc > 1 && strcmp(argv[1], "pages") == 0 ? pages() : calls();
}
