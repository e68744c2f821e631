/* Standard input is a datagram socket on which "0123456789" and "next" wait. */
#include "check.h"

int main(void) {
  u8 first[4], second[3];
  __wasi_iovec_t both[2] = {{first, 4}, {second, 3}};
  __wasi_size_t size = 0;
  __wasi_roflags_t flags = 42;
  __wasi_fdstat_t stat;
  succeeds("fd_fdstat_get()", __wasi_fd_fdstat_get(0, &stat));
  equals("it is a datagram socket", stat.fs_filetype, __WASI_FILETYPE_SOCKET_DGRAM);
  succeeds("a message is looked at", __wasi_sock_recv(0, both, 2, __WASI_RIFLAGS_RECV_PEEK, &size, &flags));
  equals("as much as fits", size, 7);
  equals("and said to be cut", flags, __WASI_ROFLAGS_RECV_DATA_TRUNCATED);
  memset(first, 0, 4), memset(second, 0, 3);
  succeeds("it is received", __wasi_sock_recv(0, both, 2, 0, &size, &flags));
  equals("as much of it as fits", size, 7);
  is_true("in both buffers", !memcmp(first, "0123", 4) && !memcmp(second, "456", 3));
  equals("and it is said to be cut", flags, __WASI_ROFLAGS_RECV_DATA_TRUNCATED);
  succeeds("so is the next one", __wasi_sock_recv(0, both, 2, 0, &size, &flags));
  equals("whole", size, 4);
  is_true("from its beginning", !memcmp(first, "next", 4));
  equals("and not cut", flags, 0);
  return finish();
}
