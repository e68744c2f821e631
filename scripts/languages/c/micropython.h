/* How MicroPython's port for Unix is configured, and what it wants of POSIX that WASI does not have. */
#include <unistd.h>

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#include "../mpconfigvariant_common.h"

#define MICROPY_NLR_SETJMP (1)
#define MICROPY_GCREGS_SETJMP (1)

/* the numbers of poll() are not Linux's */
#undef MICROPY_PY_SELECT_POSIX_OPTIMISATIONS
#define MICROPY_PY_SELECT_POSIX_OPTIMISATIONS (0)

/* statvfs() fails */
#undef MICROPY_PY_OS_STATVFS
#define MICROPY_PY_OS_STATVFS (0)

/* no signal comes */
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)
struct sigaction {
  int sa_flags, sa_mask;
  void (*sa_handler)(int);
};
#define sigemptyset(set) (*(set) = 0)
#define sigaction(signal, new, old) ((void)(new))

#define _HAVE_GETRANDOM
#define getrandom(bytes, length, flags) getentropy(bytes, length)
