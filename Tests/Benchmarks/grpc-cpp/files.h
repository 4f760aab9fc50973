#ifndef BENCHMARK_FILES_H
#define BENCHMARK_FILES_H

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

// A PEM file. Ends the process when it can't be read: there is nothing to measure then.
inline std::string ReadFile(const char* path) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "%s: can't be read\n", path);
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

#endif
