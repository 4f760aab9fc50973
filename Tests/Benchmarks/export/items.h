// Products or orders of the simulated shop, as its API answers them: in memory, in the order of their ids, which are
// 1, 2, 3 …
#ifndef EXPORT_ITEMS_H
#define EXPORT_ITEMS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int64_t count;
  // JSON objects with commas between them.
  char *text;
  // Where each begins; one more than there are items.
  size_t *begins;
} Items;

// Reads a file with one JSON object a line. Ends the process when it can't.
Items items_read(const char *path);
// The text of items `after` + 1 to `after` + `count`, without a comma at its end.
const char *items_slice(const Items *items, int64_t after, int64_t count, size_t *bytes);

#endif
