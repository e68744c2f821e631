/* Ends as its arguments say: `exit <how> <code>`. Standard output tells how far it came. */
#include "check.h"
#include <stdlib.h>

static void at_exit(void) {
  say("atexit");
  end_line();
}

int main(int argc, char **argv) {
  if (argc != 3) return 99;
  const char *how = argv[1];
  int code = atoi(argv[2]);
  if (atexit(at_exit) != 0) return 98;
  say("main");
  end_line();
  if (strcmp(how, "proc_exit") == 0) __wasi_proc_exit((u32)code);
  if (strcmp(how, "exit") == 0) exit(code);
  if (strcmp(how, "_Exit") == 0) _Exit(code);
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "return") == 0) return code;
  say("after");
  end_line();
  return 97;
}
