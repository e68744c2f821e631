/*
 * Standard input from a pipe that holds "hello". With the argument "open" its writer stays and
 * writes "late" only after seconds, should the guest be stuck in reading; with "closed" there is no
 * writer any more. "uncounted" allows the event to tell 0 bytes, for hosts that cannot count them.
 */
#include "check.h"

#define MS 1000000u

static __wasi_event_t events[2];

static size_t poll_input(u64 timeout) {
  __wasi_subscription_t s[2];
  __wasi_size_t count = 0;
  memset(s, 0, sizeof s);
  memset(events, 0, sizeof events);
  s[0].userdata = 1;
  s[0].u.tag = __WASI_EVENTTYPE_FD_READ;
  s[0].u.u.fd_read.file_descriptor = 0;
  s[1].userdata = 2;
  s[1].u.tag = __WASI_EVENTTYPE_CLOCK;
  s[1].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  s[1].u.u.clock.timeout = timeout;
  must("poll_oneoff", __wasi_poll_oneoff(s, events, 2, &count));
  return count;
}

int main(int argc, char **argv) {
  u8 got[16];
  __wasi_iovec_t part = {got, 3};
  __wasi_size_t count = 0;
  __wasi_filesize_t position;

  errno_is("a pipe cannot be sought", __wasi_fd_seek(0, 1, __WASI_WHENCE_SET, &position), SPIPE);
  errno_is("a pipe has no position", __wasi_fd_tell(0, &position), SPIPE);
  errno_is("a pipe is not read at an offset", __wasi_fd_pread(0, &part, 1, 2, &count), SPIPE);
  u32 type = fdstat_of(0).fs_filetype;
  is_true("a pipe is neither a file nor a directory",
          type != __WASI_FILETYPE_REGULAR_FILE && type != __WASI_FILETYPE_DIRECTORY);
  equals("and its filestat says the same", stat_of_fd(0).filetype, type);

  u64 before = time_of(__WASI_CLOCKID_MONOTONIC);
  equals("a pipe with bytes is ready, the clock is not", poll_input(2000 * MS), 1);
  is_true("the event is the pipe's", events[0].userdata == 1 && events[0].error == 0 &&
                                         events[0].type == __WASI_EVENTTYPE_FD_READ);
  between("it tells bytes to be read", events[0].fd_readwrite.nbytes,
          told(argc, argv, "uncounted") ? 0 : 1, 5);
  between("it is ready at once", time_of(__WASI_CLOCKID_MONOTONIC) - before, 0, 1500 * MS);

  succeeds("a pipe is read", __wasi_fd_read(0, &part, 1, &count));
  same_bytes("by as much as asked for", got, count, "hel", 3);
  equals("a pipe with bytes left is ready", poll_input(2000 * MS), 1);
  part.buf_len = sizeof got;
  succeeds("a pipe gives what it has", __wasi_fd_read(0, &part, 1, &count));
  same_bytes("and does not wait for more", got, count, "lo", 2);

  before = time_of(__WASI_CLOCKID_MONOTONIC);
  if (told(argc, argv, "open")) {
    equals("an empty pipe is not ready, the clock is", poll_input(50 * MS), 1);
    is_true("the event is the clock's", events[0].userdata == 2);
    between("after its time", time_of(__WASI_CLOCKID_MONOTONIC) - before, 50 * MS, 1500 * MS);
    succeeds("nonblock is set", __wasi_fd_fdstat_set_flags(0, __WASI_FDFLAGS_NONBLOCK));
    equals("and told", fdstat_of(0).fs_flags, __WASI_FDFLAGS_NONBLOCK);
    errno_is("an empty pipe is then again", __wasi_fd_read(0, &part, 1, &count), AGAIN);
    succeeds("nonblock is cleared", __wasi_fd_fdstat_set_flags(0, 0));
  } else {
    equals("a pipe at its end is ready, the clock is not", poll_input(2000 * MS), 1);
    is_true("the event is the pipe's too", events[0].userdata == 1 && events[0].error == 0);
    between("at once", time_of(__WASI_CLOCKID_MONOTONIC) - before, 0, 1500 * MS);
    succeeds("a pipe at its end is read", __wasi_fd_read(0, &part, 1, &count));
    equals("and gives nothing", count, 0);
    succeeds("and again", __wasi_fd_read(0, &part, 1, &count));
    equals("nothing", count, 0);
  }
  return finish();
}
