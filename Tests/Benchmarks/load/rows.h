// The stock rows of every measurement, the same for the service and for the bare loops that it is compared with.
#ifndef LOAD_ROWS_H
#define LOAD_ROWS_H

#include <stdint.h>
#include <stdio.h>

#define AGGREGATE_ID "default"
#define CREATED_ON_SECONDS INT64_C(1750000000)

enum {
  // The most that one message may hold; the service commits each message by itself.
  ROWS_PER_MESSAGE = 10000,
  // The single-row updates go round these SKUs, so that most of them find a row to replace.
  UPDATED_SKUS = 10000,
  SKU_LIMIT = 16,
};

// Ascending, as an export by SKU is. Returns the length; `sku` ends with a NUL that is not counted.
static inline size_t row_sku(char sku[SKU_LIMIT], int64_t index) {
  return (size_t)snprintf(sku, SKU_LIMIT, "SKU-%08d", (int)index);
}

static inline int64_t row_quantity(int64_t index) { return index * 7919 % 1000; }

// Update number `index`: every round over the SKUs is a second newer than the one before.
static inline int64_t update_created_on(int64_t index) { return CREATED_ON_SECONDS + index / UPDATED_SKUS; }

#endif
