#include "rows.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *made(void *memory) {
  if (memory) return memory;
  fprintf(stderr, "store: no memory\n");
  exit(1);
}

SKU *skus_make(int64_t count) {
  SKU *skus = made(calloc((size_t)count, sizeof *skus));
  for (int64_t i = 0; i < count; i++) {
    if (row_sku(skus[i], i) == SKU_LENGTH) continue;
    fprintf(stderr, "store: SKU %lld is too long\n", (long long)i);
    exit(1);
  }
  return skus;
}

void stored_merge(Stored *stored, int *next, const Message *message, const SKU *skus, const char *sku, size_t length,
                  Stored found) {
  if (length != SKU_LENGTH) return;
  int order = -1;
  while (*next < message->rows && (order = memcmp(skus[message_sku(message, *next)], sku, SKU_LENGTH)) < 0) ++*next;
  if (*next < message->rows && order == 0) stored[(*next)++] = found;
}

char *skus_as_json(const Message *message, int from, const SKU *skus) {
  char *text = made(malloc((size_t)(message->rows - from) * (SKU_LENGTH + 3) + 3)), *end = text;
  *end++ = '[';
  for (int row = from; row < message->rows; row++) {
    *end++ = '"';
    memcpy(end, skus[message_sku(message, row)], SKU_LENGTH);
    end += SKU_LENGTH;
    *end++ = '"';
    *end++ = row + 1 < message->rows ? ',' : ']';
  }
  *end = 0;
  return text;
}

int64_t now_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

char *text_read(const char *folder, const char *name) {
  enum { LIMIT = 64 << 10 };
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  char *text = made(calloc(1, LIMIT));
  if (!file || fread(text, 1, LIMIT - 1, file) == 0) {
    fprintf(stderr, "store: %s cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  return text;
}
