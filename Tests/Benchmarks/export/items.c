#include "items.h"

#include <string.h>

#include "whole_file.h"

Items items_read(const char *path) {
  size_t bytes;
  Items items = {.text = whole_file(path, &bytes)};
  for (size_t i = 0; i < bytes; i++) items.count += items.text[i] == '\n';
  items.begins = allocate((size_t)(items.count + 1) * sizeof *items.begins);
  int64_t item = 0;
  items.begins[0] = 0;
  for (char *end = items.text; (end = memchr(end, '\n', bytes - (size_t)(end - items.text))); end++) {
    *end = ',';
    items.begins[++item] = (size_t)(end + 1 - items.text);
  }
  return items;
}

const char *items_slice(const Items *items, int64_t after, int64_t count, size_t *bytes) {
  const size_t begin = items->begins[after], end = items->begins[after + count];
  *bytes = count > 0 ? end - begin - 1 : 0;
  return items->text + begin;
}
