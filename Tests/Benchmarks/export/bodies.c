#include "bodies.h"

#include <stdlib.h>

#include "whole_file.h"

// Goes on behind the body; returns false at the end.
static int next(char **at, const char *end, Body *body) {
  if (*at >= end) return 0;
  char *line_end;
  const size_t bytes = strtoull(*at, &line_end, 10);
  if (*line_end != '\n' || bytes == 0 || (size_t)(end - line_end) < bytes + 2) fail("record", "is cut off");
  *body = (Body){line_end + 1, bytes};
  *at = line_end + 1 + bytes + 1;
  return 1;
}

Body *bodies_read(const char *path, int64_t *count) {
  size_t bytes;
  char *text = whole_file(path, &bytes);
  Body body;
  *count = 0;
  for (char *at = text; next(&at, text + bytes, &body);) ++*count;
  Body *all = allocate((size_t)(*count + 1) * sizeof *all);
  Body *to = all;
  for (char *at = text; next(&at, text + bytes, to);) to++;
  return all;
}
