/* fd_seek and fd_tell. */
#include "check.h"

static fd_t fd;
static __wasi_filesize_t position;

static int seek(__wasi_filedelta_t offset, int whence) {
  position = 12345;
  return __wasi_fd_seek(fd, offset, (__wasi_whence_t)whence, &position);
}

static void at(const char *sentence, u64 expected) {
  __wasi_filesize_t told = 12345;
  must("fd_tell", __wasi_fd_tell(fd, &told));
  equals(sentence, told, expected);
}

int main(void) {
  u8 got[16];
  fd = open_file(ROOT, "seek", CREAT, FILE_RIGHTS, 0);
  at("a file opens at its start", 0);
  write_text(fd, "0123456789");
  at("fd_write() moves the position", 10);

  succeeds("fd_seek() from the start succeeds", seek(3, __WASI_WHENCE_SET));
  equals("fd_seek() from the start tells its place", position, 3);
  at("fd_tell() tells it too", 3);
  succeeds("fd_seek() forward succeeds", seek(4, __WASI_WHENCE_CUR));
  equals("fd_seek() forward tells its place", position, 7);
  succeeds("fd_seek() back succeeds", seek(-2, __WASI_WHENCE_CUR));
  equals("fd_seek() back tells its place", position, 5);
  succeeds("fd_seek() by nothing succeeds", seek(0, __WASI_WHENCE_CUR));
  equals("fd_seek() by nothing tells the place", position, 5);
  succeeds("fd_seek() from the end succeeds", seek(-1, __WASI_WHENCE_END));
  equals("fd_seek() from the end tells its place", position, 9);
  same_bytes("fd_read() reads from there", got, read_all(fd, got, sizeof got), "9", 1);
  at("fd_read() moves the position", 10);

  succeeds("fd_seek() to the place before the start's end succeeds", seek(2, __WASI_WHENCE_SET));
  errno_is("fd_seek() to before the start is inval", seek(-1, __WASI_WHENCE_SET), INVAL);
  errno_is("fd_seek() back to before the start is inval", seek(-3, __WASI_WHENCE_CUR), INVAL);
  errno_is("fd_seek() from the end to before the start is inval", seek(-11, __WASI_WHENCE_END),
           INVAL);
  errno_is("fd_seek() with the lowest offset is inval", seek(INT64_MIN, __WASI_WHENCE_CUR), INVAL);
  errno_is("fd_seek() over the highest position is refused", seek(INT64_MAX, __WASI_WHENCE_CUR),
           INVAL, OVERFLOW);
  at("a refused fd_seek() leaves the position alone", 2);

  succeeds("fd_seek() behind the end succeeds", seek(5, __WASI_WHENCE_END));
  equals("fd_seek() behind the end tells its place", position, 15);
  equals("fd_read() behind the end reads nothing", read_all(fd, got, sizeof got), 0);
  at("reading nothing leaves the position alone", 15);
  equals("fd_seek() alone does not grow the file", stat_of_fd(fd).size, 10);
  write_text(fd, "ab");
  equals("fd_write() behind the end grows the file", stat_of_fd(fd).size, 17);
  must("seek", seek(8, __WASI_WHENCE_SET));
  same_bytes("the gap is zeros", got, read_all(fd, got, sizeof got), "89\0\0\0\0\0ab", 9);

  fd_t other = open_file(ROOT, "seek", 0, READ_RIGHTS, 0);
  __wasi_filesize_t told = 12345;
  must("fd_tell", __wasi_fd_tell(other, &told));
  equals("another descriptor of the file has its own position", told, 0);
  same_bytes("another descriptor reads from its own position", got, read_all(other, got, 4),
             "0123", 4);
  at("and leaves the first one's alone", 17);
  close_fd(other);
  close_fd(fd);
  errno_is("fd_seek() of a closed descriptor is badf", seek(0, __WASI_WHENCE_SET), BADF);
  errno_is("fd_tell() of a closed descriptor is badf", __wasi_fd_tell(fd, &told), BADF);
  return finish();
}
