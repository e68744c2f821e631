/* poll_oneoff. */
#include "check.h"
#include <poll.h>
#include <time.h>

#define MS 1000000u
#define REALTIME __WASI_CLOCKID_REALTIME
#define MONOTONIC __WASI_CLOCKID_MONOTONIC
#define ABSOLUTE __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME

static __wasi_event_t events[8];

static __wasi_subscription_t on_clock(u64 userdata, __wasi_clockid_t clock, u64 timeout,
                                      u32 flags) {
  __wasi_subscription_t s;
  memset(&s, 0, sizeof s);
  s.userdata = userdata;
  s.u.tag = __WASI_EVENTTYPE_CLOCK;
  s.u.u.clock.id = clock;
  s.u.u.clock.timeout = timeout;
  s.u.u.clock.precision = 0;
  s.u.u.clock.flags = (__wasi_subclockflags_t)flags;
  return s;
}

static __wasi_subscription_t on_fd(u64 userdata, int type, fd_t fd) {
  __wasi_subscription_t s;
  memset(&s, 0, sizeof s);
  s.userdata = userdata;
  s.u.tag = (__wasi_eventtype_t)type;
  s.u.u.fd_read.file_descriptor = fd;
  return s;
}

/* Returns the number of events; the rest of `events` keeps its question marks. */
static size_t poll_some(const char *sentence, const __wasi_subscription_t *subscriptions,
                        size_t count) {
  __wasi_size_t happened = 12345;
  memset(events, '?', sizeof events);
  succeeds(sentence, __wasi_poll_oneoff(subscriptions, events, count, &happened));
  between(join(sentence, ": events are at most as many as subscriptions", ""), happened, 1, count);
  const u8 *rest = (const u8 *)&events[happened < 8 ? happened : 7];
  bool untouched = true;
  for (size_t i = 0; i < sizeof *events; i++) untouched = untouched && rest[i] == '?';
  is_true(join(sentence, ": no event more is written", ""), untouched);
  return happened < 8 ? happened : 0;
}

static const __wasi_event_t *event_of(u64 userdata, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (events[i].userdata == userdata) return &events[i];
  }
  return NULL;
}

static void is_clock_event(const char *name, size_t count, u64 userdata) {
  const __wasi_event_t *event = event_of(userdata, count);
  is_true(join(name, ": the event carries the userdata", ""), event != NULL);
  equals(join(name, ": the event is no error", ""), event == NULL ? 12345 : event->error, 0);
  equals(join(name, ": the event is the clock's", ""), event == NULL ? 12345 : event->type,
         __WASI_EVENTTYPE_CLOCK);
}

/* A wait of 30 ms: over when its clock says so, and not much later. */
static void wait(const char *name, __wasi_clockid_t clock, bool absolute) {
  u64 before = time_of(MONOTONIC), start = time_of(clock);
  __wasi_subscription_t s = on_clock(0xfeedfacecafebeef, clock,
                                     absolute ? start + 30 * MS : 30 * MS, absolute ? ABSOLUTE : 0);
  size_t count = poll_some(name, &s, 1);
  u64 passed = time_of(clock) - start;
  is_clock_event(name, count, 0xfeedfacecafebeef);
  between(join(name, ": its clock went on by 30 ms, not by 2 s", ""), passed, 30 * MS, 2000 * MS);
  between(join(name, ": it took no 2 s", ""), time_of(MONOTONIC) - before, 0, 2000 * MS);
}

static void over_already(const char *name, __wasi_clockid_t clock, u64 timeout, u32 flags) {
  u64 before = time_of(MONOTONIC);
  __wasi_subscription_t s = on_clock(7, clock, timeout, flags);
  size_t count = poll_some(name, &s, 1);
  is_clock_event(name, count, 7);
  between(join(name, ": it returns at once", ""), time_of(MONOTONIC) - before, 0, 500 * MS);
}

static void clocks(void) {
  wait("a relative monotonic clock", MONOTONIC, false);
  wait("an absolute monotonic clock", MONOTONIC, true);
  wait("a relative realtime clock", REALTIME, false);
  wait("an absolute realtime clock", REALTIME, true);
  over_already("a relative time of 0", MONOTONIC, 0, 0);
  over_already("a relative time of 1 ns", REALTIME, 1, 0);
  over_already("an absolute monotonic time of 0", MONOTONIC, 0, ABSOLUTE);
  over_already("an absolute realtime second of 1970", REALTIME, 1000 * MS, ABSOLUTE);
  over_already("an absolute monotonic time just over", MONOTONIC, time_of(MONOTONIC), ABSOLUTE);

  /* Processor time passes only while something works: an absolute time that is over is ready. */
  static const u32 cpu[] = {__WASI_CLOCKID_PROCESS_CPUTIME_ID, __WASI_CLOCKID_THREAD_CPUTIME_ID};
  for (int i = 0; i < 2; i++) {
    __wasi_subscription_t s = on_clock(9, cpu[i], 0, ABSOLUTE);
    __wasi_size_t count = 0;
    memset(events, 0, sizeof events);
    int error = __wasi_poll_oneoff(&s, events, 1, &count);
    if (error == 0) error = events[0].error;
    errno_is(join("a processor time that is over is ready or refused: clock ", text_of(cpu[i]), ""),
             error, SUCCESS, INVAL, NOTSUP);
  }

  __wasi_subscription_t three[] = {on_clock(1, MONOTONIC, 5000 * MS, 0),
                                   on_clock(2, MONOTONIC, 20 * MS, 0),
                                   on_clock(3, REALTIME, 6000 * MS, 0)};
  u64 before = time_of(MONOTONIC);
  size_t count = poll_some("three clocks", three, 3);
  between("three clocks: the earliest ends it", time_of(MONOTONIC) - before, 20 * MS, 4000 * MS);
  equals("three clocks: only the earliest is told", count, 1);
  is_clock_event("three clocks", count, 2);

  __wasi_subscription_t two[] = {on_clock(1, MONOTONIC, 0, 0), on_clock(2, REALTIME, 0, 0)};
  count = poll_some("two clocks that are over", two, 2);
  equals("two clocks that are over: both are told", count, 2);
  is_clock_event("the first of two clocks that are over", count, 1);
  is_clock_event("the second of two clocks that are over", count, 2);
}

static void files(void) {
  make_file(ROOT, "file", "0123456789");
  fd_t fd = open_file(ROOT, "file", 0, FILE_RIGHTS, 0);
  __wasi_filesize_t position;
  must("seek", __wasi_fd_seek(fd, 4, __WASI_WHENCE_SET, &position));

  __wasi_subscription_t both[] = {on_clock(1, MONOTONIC, 5000 * MS, 0),
                                  on_fd(2, __WASI_EVENTTYPE_FD_READ, fd),
                                  on_fd(3, __WASI_EVENTTYPE_FD_WRITE, fd)};
  u64 before = time_of(MONOTONIC);
  size_t count = poll_some("a file and a clock", both, 3);
  between("a file and a clock: it returns at once", time_of(MONOTONIC) - before, 0, 4000 * MS);
  equals("a file and a clock: the file is ready twice, the clock is not", count, 2);
  const __wasi_event_t *read = event_of(2, count), *write = event_of(3, count);
  is_true("a file is ready to be read",
          read != NULL && read->error == 0 && read->type == __WASI_EVENTTYPE_FD_READ);
  is_true("a file is ready to be written",
          write != NULL && write->error == 0 && write->type == __WASI_EVENTTYPE_FD_WRITE);
  between("a file tells bytes to be read", read == NULL ? 0 : read->fd_readwrite.nbytes, 1, 10);
  equals("a file has not hung up", read == NULL ? 12345 : read->fd_readwrite.flags, 0);

  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_END, &position));
  count = poll_some("a file at its end", &both[1], 1);
  equals("a file at its end is ready, as it always is", count, 1);

  __wasi_subscription_t streams[] = {on_fd(10, __WASI_EVENTTYPE_FD_READ, 0),
                                     on_fd(11, __WASI_EVENTTYPE_FD_WRITE, 1),
                                     on_fd(12, __WASI_EVENTTYPE_FD_WRITE, 2)};
  count = poll_some("standard streams that are files", streams, 3);
  equals("standard streams that are files are all ready", count, 3);
  is_true("each with its userdata", event_of(10, count) && event_of(11, count) &&
                                        event_of(12, count));

  /* Nothing was consumed. */
  must("seek", __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  u8 got[16];
  same_bytes("polling reads nothing", got, read_all(fd, got, sizeof got), "0123456789", 10);
  close_fd(fd);

  __wasi_subscription_t bad[] = {on_fd(20, __WASI_EVENTTYPE_FD_READ, fd),
                                 on_fd(21, __WASI_EVENTTYPE_FD_WRITE, CLOSED),
                                 on_clock(22, MONOTONIC, 5000 * MS, 0)};
  before = time_of(MONOTONIC);
  count = poll_some("closed descriptors and a clock", bad, 3);
  between("closed descriptors and a clock: it returns at once", time_of(MONOTONIC) - before, 0,
          4000 * MS);
  const __wasi_event_t *first = event_of(20, count), *second = event_of(21, count);
  errno_is("a closed descriptor to be read is an event with badf",
           first == NULL ? 12345 : first->error, BADF);
  errno_is("a descriptor never opened to be written is an event with badf",
           second == NULL ? 12345 : second->error, BADF);
  is_true("their events have their types", first != NULL && second != NULL &&
                                               first->type == __WASI_EVENTTYPE_FD_READ &&
                                               second->type == __WASI_EVENTTYPE_FD_WRITE);
}

static void refusals(void) {
  __wasi_subscription_t s = on_clock(1, MONOTONIC, 0, 0);
  __wasi_size_t count = 12345;
  errno_is("no subscriptions are inval", __wasi_poll_oneoff(&s, events, 0, &count), INVAL);
  s = on_clock(1, 99, 0, 0);
  memset(events, 0, sizeof events);
  int error = __wasi_poll_oneoff(&s, events, 1, &count);
  if (error == 0) error = events[0].error;
  errno_is("an unknown clock is inval, or an event with it", error, INVAL, NOTSUP);
  s = on_fd(1, 3, 0);
  errno_is("an unknown type of event is inval", __wasi_poll_oneoff(&s, events, 1, &count), INVAL);
}

static void libc(void) {
  u64 before = time_of(MONOTONIC);
  struct timespec wait = {0, 15 * MS};
  equals("nanosleep() succeeds", (u64)nanosleep(&wait, NULL), 0);
  between("nanosleep() sleeps", time_of(MONOTONIC) - before, 15 * MS, 2000 * MS);
  struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
  equals("poll() finds two streams ready", (u64)poll(fds, 2, 5000), 2);
  is_true("poll() tells what they are ready for",
          (fds[0].revents & POLLIN) != 0 && (fds[1].revents & POLLOUT) != 0);
}

int main(void) {
  clocks();
  files();
  libc();
  refusals();
  return finish();
}
