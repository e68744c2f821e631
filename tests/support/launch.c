/*
 * Starts a program with standard streams of a kind that no runtime can make for it:
 *
 *   launch socket PROGRAM...   its output and error are one end of a pair of stream sockets
 *   launch terminal PROGRAM... its output and error are a terminal on which somebody types "typed"
 *   launch typing PROGRAM...   its input is a terminal on which somebody types TYPED
 *   launch ended PROGRAM...    its input is a stream socket that holds "text", its other end closed
 *   launch datagram PROGRAM... its input is a datagram socket, on which two messages wait
 *
 * What comes out of the other end is written to standard output. Ends with the program's exit code.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Two lines, an end, half a line and what ends it, another end, a line. */
#define TYPED "first\n\n\004ab\004\004last\n"

int main(int argc, char **argv) {
  if (argc < 3) return 99;
  int ends[2]; /* ours, the program's */
  int isTyping = !strcmp(argv[1], "typing");
  int isTerminal = isTyping || !strcmp(argv[1], "terminal");
  int isDatagram = !strcmp(argv[1], "datagram");
  int isEnded = !strcmp(argv[1], "ended");
  int isInput = isTyping || isDatagram || isEnded;
  const char *typed = isTyping ? TYPED : "typed\n";
  if (isTerminal) {
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    if (ends[0] < 0 || grantpt(ends[0]) || unlockpt(ends[0])) return 98;
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    struct termios how;
    if (ends[1] < 0 || tcgetattr(ends[1], &how)) return 97;
    how.c_lflag &= ~(tcflag_t)ECHO;
    how.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(ends[1], TCSANOW, &how);
    if (write(ends[0], typed, strlen(typed)) != (ssize_t)strlen(typed)) return 96;
  } else if (socketpair(AF_UNIX, isDatagram ? SOCK_DGRAM : SOCK_STREAM, 0, ends)) return 95;
  if (isDatagram && (send(ends[0], "0123456789", 10, 0) != 10 || send(ends[0], "next", 4, 0) != 4)) {
    return 94;
  }
  if (isEnded && (send(ends[0], "text", 4, 0) != 4 || close(ends[0]))) return 91;
  pid_t child = fork();
  if (child == 0) {
    if (!isEnded) close(ends[0]);
    if (isInput) {
      dup2(ends[1], 0);
    } else {
      dup2(ends[1], 1);
      dup2(ends[1], 2);
    }
    if (ends[1] > 2) close(ends[1]);
    execvp(argv[2], argv + 2);
    _exit(93);
  }
  close(ends[1]);
  if (!isInput) {
    char bytes[4096];
    for (ssize_t count; (count = read(ends[0], bytes, sizeof bytes)) > 0;) {
      if (write(1, bytes, (size_t)count) != count) return 92;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
