// Throws through frames with destructors, and rethrows.
#include <cstdio>
#include <stdexcept>
#include <string>

struct Guard {
  const char *name;
  ~Guard() { std::printf("left %s\n", name); }
};

static int inner(int number) {
  Guard guard{"inner"};
  if (number > 2) throw std::out_of_range("it is " + std::to_string(number));
  return number;
}

static int outer(int number) {
  Guard guard{"outer"};
  try {
    return inner(number);
  } catch (const std::logic_error &) {
    std::puts("rethrown");
    throw;
  }
}

int main() {
  std::printf("%d\n", outer(1));
  try {
    outer(3);
  } catch (const std::exception &error) {
    std::printf("caught: %s\n", error.what());
  }
  try {
    throw 42;
  } catch (...) {
    std::puts("caught something");
  }
}
