/* What programs for POSIX expect and wasi-libc does not declare. posix.c has it. */
#ifndef LANGUAGES_POSIX_H
#define LANGUAGES_POSIX_H

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

mode_t umask(mode_t);
int lchmod(const char *, mode_t);
int chown(const char *, uid_t, gid_t);
int fchown(int, uid_t, gid_t);
int lchown(const char *, uid_t, gid_t);

uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);

int dup(int);
int dup2(int, int);
int fchdir(int);

char *mkdtemp(char *);
int mkstemp(char *);
FILE *tmpfile(void);

/* there are no processes: these fail with ENOSYS */
pid_t fork(void);
int execvp(const char *, char *const[]);
int system(const char *);
int pipe(int[2]);
pid_t waitpid(pid_t, int *, int);
FILE *popen(const char *, const char *);
int pclose(FILE *);

#define WIFEXITED(status) (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)
#define WIFSIGNALED(status) (((status) & 0x7f) != 0)
#define WTERMSIG(status) ((status) & 0x7f)

void tzset(void);

struct passwd {
  char *pw_name, *pw_passwd, *pw_gecos, *pw_dir, *pw_shell;
  uid_t pw_uid;
  gid_t pw_gid;
};
struct group {
  char *gr_name, *gr_passwd, **gr_mem;
  gid_t gr_gid;
};
struct passwd *getpwnam(const char *);
struct passwd *getpwuid(uid_t);
struct group *getgrnam(const char *);
struct group *getgrgid(gid_t);

#ifdef __cplusplus
}
#endif
#endif
