/* Peeking, waiting for all, halves of a connection: recv FD */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wasi/api.h>

static int failures = 0;

#define ok(condition)                                                                              \
  do {                                                                                             \
    if (!(condition)) printf("not ok line %d: %s (%s)\n", __LINE__, #condition, strerror(errno)),  \
        failures++;                                                                                \
    else printf("ok %s\n", #condition);                                                            \
  } while (0)

int main(int argc, char **argv) {
  int listener = argc > 1 ? atoi(argv[1]) : 3;
  int connection = accept(listener, NULL, NULL);
  ok(connection >= 0);
  char buffer[64];
  ok(recv(listener, buffer, 1, 0) < 0);
  ok(recv(connection, buffer, 5, MSG_PEEK) == 5 && !memcmp(buffer, "first", 5));
  ok(recv(connection, buffer, 5, 0) == 5 && !memcmp(buffer, "first", 5));
  /* the client sends the rest in three parts */
  ok(recv(connection, buffer, 18, MSG_WAITALL) == 18 && !memcmp(buffer, "one part, two, end", 18));
  __wasi_fdstat_t st;
  ok(__wasi_fd_fdstat_get(connection, &st) == 0 && st.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM);
  ok(fcntl(connection, F_SETFL, O_NONBLOCK) == 0);
  errno = 0;
  ok(recv(connection, buffer, 1, 0) == -1 && errno == EAGAIN);
  errno = 0;
  ok(read(connection, buffer, 1) == -1 && errno == EAGAIN);
  ok(fcntl(connection, F_SETFL, 0) == 0);
  errno = 0;
  ok(lseek(connection, 0, SEEK_SET) == -1 && errno == ESPIPE);
  ok(send(connection, "bye", 3, 0) == 3);
  ok(shutdown(connection, SHUT_WR) == 0);
  ok(recv(connection, buffer, 1, 0) == 0); /* the client closes then */
  ok(__wasi_sock_shutdown(connection, 0) == __WASI_ERRNO_INVAL);
  ok(__wasi_sock_shutdown(1, 1) == __WASI_ERRNO_NOTSOCK);
  ok(close(connection) == 0);
  errno = 0;
  ok(recv(connection, buffer, 1, 0) == -1 && errno == EBADF);
  return failures != 0;
}
