/*
 * Darwin's calls, with Darwin's numbers and layouts, over system calls of Linux: what the macOS
 * backend (core/directories/posix/darwin*.ts) asks of /usr/lib/libSystem.B.dylib, so that it can be run
 * where there is no Mac. All numbers are written out here a second time, from xnu's headers: the
 * backend's own are not used.
 *
 * Whatever it does not know (a flag, a command, a descriptor, an errno without a match) is an error
 * of the backend's: it is told on standard error and ends the process.
 *
 * With -DSTACK it takes variadic arguments behind eight registers, as arm64 has them, and knows the
 * names of arm64. `darwin_calls` tells how many calls were served.
 *
 * Nothing of libc is called but memory and text functions: the names here are libc's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A function that is exported under Darwin's name; its body follows. */
#define EXPORT_AS(symbol, result, name, ...)                                                      \
  __attribute__((visibility("default"))) result darwin_##name(__VA_ARGS__) __asm__(symbol);       \
  result darwin_##name(__VA_ARGS__)
#define EXPORT(result, name, ...) EXPORT_AS(#name, result, name, __VA_ARGS__)

static atomic_int calls;

EXPORT_AS("darwin_calls", int, calls, void) { return atomic_load(&calls); }

static _Thread_local int darwinErrno;

EXPORT_AS("__error", int *, error, void) { return &darwinErrno; }

static _Noreturn void fatal(const char *function, const char *what, long number) {
  char text[256];
  int length = snprintf(text, sizeof text, "the Darwin library: %s: %s %ld (0x%lx)\n", function,
                        what, number, (unsigned long)number);
  syscall(SYS_write, 2, text, length);
  abort();
}

/* --- error numbers: bsd/sys/errno.h --- */

static const int ERRORS[][2] = {
    {EPERM, 1},         {ENOENT, 2},        {ESRCH, 3},          {EINTR, 4},
    {EIO, 5},           {ENXIO, 6},         {E2BIG, 7},          {ENOEXEC, 8},
    {EBADF, 9},         {ECHILD, 10},       {EDEADLK, 11},       {ENOMEM, 12},
    {EACCES, 13},       {EFAULT, 14},       {EBUSY, 16},         {EEXIST, 17},
    {EXDEV, 18},        {ENODEV, 19},       {ENOTDIR, 20},       {EISDIR, 21},
    {EINVAL, 22},       {ENFILE, 23},       {EMFILE, 24},        {ENOTTY, 25},
    {ETXTBSY, 26},      {EFBIG, 27},        {ENOSPC, 28},        {ESPIPE, 29},
    {EROFS, 30},        {EMLINK, 31},       {EPIPE, 32},         {EDOM, 33},
    {ERANGE, 34},       {EAGAIN, 35},       {EINPROGRESS, 36},   {EALREADY, 37},
    {ENOTSOCK, 38},     {EDESTADDRREQ, 39}, {EMSGSIZE, 40},      {EPROTOTYPE, 41},
    {ENOPROTOOPT, 42},  {EPROTONOSUPPORT, 43}, {ENOTSUP, 45},    {EAFNOSUPPORT, 47},
    {EADDRINUSE, 48},   {EADDRNOTAVAIL, 49}, {ENETDOWN, 50},     {ENETUNREACH, 51},
    {ENETRESET, 52},    {ECONNABORTED, 53}, {ECONNRESET, 54},    {ENOBUFS, 55},
    {EISCONN, 56},      {ENOTCONN, 57},     {ESHUTDOWN, 58},     {ETIMEDOUT, 60},
    {ECONNREFUSED, 61}, {ELOOP, 62},        {ENAMETOOLONG, 63},  {EHOSTDOWN, 64},
    {EHOSTUNREACH, 65}, {ENOTEMPTY, 66},    {EDQUOT, 69},        {ESTALE, 70},
    {ENOLCK, 77},       {ENOSYS, 78},       {EOVERFLOW, 84},     {ECANCELED, 89},
    {EIDRM, 90},        {ENOMSG, 91},       {EILSEQ, 92},        {EBADMSG, 94},
    {EMULTIHOP, 95},    {ENOLINK, 97},      {EPROTO, 100},       {ENOTRECOVERABLE, 104},
    {EOWNERDEAD, 105},
};

enum { DARWIN_EPERM = 1, DARWIN_EINVAL = 22 };

static int refuse(int number) {
  darwinErrno = number;
  return -1;
}

/* A system call's answer, its error in Darwin's numbers. */
static long answer(const char *function, long result) {
  if (result >= 0) return result;
  for (size_t i = 0; i < COUNT(ERRORS); i++) {
    if (ERRORS[i][0] == errno) return refuse(ERRORS[i][1]);
  }
  fatal(function, "an errno of Linux without a match:", errno);
}

/* --- flags --- */

/* bsd/sys/fcntl.h */
enum { DARWIN_O_SEARCH = 0x40000000, DARWIN_O_DIRECTORY = 0x100000, DARWIN_AT_FDCWD = -2 };

static const int OPEN_FLAGS[][2] = {
    {0x4, O_NONBLOCK},    {0x8, O_APPEND},   {0x80, O_SYNC},         {0x100, O_NOFOLLOW},
    {0x200, O_CREAT},     {0x400, O_TRUNC},  {0x800, O_EXCL},        {0x20000, O_NOCTTY},
    {0x100000, O_DIRECTORY}, {0x400000, O_DSYNC}, {0x1000000, O_CLOEXEC},
};
static const int STATUS_FLAGS[][2] = {
    {0x4, O_NONBLOCK}, {0x8, O_APPEND}, {0x80, O_SYNC}, {0x400000, O_DSYNC},
};
static const int AT_FLAGS[][2] = {{0x20, AT_SYMLINK_NOFOLLOW}};
static const int UNLINK_FLAGS[][2] = {{0x80, AT_REMOVEDIR}};
static const int MESSAGE_FLAGS[][2] = {{0x2, MSG_PEEK}, {0x80, MSG_DONTWAIT}};

/* Flags in Linux's numbers; those that the table does not have are fatal. */
static int translate(const char *function, int flags, const int table[][2], size_t count) {
  int found = 0;
  for (size_t i = 0; i < count; i++) {
    if (!(flags & table[i][0])) continue;
    found |= table[i][1];
    flags &= ~table[i][0];
  }
  if (flags) fatal(function, "unknown flags", flags);
  return found;
}
#define TRANSLATE(function, flags, table) translate(function, flags, table, COUNT(table))

/* Descriptors are those that a call gave: a negative one is Linux's AT_FDCWD, or an error taken for one. */
static int open_descriptor(const char *function, int fd) {
  if (fd < 0) fatal(function, "no descriptor:", fd);
  return fd;
}

static int directory(const char *function, int fd) {
  return fd == DARWIN_AT_FDCWD ? AT_FDCWD : open_descriptor(function, fd);
}

/* --- files --- */

/* bsd/sys/stat.h: `struct stat` with 64-bit inode numbers. */
struct darwin_time {
  int64_t sec, nsec;
};
struct darwin_stat {
  int32_t dev;
  uint16_t mode, nlink;
  uint64_t ino;
  uint32_t uid, gid;
  int32_t rdev, padding;
  struct darwin_time atime, mtime, ctime, birthtime;
  int64_t size, blocks;
  int32_t blksize;
  uint32_t flags, gen;
  int32_t lspare;
  int64_t qspare[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144, "struct stat");

static struct darwin_time time_of(struct timespec time) {
  return (struct darwin_time){time.tv_sec, time.tv_nsec};
}

/* What the backend does not read holds rubbish. */
static int put_stat(const char *function, long result, const struct stat *from,
                    struct darwin_stat *to) {
  if (result < 0) return (int)answer(function, result);
  memset(to, 0xa5, sizeof *to);
  to->dev = (int32_t)from->st_dev;
  to->mode = (uint16_t)from->st_mode;
  to->nlink = (uint16_t)from->st_nlink;
  to->ino = from->st_ino;
  to->atime = time_of(from->st_atim);
  to->mtime = time_of(from->st_mtim);
  to->ctime = to->birthtime = time_of(from->st_ctim);
  to->size = from->st_size;
  return 0;
}

static int do_fstat(int fd, struct darwin_stat *into) {
  struct stat found;
  calls++;
  return put_stat("fstat", syscall(SYS_fstat, open_descriptor("fstat", fd), &found), &found, into);
}

static int do_fstatat(int fd, const char *path, struct darwin_stat *into, int flags) {
  struct stat found;
  calls++;
  int how = TRANSLATE("fstatat", flags, AT_FLAGS);
  long result = syscall(SYS_newfstatat, directory("fstatat", fd), path, &found, how);
  return put_stat("fstatat", result, &found, into);
}

static int do_openat(int fd, const char *path, int flags, unsigned mode) {
  calls++;
  int access = flags & 3, rest = flags & ~3, how = access;
  if (rest & DARWIN_O_SEARCH) {
    /* O_SEARCH is O_EXEC with O_DIRECTORY, in the place of an access mode */
    if (access || !(rest & DARWIN_O_DIRECTORY)) fatal("openat", "O_SEARCH with", flags);
    rest &= ~DARWIN_O_SEARCH;
    how = O_PATH;
  }
  how |= TRANSLATE("openat", rest, OPEN_FLAGS);
  if ((how & O_CREAT) && mode & ~0777u) fatal("openat", "mode", mode);
  long opened = syscall(SYS_openat, directory("openat", fd), path, how, how & O_CREAT ? mode : 0);
  return (int)answer("openat", opened);
}

/* bsd/sys/fcntl.h: `struct fstore`. */
struct darwin_fstore {
  uint32_t flags;
  int32_t posmode;
  int64_t offset, length, bytesalloc;
};
enum { DARWIN_F_ALLOCATEALL = 4, DARWIN_F_PEOFPOSMODE = 3 };

static long preallocate(int fd, struct darwin_fstore *store) {
  if (store->flags != DARWIN_F_ALLOCATEALL) fatal("F_PREALLOCATE", "flags", store->flags);
  if (store->posmode != DARWIN_F_PEOFPOSMODE) fatal("F_PREALLOCATE", "posmode", store->posmode);
  if (store->offset) fatal("F_PREALLOCATE", "offset", store->offset);
  struct stat now;
  if (syscall(SYS_fstat, fd, &now) < 0) return -1;
  long result = syscall(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, now.st_size, store->length);
  if (!result) store->bytesalloc = store->length;
  return result;
}

static long path_of(int fd, char *into) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  memset(into, 0xa5, 1024);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, into, 1023);
  if (length < 0) return -1;
  into[length] = 0;
  return 0;
}

static int do_fcntl(int fd, int command, long argument) {
  calls++;
  open_descriptor("fcntl", fd);
  switch (command) {
    case 2: /* F_SETFD */
      if (argument != 1) fatal("F_SETFD", "flags", argument);
      return (int)answer("F_SETFD", syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC));
    case 3: { /* F_GETFL, with a bit that only the kernel knows */
      long flags = syscall(SYS_fcntl, fd, F_GETFL, 0);
      if (flags < 0) return (int)answer("F_GETFL", flags);
      int found = (int)(flags & O_ACCMODE) | 0x10000;
      for (size_t i = 0; i < COUNT(STATUS_FLAGS); i++) {
        int flag = STATUS_FLAGS[i][1];
        if ((flags & flag) == flag) found |= STATUS_FLAGS[i][0];
      }
      return found;
    }
    case 4: { /* F_SETFL */
      int flags = TRANSLATE("F_SETFL", (int)argument & ~3, STATUS_FLAGS);
      return (int)answer("F_SETFL", syscall(SYS_fcntl, fd, F_SETFL, flags));
    }
    case 42:
      return (int)answer("F_PREALLOCATE", preallocate(fd, (struct darwin_fstore *)argument));
    case 50:
      return (int)answer("F_GETPATH", path_of(fd, (char *)argument));
    case 51:
      return (int)answer("F_FULLFSYNC", syscall(SYS_fsync, fd));
  }
  fatal("fcntl", "unknown command", command);
}

static int do_ioctl(int fd, unsigned long request, int *into) {
  calls++;
  if (request != 0x4004667f) fatal("ioctl", "unknown request", (long)request);
  return (int)answer("ioctl", syscall(SYS_ioctl, open_descriptor("ioctl", fd), FIONREAD, into));
}

/* --- what is variadic, and what has other names, by processor --- */

#ifdef STACK
#define FILL int a, int b, int c, int d, int e
#define FILL6 FILL, int f
#define UNUSED ((void)a, (void)b, (void)c, (void)d, (void)e)

EXPORT(int, openat, int fd, const char *path, int flags, FILL, unsigned mode) {
  UNUSED;
  return do_openat(fd, path, flags, mode);
}
EXPORT(int, fcntl, int fd, int command, FILL6, long argument) {
  UNUSED, (void)f;
  return do_fcntl(fd, command, argument);
}
EXPORT(int, ioctl, int fd, unsigned long request, FILL6, int *into) {
  UNUSED, (void)f;
  return do_ioctl(fd, request, into);
}
EXPORT(int, fstat, int fd, struct darwin_stat *into) { return do_fstat(fd, into); }
EXPORT(int, fstatat, int fd, const char *path, struct darwin_stat *into, int flags) {
  return do_fstatat(fd, path, into, flags);
}
#else
EXPORT(int, openat, int fd, const char *path, int flags, unsigned mode) {
  return do_openat(fd, path, flags, mode);
}
EXPORT(int, fcntl, int fd, int command, long argument) { return do_fcntl(fd, command, argument); }
EXPORT(int, ioctl, int fd, unsigned long request, int *into) { return do_ioctl(fd, request, into); }
EXPORT_AS("fstat$INODE64", int, fstat, int fd, struct darwin_stat *into) {
  return do_fstat(fd, into);
}
EXPORT_AS("fstatat$INODE64", int, fstatat, int fd, const char *path, struct darwin_stat *into,
          int flags) {
  return do_fstatat(fd, path, into, flags);
}
EXPORT_AS("fstat", int, fstat_of_old, int fd) { fatal("fstat", "32-bit inode numbers of", fd); }
EXPORT_AS("fstatat", int, fstatat_of_old, int fd) {
  fatal("fstatat", "32-bit inode numbers of", fd);
}
#endif

/* --- what is Linux's but for errors and a few flags --- */

/* A call of the same name: `fd` is the descriptor that it is about. */
#define SAME(result, name, number, fd, parameters, ...)            \
  EXPORT(result, name, parameters) {                               \
    calls++;                                                       \
    open_descriptor(#name, fd);                                    \
    return (result)answer(#name, syscall(number, __VA_ARGS__));    \
  }
#define LIST(...) __VA_ARGS__

SAME(int, fsync, SYS_fsync, fd, LIST(int fd), fd)
SAME(int, ftruncate, SYS_ftruncate, fd, LIST(int fd, long size), fd, size)
SAME(long, lseek, SYS_lseek, fd, LIST(int fd, long offset, int whence), fd, offset, whence)
SAME(long, read, SYS_read, fd, LIST(int fd, void *to, size_t size), fd, to, size)
SAME(long, write, SYS_write, fd, LIST(int fd, const void *from, size_t size), fd, from, size)
SAME(long, pread, SYS_pread64, fd, LIST(int fd, void *to, size_t size, long at), fd, to, size, at)
SAME(long, pwrite, SYS_pwrite64, fd, LIST(int fd, const void *from, size_t size, long at), fd, from,
     size, at)
SAME(int, listen, SYS_listen, fd, LIST(int fd, int backlog), fd, backlog)
SAME(int, shutdown, SYS_shutdown, fd, LIST(int fd, int how), fd, how)
SAME(int, mkdirat, SYS_mkdirat, fd, LIST(int fd, const char *path, unsigned mode), fd, path, mode)
SAME(long, readlinkat, SYS_readlinkat, fd, LIST(int fd, const char *path, char *to, size_t size),
     fd, path, to, size)
SAME(int, symlinkat, SYS_symlinkat, fd, LIST(const char *target, int fd, const char *path), target,
     fd, path)

EXPORT(int, renameat, int from, const char *path, int to, const char *name) {
  calls++;
  long result = syscall(SYS_renameat2, open_descriptor("renameat", from), path,
                        open_descriptor("renameat", to), name, 0);
  return (int)answer("renameat", result);
}

EXPORT(int, linkat, int from, const char *path, int to, const char *name, int flags) {
  calls++;
  if (flags) fatal("linkat", "flags", flags);
  long result = syscall(SYS_linkat, open_descriptor("linkat", from), path,
                        open_descriptor("linkat", to), name, 0);
  return (int)answer("linkat", result);
}

/* Of a directory it is EPERM, as on Darwin. */
EXPORT(int, unlinkat, int fd, const char *path, int flags) {
  calls++;
  int how = TRANSLATE("unlinkat", flags, UNLINK_FLAGS);
  long result = syscall(SYS_unlinkat, open_descriptor("unlinkat", fd), path, how);
  return result < 0 && errno == EISDIR ? refuse(DARWIN_EPERM) : (int)answer("unlinkat", result);
}

EXPORT(int, isatty, int fd) {
  calls++;
  char settings[256];
  return syscall(SYS_ioctl, open_descriptor("isatty", fd), TCGETS, settings) == 0;
}

/* bsd/sys/stat.h: UTIME_NOW and UTIME_OMIT */
static int set_times(const char *function, int fd, const char *path,
                     const struct darwin_time *times, int flags) {
  struct timespec set[2];
  for (int i = 0; i < 2; i++) {
    long nsec = times[i].nsec;
    if (nsec < -2 || nsec > 999999999) fatal(function, "nanoseconds", nsec);
    if (nsec < 0 && times[i].sec) fatal(function, "seconds beside UTIME_", times[i].sec);
    set[i].tv_sec = times[i].sec;
    set[i].tv_nsec = nsec == -1 ? UTIME_NOW : nsec == -2 ? UTIME_OMIT : nsec;
  }
  return (int)answer(function, syscall(SYS_utimensat, fd, path, set, flags));
}

EXPORT(int, futimens, int fd, const struct darwin_time *times) {
  calls++;
  return set_times("futimens", open_descriptor("futimens", fd), NULL, times, 0);
}

EXPORT(int, utimensat, int fd, const char *path, const struct darwin_time *times, int flags) {
  calls++;
  int how = TRANSLATE("utimensat", flags, AT_FLAGS);
  return set_times("utimensat", directory("utimensat", fd), path, times, how);
}

/* Apple's Libc, include/time.h */
static const int CLOCKS[][2] = {
    {0, CLOCK_REALTIME},
    {6, CLOCK_MONOTONIC},
    {12, CLOCK_PROCESS_CPUTIME_ID},
    {16, CLOCK_THREAD_CPUTIME_ID},
};

EXPORT(int, clock_gettime, int clock, struct timespec *into) {
  calls++;
  for (size_t i = 0; i < COUNT(CLOCKS); i++) {
    if (CLOCKS[i][0] != clock) continue;
    return (int)answer("clock_gettime", syscall(SYS_clock_gettime, CLOCKS[i][1], into));
  }
  fatal("clock_gettime", "unknown clock", clock);
}

/*
 * bsd/sys/poll.h: `struct pollfd` and these events are Linux's. A socket that the other end has ended
 * hangs up here, where Linux has an event for that.
 */
EXPORT(int, poll, struct pollfd *fds, unsigned count, int timeout) {
  calls++;
  for (unsigned i = 0; i < count; i++) {
    short events = fds[i].events;
    if (events != POLLIN && events != POLLOUT) fatal("poll", "events", events);
    if (events == POLLIN) fds[i].events |= POLLRDHUP;
  }
  struct timespec wait = {timeout / 1000, timeout % 1000 * 1000000L};
  long found = syscall(SYS_ppoll, fds, count, timeout < 0 ? NULL : &wait, NULL, 8);
  for (unsigned i = 0; i < count; i++) {
    fds[i].events &= ~POLLRDHUP;
    if (found > 0 && fds[i].revents & POLLRDHUP) {
      fds[i].revents = (short)((fds[i].revents & ~POLLRDHUP) | POLLHUP);
    }
  }
  return (int)answer("poll", found);
}

/* --- directories: bsd/sys/dirent.h, `struct dirent` with 64-bit inode numbers --- */

struct darwin_dirent {
  uint64_t ino, seekoff;
  uint16_t reclen, namlen;
  uint8_t type;
  char name[];
} __attribute__((packed));
struct linux_dirent {
  uint64_t ino;
  int64_t off;
  uint16_t reclen;
  uint8_t type;
  char name[];
};

/* From 1024 bytes on the last four are a flag that tells the end (bsd/vfs/vfs_syscalls.c). */
EXPORT_AS("__getdirentries64", long, getdirentries, int fd, char *into, size_t size, int64_t *base) {
  calls++;
  size_t room = size < 1024 ? size : size - 4, used = 0;
  int isEnd = 0;
  char block[2048];
  open_descriptor("getdirentries", fd);
  *base = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  for (;;) {
    long next = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    long length = syscall(SYS_getdents64, fd, block, sizeof block);
    if (length < 0 && used == 0) return answer("getdirentries", length);
    isEnd = length == 0;
    if (length <= 0) break;
    for (long at = 0; at < length;) {
      struct linux_dirent *from = (struct linux_dirent *)(block + at);
      struct darwin_dirent *to = (struct darwin_dirent *)(into + used);
      size_t named = strlen(from->name);
      size_t record = (sizeof *to + named + 1 + 7) & ~(size_t)7;
      if (used + record > room) {
        if (used == 0) return refuse(DARWIN_EINVAL);
        syscall(SYS_lseek, fd, next, SEEK_SET);
        goto full;
      }
      memset(to, 0, record);
      to->ino = from->ino;
      to->seekoff = 0x8000000000000000u | used; /* of no use to anybody */
      to->reclen = (uint16_t)record;
      to->namlen = (uint16_t)named;
      to->type = from->type;
      memcpy(to->name, from->name, named);
      used += record;
      next = from->off;
      at += from->reclen;
    }
  }
full:
  if (size >= 1024) memcpy(into + size - 4, &isEnd, 4);
  return (long)used;
}

/* --- sockets: bsd/sys/socket.h, bsd/netinet/in.h, bsd/netinet6/in6.h --- */

enum {
  DARWIN_AF_INET = 2,
  DARWIN_AF_INET6 = 30,
  DARWIN_SOL_SOCKET = 0xffff,
  DARWIN_SO_ACCEPTCONN = 2,
  DARWIN_SO_REUSEADDR = 4,
  DARWIN_SO_TYPE = 0x1008,
  DARWIN_SO_NREAD = 0x1020,
  DARWIN_SO_NOSIGPIPE = 0x1022,
};

static int domain_of(const char *function, int domain) {
  if (domain == DARWIN_AF_INET) return AF_INET;
  if (domain == DARWIN_AF_INET6) return AF_INET6;
  fatal(function, "unknown address family", domain);
}

EXPORT(int, socket, int domain, int type, int protocol) {
  calls++;
  if (type != SOCK_STREAM || protocol) fatal("socket", "type", type);
  return (int)answer("socket", syscall(SYS_socket, domain_of("socket", domain), type, protocol));
}

/* What a connection inherits of its listener's flags, it has: they must be set all the same. */
EXPORT(int, accept, int fd, void *address, void *size) {
  calls++;
  if (address || size) fatal("accept", "an address is asked for of", fd);
  return (int)answer("accept", syscall(SYS_accept, open_descriptor("accept", fd), NULL, NULL));
}

/* Darwin's address begins with its length and its family, a byte each. */
EXPORT(int, bind, int fd, const unsigned char *address, unsigned size) {
  calls++;
  unsigned char to[28];
  unsigned wanted = address[1] == DARWIN_AF_INET6 ? 28 : 16;
  if (size != wanted || address[0] != size) fatal("bind", "length", address[0]);
  memcpy(to, address, size);
  *(uint16_t *)to = (uint16_t)domain_of("bind", address[1]);
  return (int)answer("bind", syscall(SYS_bind, open_descriptor("bind", fd), to, size));
}

EXPORT(int, getsockname, int fd, unsigned char *address, unsigned *size) {
  calls++;
  unsigned room = *size;
  long result = syscall(SYS_getsockname, open_descriptor("getsockname", fd), address, size);
  if (result < 0) return (int)answer("getsockname", result);
  if (room < 2) fatal("getsockname", "room", room);
  int domain = *(uint16_t *)address;
  address[0] = (unsigned char)*size;
  address[1] = (unsigned char)(domain == AF_INET6 ? DARWIN_AF_INET6 : domain);
  return 0;
}

/* Sockets that were told not to signal, up to a number that tests stay below. */
static char quiet[65536];

EXPORT(int, close, int fd) {
  calls++;
  quiet[open_descriptor("close", fd) & 65535] = 0;
  return (int)answer("close", syscall(SYS_close, fd));
}

EXPORT(int, setsockopt, int fd, int level, int name, const int *value, unsigned size) {
  calls++;
  open_descriptor("setsockopt", fd);
  if (level != DARWIN_SOL_SOCKET) fatal("setsockopt", "unknown level", level);
  if (size != 4 || *value != 1) fatal("setsockopt", "value", *value);
  if (name == DARWIN_SO_NOSIGPIPE) {
    quiet[fd & 65535] = 1;
    return 0;
  }
  if (name != DARWIN_SO_REUSEADDR) fatal("setsockopt", "unknown option", name);
  long result = syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, value, size);
  return (int)answer("setsockopt", result);
}

EXPORT(int, getsockopt, int fd, int level, int name, int *value, unsigned *size) {
  calls++;
  open_descriptor("getsockopt", fd);
  if (level != DARWIN_SOL_SOCKET) fatal("getsockopt", "unknown level", level);
  if (*size != 4) fatal("getsockopt", "size", *size);
  if (name == DARWIN_SO_NREAD) { /* how long the first message is */
    long result = syscall(SYS_recvfrom, fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, NULL, NULL);
    if (result < 0 && errno != EAGAIN) return (int)answer("SO_NREAD", result);
    *value = result < 0 ? 0 : (int)result;
    return 0;
  }
  int option = name == DARWIN_SO_TYPE ? SO_TYPE : SO_ACCEPTCONN;
  if (option != SO_TYPE && name != DARWIN_SO_ACCEPTCONN) fatal("getsockopt", "unknown option", name);
  return (int)answer("getsockopt", syscall(SYS_getsockopt, fd, SOL_SOCKET, option, value, size));
}

EXPORT(long, recv, int fd, void *to, size_t size, int flags) {
  calls++;
  int how = TRANSLATE("recv", flags, MESSAGE_FLAGS);
  return answer("recv", syscall(SYS_recvfrom, open_descriptor("recv", fd), to, size, how, NULL, NULL));
}

/* No flags: xnu's send does not look at MSG_DONTWAIT (bsd/kern/uipc_socket.c, sosendcheck). */
EXPORT(long, send, int fd, const void *from, size_t size, int flags) {
  calls++;
  open_descriptor("send", fd);
  if (flags) fatal("send", "flags", flags);
  if (!quiet[fd & 65535]) fatal("send", "a signal may come of socket", fd);
  return answer("send", syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, NULL, 0));
}
