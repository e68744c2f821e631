/* sock_*: what is no socket is notsock. */
#include "check.h"

static u8 buffer[8];

static void none(const char *what, fd_t fd) {
  __wasi_iovec_t in = {buffer, 8};
  __wasi_ciovec_t out = {buffer, 8};
  __wasi_size_t size = 42;
  __wasi_roflags_t roflags = 42;
  fd_t opened = 42;
  errno_is(join("sock_accept() on ", what, " is notsock"), __wasi_sock_accept(fd, 0, &opened),
           NOTSOCK);
  errno_is(join("sock_recv() on ", what, " is notsock"),
           __wasi_sock_recv(fd, &in, 1, 0, &size, &roflags), NOTSOCK);
  errno_is(join("sock_send() on ", what, " is notsock"), __wasi_sock_send(fd, &out, 1, 0, &size),
           NOTSOCK);
  errno_is(join("sock_shutdown() on ", what, " is notsock"),
           __wasi_sock_shutdown(fd, __WASI_SDFLAGS_RD | __WASI_SDFLAGS_WR), NOTSOCK);
  is_true(join("and none writes a result for ", what, ""), opened == 42 && size == 42 &&
                                                               roflags == 42);
}

int main(void) {
  fd_t file = open_file(ROOT, "file", CREAT, FILE_RIGHTS, 0);
  write_text(file, "content");
  fd_t directory = open_directory(ROOT, ".");
  none("a file", file);
  none("a directory", directory);
  none("the preopen", ROOT);
  none("standard input from a file", 0);
  close_fd(file);
  close_fd(directory);
  file_holds("sock_send() wrote nothing", ROOT, "file", "content");
  return finish();
}
