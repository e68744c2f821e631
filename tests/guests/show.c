/* Shows what it was given and ends as it is told: for the tests of the command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void args(char **argv) {
  for (; *argv; argv++) printf("[%s]\n", *argv);
}

/* lines N: so many lines, "guest: " and a number in 12 digits each: 20 bytes */
static void lines(int count) {
  for (int i = 0; i < count; i++) printf("guest: %012d\n", i);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int number = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(what, "env")) args(environ);
  else if (!strcmp(what, "exit")) _Exit(number);
  else if (!strcmp(what, "lines")) lines(number);
  else if (!strcmp(what, "loop")) for (;;) number++;
  else if (!strcmp(what, "sleep")) sleep(number);
  else if (!strcmp(what, "abort")) abort();
  else args(argv);
  return 0;
}
