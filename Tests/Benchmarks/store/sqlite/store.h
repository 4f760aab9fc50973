// The store in a file as Services/Inventory has it, for bare loops in C.
//
// Nothing of the store is written down twice: the driver hands over a store that the inventory service has made itself (so
// tables, indexes and page size are its own), and takes pragmas and statements from the service's sources.
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include <sqlite3.h>

#include "../rows.h"

typedef struct {
  sqlite3 *handle;
  // In the order in which a message needs them; see driver/store_source.py for what each is.
  sqlite3_stmt *begin, *run, *range, *named, *upsert, *history, *target, *commit;
  int log_pages, checkpoint_pages;
  const SKU *skus;
  Stored stored[ROWS_PER_PART];
} Store;

// Every function ends the process with a message when SQLite refuses.

// `folder` has the pragmas and the statements. The log is checkpointed from `checkpoint_pages` on.
void store_open(Store *store, const char *path, const char *folder, int checkpoint_pages, const SKU *skus);
void store_close(Store *store);
void store_begin(Store *store);
void store_commit(Store *store);
// Returns how many rows were applied; the others are stale.
int store_apply(Store *store, const Message *message);
// To be called when those who waited for the commit have their answers.
void store_checkpoint_if_due(Store *store);

#endif
