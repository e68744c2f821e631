// Adds with vectors of 128 bits, and calls itself without a growing stack.
#include <stdio.h>
#include <wasm_simd128.h>

static long count(long left, long sum) {
  if (left == 0) return sum;
  __attribute__((musttail)) return count(left - 1, sum + left % 7);
}

int main(void) {
  v128_t total = wasm_i32x4_splat(0);
  for (int i = 0; i < 100; i++) total = wasm_i32x4_add(total, wasm_i32x4_make(i, 2 * i, 3 * i, 4 * i));
  printf("%d %d %d %d\n", wasm_i32x4_extract_lane(total, 0), wasm_i32x4_extract_lane(total, 1),
         wasm_i32x4_extract_lane(total, 2), wasm_i32x4_extract_lane(total, 3));
  printf("%ld\n", count(7000000, 0));
  return 0;
}
