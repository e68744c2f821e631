/* Every function that takes a descriptor says badf of a number that is not open. */
#include "check.h"

static u8 buffer[256];

static void all_badf(const char *number, fd_t fd) {
  __wasi_fdstat_t fdstat;
  __wasi_filestat_t stat;
  __wasi_prestat_t prestat;
  __wasi_filesize_t position;
  __wasi_size_t size;
  __wasi_roflags_t roflags;
  __wasi_iovec_t in = {buffer, 8};
  __wasi_ciovec_t out = {buffer, 8};
  fd_t opened;
#define BAD(name, call) errno_is(join(name, "() of ", number), call, BADF)
  BAD("fd_advise", __wasi_fd_advise(fd, 0, 1, 0));
  BAD("fd_allocate", __wasi_fd_allocate(fd, 0, 1));
  BAD("fd_close", __wasi_fd_close(fd));
  BAD("fd_datasync", __wasi_fd_datasync(fd));
  BAD("fd_fdstat_get", __wasi_fd_fdstat_get(fd, &fdstat));
  BAD("fd_fdstat_set_flags", __wasi_fd_fdstat_set_flags(fd, 0));
  BAD("fd_fdstat_set_rights", __wasi_fd_fdstat_set_rights(fd, 0, 0));
  BAD("fd_filestat_get", __wasi_fd_filestat_get(fd, &stat));
  BAD("fd_filestat_set_size", __wasi_fd_filestat_set_size(fd, 1));
  BAD("fd_filestat_set_times", __wasi_fd_filestat_set_times(fd, 1, 1, 0));
  BAD("fd_pread", __wasi_fd_pread(fd, &in, 1, 0, &size));
  BAD("fd_prestat_get", __wasi_fd_prestat_get(fd, &prestat));
  BAD("fd_prestat_dir_name", __wasi_fd_prestat_dir_name(fd, buffer, 8));
  BAD("fd_pwrite", __wasi_fd_pwrite(fd, &out, 1, 0, &size));
  BAD("fd_read", __wasi_fd_read(fd, &in, 1, &size));
  BAD("fd_readdir", __wasi_fd_readdir(fd, buffer, 8, 0, &size));
  BAD("fd_renumber", __wasi_fd_renumber(fd, ROOT));
  BAD("fd_seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  BAD("fd_sync", __wasi_fd_sync(fd));
  BAD("fd_tell", __wasi_fd_tell(fd, &position));
  BAD("fd_write", __wasi_fd_write(fd, &out, 1, &size));
  BAD("path_create_directory", __wasi_path_create_directory(fd, "x"));
  BAD("path_filestat_get", __wasi_path_filestat_get(fd, 0, "x", &stat));
  BAD("path_filestat_set_times", __wasi_path_filestat_set_times(fd, 0, "x", 1, 1, 0));
  BAD("path_link", __wasi_path_link(fd, 0, "x", ROOT, "y"));
  BAD("path_link to", __wasi_path_link(ROOT, 0, "file", fd, "y"));
  BAD("path_open", __wasi_path_open(fd, 0, "x", CREAT, 0, 0, 0, &opened));
  BAD("path_readlink", __wasi_path_readlink(fd, "x", buffer, 8, &size));
  BAD("path_remove_directory", __wasi_path_remove_directory(fd, "x"));
  BAD("path_rename", __wasi_path_rename(fd, "x", ROOT, "y"));
  BAD("path_rename to", __wasi_path_rename(ROOT, "file", fd, "y"));
  BAD("path_symlink", __wasi_path_symlink("x", fd, "y"));
  BAD("path_unlink_file", __wasi_path_unlink_file(fd, "x"));
  BAD("sock_accept", __wasi_sock_accept(fd, 0, &opened));
  BAD("sock_recv", __wasi_sock_recv(fd, &in, 1, 0, &size, &roflags));
  BAD("sock_send", __wasi_sock_send(fd, &out, 1, 0, &size));
  BAD("sock_shutdown", __wasi_sock_shutdown(fd, __WASI_SDFLAGS_RD));
}

int main(void) {
  make_file(ROOT, "file", "content");
  fd_t fd = open_file(ROOT, "file", 0, READ_RIGHTS, 0);
  close_fd(fd);
  all_badf("a closed descriptor", fd);
  all_badf("a descriptor never opened", CLOSED);
  all_badf("2^31 - 1", 0x7fffffff);
  all_badf("2^31", 0x80000000);
  all_badf("2^32 - 1", 0xffffffff);
  file_holds("none of these touched the file", ROOT, "file", "content");
  return finish();
}
