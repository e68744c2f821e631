/* args_get and environ_get as the raw functions give them, and as libc passes them on. */
#include "check.h"
#include <stdlib.h>

typedef __wasi_errno_t (*sizes_get)(__wasi_size_t *, __wasi_size_t *);
typedef __wasi_errno_t (*strings_get)(u8 **, u8 *);

static u8 *pointers[64];
static u8 buffer[4096];

/* Checks one of the two lists and prints its entries; `what` is "args" or "environ". */
static size_t check_list(const char *what, sizes_get sizes, strings_get get) {
  __wasi_size_t count = 12345, size = 12345;
  succeeds(join(what, "_sizes_get succeeds", ""), sizes(&count, &size));
  if (count >= 63 || size >= sizeof buffer) must("a list that fits", __WASI_ERRNO_2BIG);

  memset(pointers, '?', sizeof pointers);
  memset(buffer, '?', sizeof buffer);
  u8 *untouched = pointers[63];
  succeeds(join(what, "_get succeeds", ""), get(pointers, buffer));

  size_t at = 0;
  bool packed = true;
  for (size_t i = 0; i < count; i++) {
    packed = packed && pointers[i] == buffer + at;
    at += strlen((char *)buffer + at) + 1;
  }
  is_true(join(what, "_get packs the strings in order from the buffer's start", ""), packed);
  equals(join(what, "_sizes_get counts each string and its NUL", ""), size, at);
  is_true(join(what, "_get writes no pointer more", ""), pointers[count] == untouched);
  equals(join(what, "_get writes no byte more", ""), buffer[size], '?');
  note(what, count);
  for (size_t i = 0; i < count; i++) note_text(what, pointers[i], strlen((char *)pointers[i]));
  return count;
}

int main(int argc, char **argv) {
  size_t args = check_list("args", __wasi_args_sizes_get, __wasi_args_get);
  equals("main is given as many arguments as args_get", (u64)argc, args);
  bool same = true;
  for (int i = 0; i < argc; i++) same = same && strcmp(argv[i], (char *)pointers[i]) == 0;
  is_true("main is given the arguments of args_get", same && argv[argc] == NULL);

  size_t variables = check_list("environ", __wasi_environ_sizes_get, __wasi_environ_get);
  bool found = true;
  for (size_t i = 0; i < variables; i++) {
    const char *equal = strchr((char *)pointers[i], '=');
    if (equal == NULL) {
      found = false;
      continue;
    }
    char name[64] = {0};
    memcpy(name, pointers[i], (size_t)(equal - (char *)pointers[i]) % sizeof name);
    const char *value = getenv(name);
    found = found && value != NULL && strcmp(value, equal + 1) == 0;
  }
  is_true("getenv() finds each variable's value after the first equals sign", found);
  is_true("getenv() finds nothing else", getenv("MISSING") == NULL);
  return finish();
}
