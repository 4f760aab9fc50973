// What bare loops have in common whatever the store: the SKUs' texts, made before the clock starts, and the rule of the history.
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "../load/rows.h"

// Of all SKUs of this benchmark, see row_sku().
enum { SKU_LENGTH = 12 };

// The texts of SKUs number 0 to count - 1.
typedef char SKU[SKU_LIMIT];
SKU *skus_make(int64_t count);

// What the store holds of a SKU before a message.
typedef struct {
  bool exists;
  int64_t quantity, unlimited, created_on;
} Stored;

static inline int64_t nanoseconds(int64_t seconds) { return seconds * 1000000000; }

// What the service does with a row, see StockStore+Apply.swift: an older one is stale, and one that changes a stored value has a
// row in the history.
static inline bool is_stale(const Stored *stored, const Message *message) {
  return stored->exists && nanoseconds(message->created_on_seconds) < stored->created_on;
}

static inline bool has_history(const Stored *stored, const Message *message, int row) {
  return stored->exists && !is_stale(stored, message) &&
         (stored->quantity != message_quantity(message, row) || stored->unlimited != 0);
}

// Fills in what a reading of the store in the order of SKUs has found; `next` is the row that is looked for.
void stored_merge(Stored *stored, int *next, const Message *message, const SKU *skus, const char *sku, size_t length,
                  Stored found);

// The rest of a message's SKUs from row `from` on, as JSON: what the service looks up by name. The caller frees it.
char *skus_as_json(const Message *message, int from, const SKU *skus);

// The wall clock, in nanoseconds since 1970.
int64_t now_nanoseconds(void);

// The contents of a file in a folder; ends the process when it can't be read. The caller frees it.
char *text_read(const char *folder, const char *name);

#endif
