// Jumps out of a recursion.
#include <setjmp.h>
#include <stdio.h>

static jmp_buf place;

static void down(int depth) {
  if (depth == 0) longjmp(place, 42);
  down(depth - 1);
}

int main(void) {
  volatile int times = 0;
  int value = setjmp(place);
  times++;
  if (value == 0) down(5);
  printf("%d after %d\n", value, times);
  if (times < 3) down(1);
  return 0;
}
