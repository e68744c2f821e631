/* proc_raise signals nobody: whatever the signal, the guest gets an errno and both live on. */
#include "check.h"

int main(void) {
  static const char *const names[] = {
      "none", "hup",  "int",  "quit", "ill",  "trap", "abrt", "bus",  "fpe", "kill", "usr1",
      "segv", "usr2", "pipe", "alrm", "term", "chld", "cont", "stop", "tstp", "ttin", "ttou",
      "urg",  "xcpu", "xfsz", "vtalrm", "prof", "winch", "poll", "pwr", "sys"};
  /* POSIX: the signal 0 asks whether there is a process, and sends nothing. */
  int none = raw_proc_raise(0);
  is_true("proc_raise(none) returns", none >= 0 && none < 77);
  for (int signal = 1; signal < 31; signal++) {
    int error = raw_proc_raise(signal);
    is_true(join("proc_raise(", names[signal], ") returns an errno"), error > 0 && error < 77);
  }
  errno_is("proc_raise(31), which is no signal, is refused", raw_proc_raise(31), INVAL, NOSYS,
           NOTSUP);
  errno_is("proc_raise(-9) is refused", raw_proc_raise(-9), INVAL, NOSYS, NOTSUP);
  return finish();
}
