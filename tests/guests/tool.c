/* One program for many small things; the examples of the README use it as "tool.wasm". */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  return errno;
}

/* upper: standard input in capitals */
static int upper(void) {
  char buffer[4096];
  for (;;) {
    ssize_t count = read(0, buffer, sizeof buffer);
    if (count < 0) return failed("read");
    if (count == 0) return 0;
    for (ssize_t i = 0; i < count; i++) buffer[i] = toupper((unsigned char)buffer[i]);
    for (ssize_t done = 0; done < count;) {
      ssize_t written = write(1, buffer + done, count - done);
      if (written < 0) return failed("write");
      done += written;
    }
  }
}

/* write PATH TEXT [TIMES]: a file with a text so many times */
static int write_file(const char *path, const char *text, const char *times) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) return failed(path);
  for (int i = times ? atoi(times) : 1; i > 0; i--) {
    if (write(fd, text, strlen(text)) < (ssize_t)strlen(text)) return failed(path);
  }
  return close(fd) ? failed(path) : 0;
}

/* list PATH: names, kinds, sizes, inodes and times, in the order of the directory */
static int list(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return failed(path);
  struct dirent *entry;
  while ((entry = readdir(directory))) {
    if (!strcmp(entry->d_name, "..")) { /* what lies above a preopen is nobody's business */
      printf(".. %llu\n", (unsigned long long)entry->d_ino);
      continue;
    }
    struct stat st;
    if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
      return failed(entry->d_name);
    }
    printf("%s %c %lld %llu %llu %lld.%09ld\n", entry->d_name,
           S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : 'f',
           S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size, (unsigned long long)st.st_dev,
           (unsigned long long)st.st_ino, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  }
  return closedir(directory) ? failed(path) : 0;
}

/* times: both clocks and some randomness; sleeps an hour between */
static int times(void) {
  for (int i = 0; i < 2; i++) {
    struct timespec real, monotonic;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    printf("%lld.%09ld %lld.%09ld\n", (long long)real.tv_sec, real.tv_nsec,
           (long long)monotonic.tv_sec, monotonic.tv_nsec);
    if (i == 0) sleep(3600);
  }
  unsigned char bytes[20];
  getentropy(bytes, sizeof bytes);
  for (unsigned i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
  printf("\n");
  return 0;
}

/* opens N: opens so many files and says how many it got */
static int opens(int count) {
  int got = 0;
  for (; got < count; got++) {
    char name[32];
    snprintf(name, sizeof name, "file-%d", got);
    if (open(name, O_RDWR | O_CREAT, 0666) < 0) break;
  }
  int error = got < count ? errno : 0;
  printf("%d %s\n", got, error ? strerror(error) : "all");
  return error;
}

/* makes N: makes and closes so many files and says how many it could */
static int makes(int count) {
  int made = 0;
  for (; made < count; made++) {
    char name[32];
    snprintf(name, sizeof name, "file-%d", made);
    int fd = open(name, O_RDWR | O_CREAT, 0666);
    if (fd < 0) break;
    close(fd);
  }
  int error = made < count ? errno : 0;
  printf("%d %s\n", made, error ? strerror(error) : "all");
  return error;
}

/* grows N: grows its memory by so many pages, one after another, and says how far it came */
static int grows(int count) {
  int got = 0;
  while (got < count && __builtin_wasm_memory_grow(0, 1) != (size_t)-1) got++;
  struct stat st;
  fstat(1, &st);
  printf("%d of %d\n", got, count);
  return 0;
}

/* polls: asks whether standard input is ready, never waiting, then puts it out in capitals */
static int polls(void) {
  for (;;) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    int ready = poll(&input, 1, 0);
    if (ready < 0) return failed("poll");
    if (ready > 0) return upper();
  }
}

/* spins: reads standard input without waiting, again and again */
static int spins(void) {
  if (fcntl(0, F_SETFL, O_NONBLOCK)) return failed("fcntl");
  for (;;) {
    char buffer[100];
    ssize_t count = read(0, buffer, sizeof buffer);
    if (count == 0) return 0;
    if (count > 0) write(1, buffer, count);
    else if (errno != EAGAIN) return failed("read");
    else sched_yield();
  }
}

/* streams: what the three are */
static int streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    __wasi_fdstat_t st;
    if (__wasi_fd_fdstat_get(fd, &st)) return 1;
    struct pollfd poll_fd = {.fd = fd, .events = fd ? POLLOUT : POLLIN};
    int ready = poll(&poll_fd, 1, 0);
    printf("%d type=%d tty=%d read=%d write=%d ready=%d\n", fd, st.fs_filetype, isatty(fd),
           (st.fs_rights_base & __WASI_RIGHTS_FD_READ) != 0,
           (st.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0, ready);
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "upper";
  const char *a = argc > 2 ? argv[2] : NULL;
  const char *b = argc > 3 ? argv[3] : NULL;
  if (!strcmp(what, "upper")) return upper();
  if (!strcmp(what, "write")) return write_file(a, b, argc > 4 ? argv[4] : NULL);
  if (!strcmp(what, "list")) return list(a ? a : ".");
  if (!strcmp(what, "rename")) return rename(a, b) ? failed(a) : 0;
  if (!strcmp(what, "remove")) return remove(a) ? failed(a) : 0;
  if (!strcmp(what, "mkdir")) return mkdir(a, 0777) ? failed(a) : 0;
  if (!strcmp(what, "times")) return times();
  if (!strcmp(what, "opens")) return opens(atoi(a));
  if (!strcmp(what, "makes")) return makes(atoi(a));
  if (!strcmp(what, "grows")) return grows(atoi(a));
  if (!strcmp(what, "streams")) return streams();
  if (!strcmp(what, "polls")) return polls();
  if (!strcmp(what, "spins")) return spins();
  fprintf(stderr, "tool: unknown command %s\n", what);
  return 2;
}
