/* What QuickJS uses of terminals and processes, which WASI does not have: all of it fails. */
#ifndef LANGUAGES_QJS_H
#define LANGUAGES_QJS_H

#include <errno.h>
#include <malloc.h>

struct winsize {
  unsigned short ws_row, ws_col;
};
struct termios {
  unsigned c_iflag, c_oflag, c_cflag, c_lflag;
  unsigned char c_cc[2];
};
enum { TIOCGWINSZ, TCSANOW, VMIN = 0, VTIME, WNOHANG };
enum { IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON };
enum { OPOST, ECHO, ECHONL, ICANON, IEXTEN, CSIZE, PARENB, CS8 };

static inline int without_processes(void) {
  errno = ENOSYS;
  return -1;
}

#define tcgetattr(fd, settings) without_processes()
#define tcsetattr(fd, when, settings) without_processes()
#define execve(file, words, environment) without_processes()
#define setuid(user) without_processes()
#define setgid(group) without_processes()
#define kill(process, signal) without_processes()

#endif
