/* The four clocks: their times, their resolutions, and numbers that name no clock. */
#include "check.h"
#include <sys/time.h>
#include <time.h>

#define SECOND 1000000000u

static void check_clock(const char *name, __wasi_clockid_t clock) {
  __wasi_timestamp_t resolution = 0, first = 0, second = 0;
  succeeds(join("clock_res_get(", name, ") succeeds"), __wasi_clock_res_get(clock, &resolution));
  between(join("clock_res_get(", name, ") is 1 ns to 1 s"), resolution, 1, SECOND);
  succeeds(join("clock_time_get(", name, ") succeeds"), __wasi_clock_time_get(clock, 1, &first));
  succeeds(join("clock_time_get(", name, ") accepts a precision of 0"),
           __wasi_clock_time_get(clock, 0, &second));
}

int main(void) {
  check_clock("realtime", __WASI_CLOCKID_REALTIME);
  check_clock("monotonic", __WASI_CLOCKID_MONOTONIC);
  check_clock("process_cputime_id", __WASI_CLOCKID_PROCESS_CPUTIME_ID);
  check_clock("thread_cputime_id", __WASI_CLOCKID_THREAD_CPUTIME_ID);

  note("realtime", time_of(__WASI_CLOCKID_REALTIME));

  bool forward = true;
  u64 start = time_of(__WASI_CLOCKID_MONOTONIC), last = start;
  for (int i = 0; i < 10000; i++) {
    u64 now = time_of(__WASI_CLOCKID_MONOTONIC);
    forward = forward && now >= last;
    last = now;
  }
  is_true("the monotonic clock never goes back", forward);
  is_true("the monotonic clock goes on", last > start);

  /* Work until 30 ms have passed: processor time passes with it, and not (much) faster. */
  static const __wasi_clockid_t cpu[] = {__WASI_CLOCKID_PROCESS_CPUTIME_ID,
                                         __WASI_CLOCKID_THREAD_CPUTIME_ID};
  static const char *const names[] = {"process_cputime_id", "thread_cputime_id"};
  for (int i = 0; i < 2; i++) {
    u64 used = time_of(cpu[i]);
    start = time_of(__WASI_CLOCKID_MONOTONIC);
    while (time_of(__WASI_CLOCKID_MONOTONIC) - start < 30000000) continue;
    is_true(join(names[i], " goes on while the guest works", ""), time_of(cpu[i]) > used);
  }

  struct timespec now;
  u64 before = time_of(__WASI_CLOCKID_REALTIME);
  is_true("clock_gettime(CLOCK_REALTIME) succeeds", clock_gettime(CLOCK_REALTIME, &now) == 0);
  between("clock_gettime(CLOCK_REALTIME) tells clock_time_get()'s time",
          (u64)now.tv_sec * SECOND + (u64)now.tv_nsec, before, before + 5 * (u64)SECOND);
  between("time() tells clock_time_get()'s seconds", (u64)time(NULL), before / SECOND,
          before / SECOND + 5);
  return finish();
}
