/* fd_renumber, fd_close, and which number a descriptor gets. */
#include "check.h"

static fd_t open_next(const char *path) { return open_file(ROOT, path, 0, READ_RIGHTS, 0); }

static void reads(const char *sentence, fd_t fd, const char *text) {
  u8 got[32];
  __wasi_iovec_t part = {got, sizeof got};
  __wasi_size_t count = 0;
  must("fd_pread", __wasi_fd_pread(fd, &part, 1, 0, &count));
  same_bytes(sentence, got, count, text, strlen(text));
}

int main(void) {
  __wasi_filesize_t position;
  make_file(ROOT, "one", "one");
  make_file(ROOT, "two", "two");
  make_file(ROOT, "three", "three");

  /* The specification leaves the number open; POSIX programs expect the lowest. */
  fd_t one = open_next("one"), two = open_next("two"), three = open_next("three");
  equals("the first file opened is descriptor 4", one, 4);
  equals("the second is 5", two, 5);
  equals("the third is 6", three, 6);
  close_fd(two);
  close_fd(one);
  equals("the lowest free number is given first", open_next("two"), 4);
  equals("then the next one", open_next("one"), 5);
  one = 5;
  two = 4;

  must("seek", __wasi_fd_seek(three, 2, __WASI_WHENCE_SET, &position));
  succeeds("fd_renumber() over an open descriptor succeeds", __wasi_fd_renumber(three, one));
  reads("that number is then the other file", one, "three");
  must("fd_tell", __wasi_fd_tell(one, &position));
  equals("with its position", position, 2);
  errno_is("the old number is closed", __wasi_fd_tell(three, &position), BADF);
  errno_is("and cannot be closed again", __wasi_fd_close(three), BADF);
  reads("other descriptors stay", two, "two");
  equals("the old number is free", open_next("one"), three);

  succeeds("fd_renumber() to the same number succeeds", __wasi_fd_renumber(two, two));
  reads("and changes nothing", two, "two");
  errno_is("fd_renumber() of a closed number is badf", __wasi_fd_renumber(CLOSED, two), BADF);
  reads("and changes nothing then", two, "two");
  errno_is("fd_renumber() of a closed number to itself is badf",
           __wasi_fd_renumber(CLOSED, CLOSED), BADF);
  errno_is("fd_renumber() to a closed number is badf", __wasi_fd_renumber(two, CLOSED), BADF);
  reads("and leaves the descriptor open", two, "two");
  errno_is("fd_renumber() to 2^32 - 1 is badf", __wasi_fd_renumber(two, ~0u), BADF);

  succeeds("fd_close() succeeds", __wasi_fd_close(two));
  errno_is("fd_close() again is badf", __wasi_fd_close(two), BADF);
  errno_is("a closed descriptor is badf", __wasi_fd_tell(two, &position), BADF);
  succeeds("fd_close() of another succeeds", __wasi_fd_close(one));

  /* Standard input replaced by a file, as a shell redirects it. */
  fd_t file = open_next("one");
  succeeds("fd_renumber() over standard input succeeds", __wasi_fd_renumber(file, 0));
  reads("standard input is then the file", 0, "one");
  succeeds("standard input can be closed", __wasi_fd_close(0));
  errno_is("and is closed then", __wasi_fd_tell(0, &position), BADF);
  equals("its number is the lowest free one", open_next("two"), 0);
  must("closing", __wasi_fd_close(0));

  /* Many at once, closed in another order, over and over: numbers come back. */
  static fd_t many[200];
  bool low = true;
  must("opening standard input's number", open_next("one") == 0 ? 0 : __WASI_ERRNO_BADF);
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 200; i++) {
      many[i] = open_next("one");
      low = low && many[i] < 250;
    }
    for (int i = 0; i < 200; i++) close_fd(many[(i * 7 + round) % 200]);
  }
  is_true("a thousand files opened and closed reuse their numbers", low);

  succeeds("the preopen can be closed", __wasi_fd_close(ROOT));
  errno_is("and nothing is opened through it then", try_open(ROOT, 0, "one", 0, READ_RIGHTS), BADF);
  return finish();
}
