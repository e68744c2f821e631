// zig cc: -mcpu=generic+atomics+bulk_memory -Wl,--import-memory,--export-memory,--shared-memory,--max-memory=16777216 -Wl,--stack,131072
/*
 * Threads over `wasi.thread-spawn`, without a library: each has a stack of its own and nothing
 * that is local to threads.
 *
 *   threads count T N     T threads at once add 1 to a number N times each, under a lock
 *   threads spawn N       N threads, one after another
 *   threads most          starts threads that wait until there can be no more; prints how many
 *   threads files         one thread opens, another reads on, a third closes
 *   threads end HOW WHO ME OTHERS
 *       HOW: exit trap return; WHO: main or thread does it; what main or the others do meanwhile:
 *       loop, fill (memory), wait (for another thread), sleep, read (standard input), call
 *   threads grow          one thread makes the memory grow, another reads a file into what is new
 *   threads race N        many threads call at once: read, write, open and close the same files
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int thread_spawn(void *arg);

typedef struct {
  void *stack; // first: wasi_thread_start finds it there
  void (*work)(int tid, void *arg);
  void *arg;
  int done;
} thread;

__asm__(
  ".globaltype __stack_pointer, i32\n"
  ".functype run_thread (i32, i32) -> ()\n"
  ".globl wasi_thread_start\n"
  ".export_name wasi_thread_start, wasi_thread_start\n"
  ".type wasi_thread_start,@function\n"
  "wasi_thread_start:\n"
  "  .functype wasi_thread_start (i32, i32) -> ()\n"
  "  local.get 1\n"
  "  i32.load 0\n"
  "  global.set __stack_pointer\n"
  "  local.get 0\n"
  "  local.get 1\n"
  "  call run_thread\n"
  "  end_function\n");

static int load(int *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static int add(int *at, int n) { return __atomic_fetch_add(at, n, __ATOMIC_SEQ_CST); }
static void store(int *at, int n) { __atomic_store_n(at, n, __ATOMIC_SEQ_CST); }
static void wake(int *at) { __builtin_wasm_memory_atomic_notify(at, -1); }
static void wait_while(int *at, int n) {
  while (load(at) == n) __builtin_wasm_memory_atomic_wait32(at, n, -1);
}

__attribute__((used)) void run_thread(int tid, thread *self) {
  self->work(tid, self->arg);
  store(&self->done, 1);
  wake(&self->done);
}

enum { STACK = 16384 };

static int start(thread *t, void (*work)(int, void *), void *arg) {
  if (t->stack == NULL) t->stack = (char *)malloc(STACK) + STACK;
  t->work = work;
  t->arg = arg;
  t->done = 0;
  return thread_spawn(t);
}

static void join(thread *t) { wait_while(&t->done, 0); }

static void fail(const char *what, int code) {
  printf("%s: %d\n", what, code);
  exit(1);
}

/* count */

static int lock, number, rounds;

static void counting(int tid, void *arg) {
  (void)tid, (void)arg;
  for (int i = 0; i < rounds; i++) {
    int free = 0;
    while (!__atomic_compare_exchange_n(&lock, &free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      __builtin_wasm_memory_atomic_wait32(&lock, 1, -1);
      free = 0;
    }
    number++;
    store(&lock, 0);
    __builtin_wasm_memory_atomic_notify(&lock, 1);
  }
}

static int count(int threads, int n) {
  static thread all[256];
  rounds = n;
  for (int i = 0; i < threads; i++) {
    int tid = start(&all[i], counting, NULL);
    if (tid <= 0) fail("thread-spawn", tid);
  }
  for (int i = 0; i < threads; i++) join(&all[i]);
  printf("%d\n", number);
  return 0;
}

/* spawn */

static void numbering(int tid, void *arg) { add(arg, tid > 0 && tid < 0x20000000); }

static int spawn(int n) {
  static thread one;
  int sum = 0;
  for (int i = 0; i < n; i++) {
    int tid = start(&one, numbering, &sum);
    if (tid <= 0) fail("thread-spawn", tid);
    join(&one);
  }
  printf("%d\n", sum);
  return 0;
}

/* most */

static int go;

static void waiting(int tid, void *arg) {
  (void)tid, (void)arg;
  wait_while(&go, 0);
}

static int most(void) {
  static thread all[512];
  int n = 0, tid = 0;
  while (n < 512 && (tid = start(&all[n], waiting, NULL)) > 0) n++;
  store(&go, 1);
  wake(&go);
  for (int i = 0; i < n; i++) join(&all[i]);
  // all of them have ended, so there is room again
  static thread more;
  int again = start(&more, waiting, NULL);
  if (again <= 0) fail("after the others", again);
  join(&more);
  printf("%d threads, then %d\n", n, tid);
  return 0;
}

/* files */

static __wasi_fd_t shared_fd;
static char text[64];
static int length, failed;

static void opening(int tid, void *arg) {
  (void)tid, (void)arg;
  failed = __wasi_path_open(3, 0, "file", 0, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK, 0, 0,
                            &shared_fd);
}

static void reading(int tid, void *arg) {
  (void)tid, (void)arg;
  __wasi_iovec_t iov = {(uint8_t *)text + length, 4};
  __wasi_size_t n = 0;
  failed = __wasi_fd_read(shared_fd, &iov, 1, &n);
  length += n;
}

static void closing(int tid, void *arg) {
  (void)tid, (void)arg;
  failed = __wasi_fd_close(shared_fd);
}

static void then(const char *what, void (*work)(int, void *)) {
  static thread one;
  failed = -1;
  start(&one, work, NULL);
  join(&one);
  printf("%s %d\n", what, failed);
}

static int files(void) {
  then("open", opening);
  then("read", reading);
  reading(0, NULL);
  printf("main reads %d\n", failed);
  then("read", reading);
  printf("%.*s\n", length, text);
  then("close", closing);
  then("read", reading);
  then("close", closing);
  closing(0, NULL);
  printf("main closes %d\n", failed);
  return 0;
}

/* end */

static volatile int sink;

static void sleep_long(void) {
  __wasi_subscription_t sub = {0};
  __wasi_event_t event;
  __wasi_size_t n;
  sub.u.tag = __WASI_EVENTTYPE_CLOCK;
  sub.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  sub.u.u.clock.timeout = 1000000000000;
  (void)!__wasi_poll_oneoff(&sub, &event, 1, &n);
}

static void be_busy(const char *how) {
  static int never;
  static char area[65536];
  char byte;
  __wasi_iovec_t iov = {(uint8_t *)&byte, 1};
  __wasi_size_t n;
  for (;;) {
    if (strcmp(how, "loop") == 0) {
      for (;;) sink++;
    } else if (strcmp(how, "fill") == 0) {
      for (;;) {
        __builtin_memset(area, sink, sizeof area);
        sink++;
      }
    } else if (strcmp(how, "wait") == 0) {
      __builtin_wasm_memory_atomic_wait32(&never, 0, -1);
    } else if (strcmp(how, "sleep") == 0) {
      sleep_long();
    } else if (strcmp(how, "read") == 0) {
      (void)!__wasi_fd_read(0, &iov, 1, &n);
    } else if (strcmp(how, "call") == 0) {
      (void)!__wasi_fd_read(99, &iov, 1, &n);
    }
  }
}

static void end(const char *how) {
  if (strcmp(how, "exit") == 0) __wasi_proc_exit(42);
  if (strcmp(how, "trap") == 0) __builtin_trap();
}

static char **words;
static int arrived;

static void busy_thread(int tid, void *arg) {
  (void)tid, (void)arg;
  add(&arrived, 1);
  wake(&arrived);
  be_busy(words[3]);
}

static void ending_thread(int tid, void *arg) {
  (void)tid, (void)arg;
  wait_while(&arrived, 0);
  end(words[0]);
}

static int ending(char **given) {
  static thread busy, ender;
  words = given;
  int mine = strcmp(words[1], "main") == 0;
  start(&busy, busy_thread, NULL);
  if (!mine) start(&ender, ending_thread, NULL);
  wait_while(&arrived, 0);
  if (!mine) be_busy(words[2]);
  end(words[0]);
  return 7;
}

/* grow */

static char *fresh;

static void growing(int tid, void *arg) {
  (void)tid, (void)arg;
  fresh = (char *)(__builtin_wasm_memory_grow(0, 16) * 65536);
}

static int grow(void) {
  then("grow", growing);
  then("open", opening);
  __wasi_iovec_t iov = {(uint8_t *)fresh + 15 * 65536, 4};
  __wasi_size_t n = 0;
  int error = __wasi_fd_read(shared_fd, &iov, 1, &n);
  printf("read %d: %.*s\n", error, (int)n, (char *)iov.buf);
  return 0;
}

/* race */

static void racing(int tid, void *arg) {
  (void)arg;
  char name[16], bytes[32];
  snprintf(name, sizeof name, "r%d", tid % 3);
  for (int i = 0; i < rounds; i++) {
    __wasi_fd_t fd;
    __wasi_size_t n;
    int error = __wasi_path_open(3, 0, name, __WASI_OFLAGS_CREAT,
                                 __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE |
                                   __WASI_RIGHTS_FD_SEEK,
                                 0, 0, &fd);
    if (error != 0) fail("open", error);
    __wasi_ciovec_t out = {(const uint8_t *)name, 2};
    if ((error = __wasi_fd_write(fd, &out, 1, &n)) != 0) fail("write", error);
    __wasi_iovec_t in = {(uint8_t *)bytes, sizeof bytes};
    if ((error = __wasi_fd_pread(fd, &in, 1, 0, &n)) != 0) fail("read", error);
    if (n != 2 || memcmp(bytes, name, 2) != 0) fail("bytes", n);
    if ((error = __wasi_fd_close(fd)) != 0) fail("close", error);
    add(&number, 1);
  }
}

static int race(int n) {
  static thread all[8];
  rounds = n;
  for (int i = 0; i < 8; i++) start(&all[i], racing, NULL);
  for (int i = 0; i < 8; i++) join(&all[i]);
  printf("%d\n", number);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "count") == 0 && argc == 4) return count(atoi(argv[2]), atoi(argv[3]));
  if (strcmp(what, "spawn") == 0 && argc == 3) return spawn(atoi(argv[2]));
  if (strcmp(what, "most") == 0) return most();
  if (strcmp(what, "files") == 0) return files();
  if (strcmp(what, "end") == 0 && argc == 6) return ending(argv + 2);
  if (strcmp(what, "grow") == 0) return grow();
  if (strcmp(what, "race") == 0 && argc == 3) return race(atoi(argv[2]));
  return 2;
}
