/* random_get, and sched_yield. */
#include "check.h"
#include <sys/random.h>
#include <unistd.h>

#define BIG 200001

static u8 bytes[BIG + 64], again[BIG + 64];

/* Whether every 64 bytes of random ones have several different values: chance fails 1 in 2^400. */
static bool looks_random(const u8 *from, size_t length) {
  for (size_t at = 0; at + 64 <= length; at += 64) {
    u32 different = 0;
    for (size_t i = 1; i < 64; i++) different += from[at + i] != from[at];
    if (different < 8) return false;
  }
  return true;
}

static void fill(size_t length) {
  const char *n = text_of(length);
  memset(bytes, '?', sizeof bytes);
  succeeds(join("random_get() of ", n, " bytes succeeds"), __wasi_random_get(bytes + 16, length));
  is_true(join("random_get() of ", n, " bytes fills them"), looks_random(bytes + 16, length));
  bool before = true, after = true;
  for (size_t i = 0; i < 16; i++) {
    before = before && bytes[i] == '?';
    after = after && bytes[16 + length + i] == '?';
  }
  is_true(join("random_get() of ", n, " bytes writes none before"), before);
  is_true(join("random_get() of ", n, " bytes writes none after"), after);
}

int main(void) {
  static const size_t lengths[] = {0, 1, 16, 255, 4096, 65535, 65536, 65537, 131073, BIG};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) fill(lengths[i]);

  must("random_get", __wasi_random_get(again, 65536));
  u32 same = 0;
  for (size_t i = 0; i < 65536; i++) same += again[i] == bytes[16 + i];
  between("two calls agree in about one byte of 256", same, 100, 500);
  same = 0;
  for (size_t i = 0; i < 65536; i++) same += bytes[16 + i] == bytes[16 + 65536 + i];
  between("so do two parts of one call", same, 100, 500);

  /* Small calls may come from a pool: all of a thousand must differ. */
  static u64 small[1000];
  for (int i = 0; i < 1000; i++) must("random_get", __wasi_random_get((u8 *)&small[i], 8));
  u32 repeated = 0;
  for (int i = 0; i < 1000; i++) {
    for (int j = 0; j < i; j++) repeated += small[i] == small[j];
  }
  equals("a thousand small calls give different bytes", repeated, 0);

  memset(bytes, 0, 256);
  equals("getentropy() succeeds", (u64)getentropy(bytes, 256), 0);
  is_true("getentropy() fills its bytes", looks_random(bytes, 256));
  bool yielded = true;
  for (int i = 0; i < 100; i++) yielded = yielded && __wasi_sched_yield() == 0;
  is_true("sched_yield() succeeds", yielded);
  return finish();
}
