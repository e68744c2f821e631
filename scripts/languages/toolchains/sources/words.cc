// Counts its arguments, sorts numbers that it reads, and writes a file.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

int main(int argc, char **argv) {
  std::map<std::string, int> words;
  for (int i = 1; i < argc; i++) words[argv[i]]++;
  for (const auto &[word, count] : words) std::cout << word << "=" << count << "\n";
  std::vector<double> numbers;
  for (double number; std::cin >> number;) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  for (double number : numbers) std::cout << number << " ";
  std::cout << std::endl;
  // not <fstream>: Debian's library has none for WASI
  if (std::FILE *file = std::fopen("out.txt", "w")) {
    std::fprintf(file, "%zu numbers\n", numbers.size());
    std::fclose(file);
  }
  std::cout << (std::fopen("none.txt", "r") != nullptr) << std::endl;
  return words.size();
}
