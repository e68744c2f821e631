/* A small HTTP server on a socket that was opened for it: http FD COUNT [recv|read|poll] */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(int connection, int number, int plain) {
  char request[4096];
  size_t length = 0;
  while (length < sizeof request - 1) {
    ssize_t count = plain ? read(connection, request + length, sizeof request - 1 - length)
                          : recv(connection, request + length, sizeof request - 1 - length, 0);
    if (count < 0) return perror("recv"), 1;
    if (count == 0) return 0; /* it connected, no more */
    length += count;
    request[length] = 0;
    if (strstr(request, "\r\n\r\n")) break;
  }
  char path[256] = "?";
  sscanf(request, "%*s %255s", path);
  char body[512], answer[1024];
  int size = snprintf(body, sizeof body, "%s %d\n", path, number);
  int total = snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s", size, body);
  for (int done = 0; done < total;) {
    ssize_t count = plain ? write(connection, answer + done, total - done)
                          : send(connection, answer + done, total - done, 0);
    if (count < 0) return perror("send"), 1;
    done += count;
  }
  if (shutdown(connection, SHUT_WR)) return perror("shutdown"), 1;
  return 0;
}

int main(int argc, char **argv) {
  int listener = atoi(argv[1]);
  int count = atoi(argv[2]);
  const char *how = argc > 3 ? argv[3] : "recv";
  int polls = !strcmp(how, "poll");
  if (polls && fcntl(listener, F_SETFL, O_NONBLOCK)) return perror("fcntl"), 1;
  for (int i = 0; i < count;) {
    if (polls) {
      struct pollfd waiting = {.fd = listener, .events = POLLIN};
      if (poll(&waiting, 1, -1) < 0) return perror("poll"), 1;
    }
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) {
      if (polls && errno == EAGAIN) continue;
      return perror("accept"), 1;
    }
    if (serve(connection, ++i, !strcmp(how, "read"))) return 1;
    if (close(connection)) return perror("close"), 1;
  }
  if (polls && (accept(listener, NULL, NULL) >= 0 || errno != EAGAIN)) return perror("accept"), 1;
  printf("served %d\n", count);
  return 0;
}
