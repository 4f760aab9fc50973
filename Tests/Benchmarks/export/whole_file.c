#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void fail(const char *what, const char *why) {
  fprintf(stderr, "export: %s: %s\n", what, why);
  exit(1);
}

void *allocate(size_t bytes) {
  void *memory = malloc(bytes);
  if (!memory) fail("memory", "there is not enough");
  return memory;
}

char *whole_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "r");
  struct stat about;
  if (!file || fstat(fileno(file), &about)) fail(path, strerror(errno));
  char *text = allocate((size_t)about.st_size + 1);
  if (fread(text, 1, (size_t)about.st_size, file) != (size_t)about.st_size) fail(path, "can't be read whole");
  fclose(file);
  text[about.st_size] = 0;
  *bytes = (size_t)about.st_size;
  return text;
}
