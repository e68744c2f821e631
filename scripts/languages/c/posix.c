/*
 * What programs for POSIX expect and WASI does not have, as far as a single process can have it: the
 * modes of files, which are kept by inode; the user, whom all files belong to; duplicates of
 * directories' descriptors. What needs another process fails.
 *
 * The functions of wasi-libc that are replaced are wrapped: link with the words of WRAPPED in c.mjs.
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { USER = 1000, DESCRIPTORS = 1024 };

/* The user. */

uid_t getuid(void) { return USER; }
uid_t geteuid(void) { return USER; }
gid_t getgid(void) { return USER; }
gid_t getegid(void) { return USER; }

static struct passwd root = {.pw_name = "root", .pw_dir = "/"};
static struct group roots = {.gr_name = "root"};

struct passwd *getpwnam(const char *name) { return strcmp(name, "root") == 0 ? &root : NULL; }
struct passwd *getpwuid(uid_t user) { return user == 0 ? &root : NULL; }
struct group *getgrnam(const char *name) { return strcmp(name, "root") == 0 ? &roots : NULL; }
struct group *getgrgid(gid_t group) { return group == 0 ? &roots : NULL; }

static int give(uid_t user, gid_t group) {
  if ((user == (uid_t)-1 || user == USER) && (group == (gid_t)-1 || group == USER)) return 0;
  errno = EPERM;
  return -1;
}

int chown(const char *path, uid_t user, gid_t group) { return give(user, group); }
int lchown(const char *path, uid_t user, gid_t group) { return give(user, group); }
int fchown(int fd, uid_t user, gid_t group) { return give(user, group); }

/* Directories' paths, by descriptor. */

static char *paths[DESCRIPTORS];

static char *join(int at, const char *path) {
  char *base = path[0] == '/' ? strdup("") : at == AT_FDCWD ? getcwd(NULL, 0)
    : at < DESCRIPTORS && paths[at] != NULL ? strdup(paths[at]) : NULL;
  if (base == NULL) return NULL;
  char *whole = malloc(strlen(base) + strlen(path) + 2);
  if (whole == NULL) abort();
  sprintf(whole, "%s%s%s", base, path[0] == '/' ? "" : "/", path);
  free(base);
  return whole;
}

static void name(int fd, int at, const char *path) {
  char *whole = fd < DESCRIPTORS ? join(at, path) : NULL;
  if (whole == NULL) return;
  free(paths[fd]);
  paths[fd] = whole;
}

/*
 * A directory of WASI does not lead out of itself, as a link in it can in POSIX. What has failed for
 * this reason is tried again with the whole path, which this returns, or NULL.
 */
static char *outside(int at, const char *path) {
  return at != AT_FDCWD && (errno == EPERM || errno == ENOTCAPABLE) ? join(at, path) : NULL;
}

/* Modes, by inode. */

static mode_t mask = 022;
static struct kept {
  dev_t dev;
  ino_t ino;
  mode_t mode;
} *modes;
static size_t many, room;

mode_t umask(mode_t new) {
  mode_t old = mask;
  mask = new & 0777;
  return old;
}

static struct kept *find(const struct stat *st) {
  for (size_t i = many; i-- > 0;)
    if (modes[i].ino == st->st_ino && modes[i].dev == st->st_dev) return &modes[i];
  return NULL;
}

static void keep(const struct stat *st, mode_t mode) {
  struct kept *kept = find(st);
  if (kept == NULL) {
    if (many == room) modes = realloc(modes, (room = room * 2 + 16) * sizeof *modes);
    if (modes == NULL) abort();
    kept = &modes[many++];
  }
  *kept = (struct kept){st->st_dev, st->st_ino, mode & 07777};
}

static void forget(const struct stat *st) {
  struct kept *kept = find(st);
  if (kept != NULL) *kept = modes[--many];
}

static void complete(struct stat *st) {
  const struct kept *kept = find(st);
  mode_t usual = S_ISLNK(st->st_mode) ? 0777 : (S_ISDIR(st->st_mode) ? 0777 : 0666) & ~mask;
  st->st_mode = (st->st_mode & S_IFMT) | (kept != NULL ? kept->mode : usual);
  st->st_uid = st->st_gid = USER;
}

int __real_stat(const char *, struct stat *);
int __real_lstat(const char *, struct stat *);
int __real_fstat(int, struct stat *);
int __real_fstatat(int, const char *, struct stat *, int);

static int completed(int status, struct stat *st) {
  if (status == 0) complete(st);
  return status;
}

int __wrap_stat(const char *path, struct stat *st) { return completed(__real_stat(path, st), st); }
int __wrap_lstat(const char *path, struct stat *st) { return completed(__real_lstat(path, st), st); }
int __wrap_fstat(int fd, struct stat *st) { return completed(__real_fstat(fd, st), st); }
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags) {
  int status = __real_fstatat(fd, path, st, flags);
  char *whole = status == 0 ? NULL : outside(fd, path);
  if (whole != NULL) status = __real_fstatat(AT_FDCWD, whole, st, flags);
  free(whole);
  return completed(status, st);
}

static int change(int status, const struct stat *st, mode_t mode) {
  if (status == 0) keep(st, mode);
  return status;
}

int __wrap_chmod(const char *path, mode_t mode) {
  struct stat st;
  return change(__real_stat(path, &st), &st, mode);
}
int lchmod(const char *path, mode_t mode) {
  struct stat st;
  return change(__real_lstat(path, &st), &st, mode);
}
int __wrap_fchmod(int fd, mode_t mode) {
  struct stat st;
  return change(__real_fstat(fd, &st), &st, mode);
}
int __wrap_fchmodat(int fd, const char *path, mode_t mode, int flags) {
  struct stat st;
  return change(__real_fstatat(fd, path, &st, flags), &st, mode);
}

int __real_mkdir(const char *, mode_t);
int __wrap_mkdir(const char *path, mode_t mode) {
  struct stat st;
  int status = __real_mkdir(path, mode);
  if (status == 0 && __real_stat(path, &st) == 0) keep(&st, mode & ~mask);
  return status;
}

int __real_mkdirat(int, const char *, mode_t);
int __wrap_mkdirat(int fd, const char *path, mode_t mode) {
  struct stat st;
  int status = __real_mkdirat(fd, path, mode);
  if (status == 0 && __real_fstatat(fd, path, &st, 0) == 0) keep(&st, mode & ~mask);
  return status;
}

/* The inode of what has been removed is used again. */
static int removed(int status, int known, const struct stat *st) {
  if (status == 0 && known == 0 && (S_ISDIR(st->st_mode) || st->st_nlink < 2)) forget(st);
  return status;
}

int __real_unlink(const char *);
int __wrap_unlink(const char *path) {
  struct stat st;
  int known = __real_lstat(path, &st);
  return removed(__real_unlink(path), known, &st);
}

int __real_rmdir(const char *);
int __wrap_rmdir(const char *path) {
  struct stat st;
  int known = __real_lstat(path, &st);
  return removed(__real_rmdir(path), known, &st);
}

int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int fd, const char *path, int flags) {
  struct stat st;
  int known = __real_fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW);
  return removed(__real_unlinkat(fd, path, flags), known, &st);
}

int __real_rename(const char *, const char *);
int __wrap_rename(const char *from, const char *to) {
  struct stat st;
  int known = __real_lstat(to, &st);
  return removed(__real_rename(from, to), known, &st);
}

/* Opening. */

int __real_open(const char *, int, ...);
int __real_openat(int, const char *, int, ...);

static int opened(int at, const char *path, int flags, mode_t mode) {
  struct stat st;
  // elsewhere O_RDONLY is 0
  if ((flags & (O_RDWR | O_SEARCH | O_EXEC)) == 0) flags |= O_RDONLY;
  int made = (flags & O_CREAT) != 0 && __real_fstatat(at, path, &st, 0) != 0;
  // wasi-libc's openat calls open, which is wrapped
  int fd = at == AT_FDCWD ? __real_open(path, flags, mode) : __real_openat(at, path, flags, mode);
  char *whole = fd >= 0 ? NULL : outside(at, path);
  if (whole != NULL) {
    fd = opened(AT_FDCWD, whole, flags, mode);
    free(whole);
    return fd;
  }
  if (fd < 0 || __real_fstat(fd, &st) != 0) return fd;
  if (made) keep(&st, mode & ~mask);
  if (S_ISDIR(st.st_mode)) name(fd, at, path);
  return fd;
}

static mode_t argument(int flags, va_list more) {
  return (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = argument(flags, more);
  va_end(more);
  return opened(AT_FDCWD, path, flags, mode);
}

int __wrap_openat(int at, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = argument(flags, more);
  va_end(more);
  return opened(at, path, flags, mode);
}

DIR *__real_opendir(const char *);
DIR *__wrap_opendir(const char *path) {
  DIR *directory = __real_opendir(path);
  if (directory != NULL) name(dirfd(directory), AT_FDCWD, path);
  return directory;
}

int dup(int fd) {
  if (fd >= 0 && fd < DESCRIPTORS && paths[fd] != NULL) return __wrap_open(paths[fd], O_RDONLY);
  errno = ENOSYS;
  return -1;
}

int fchdir(int fd) {
  if (fd >= 0 && fd < DESCRIPTORS && paths[fd] != NULL) return chdir(paths[fd]);
  errno = ENOTDIR;
  return -1;
}

/* Temporary files. */

static char *suffix(char *template) {
  size_t length = strlen(template);
  unsigned char bytes[6];
  if (length < 6 || getentropy(bytes, sizeof bytes) != 0) return NULL;
  for (size_t i = 0; i < sizeof bytes; i++) template[length - 6 + i] = 'a' + bytes[i] % 26;
  return template;
}

char *mkdtemp(char *template) {
  return suffix(template) != NULL && __wrap_mkdir(template, 0700) == 0 ? template : NULL;
}

int mkstemp(char *template) {
  return suffix(template) == NULL ? -1 : __wrap_open(template, O_RDWR | O_CREAT | O_EXCL, 0600);
}

FILE *tmpfile(void) {
  char template[] = "/tmp/file-XXXXXX";
  int fd = mkstemp(template);
  if (fd < 0) return NULL;
  __wrap_unlink(template);
  return fdopen(fd, "w+");
}

/* Locales: wasi-libc says that it has each, and uses UTF-8 in all. */

char *__real_setlocale(int, const char *);
char *__wrap_setlocale(int category, const char *name) {
  if (name != NULL && name[0] != 0 && strcmp(name, "C") != 0 && strcmp(name, "POSIX") != 0 &&
      strstr(name, "UTF-8") == NULL) return NULL;
  return __real_setlocale(category, name);
}

/* What needs another process. */

static int fail(void) {
  errno = ENOSYS;
  return -1;
}

pid_t fork(void) { return fail(); }
int execvp(const char *file, char *const words[]) { return fail(); }
int system(const char *command) { return command == NULL ? 0 : fail(); }
int dup2(int from, int to) { return fail(); }
int pipe(int fds[2]) { return fail(); }
pid_t waitpid(pid_t process, int *status, int options) { return fail(); }
FILE *popen(const char *command, const char *mode) { return fail(), NULL; }
int pclose(FILE *stream) { return fail(); }
void tzset(void) {}
