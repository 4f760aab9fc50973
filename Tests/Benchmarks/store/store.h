// The store as Services/Inventory has it, for bare loops in C.
//
// Nothing of the store is written down twice: the driver hands over a fresh store that the inventory service has made
// itself (so table, indexes and page size are its own), and takes pragmas and statement from the service's sources.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <sqlite3.h>
#include <stdint.h>

typedef struct {
  sqlite3 *handle;
  sqlite3_stmt *begin, *commit, *upsert;
  int log_pages, checkpoint_pages;
} Store;

// Every function ends the process with a message when SQLite refuses.

// `pragmas` and `upsert` are files. The log is checkpointed from `checkpoint_pages` on.
void store_open(Store *store, const char *path, const char *pragmas, int checkpoint_pages, const char *upsert);
void store_close(Store *store);
void store_begin(Store *store);
void store_commit(Store *store);
// What the rows that follow have in common.
void store_set_snapshot(Store *store, int64_t created_on_seconds);
// Returns how many rows changed: 1, or 0 when the store holds a newer one.
int store_upsert(Store *store, const char *sku, int sku_length, int64_t quantity);
// To be called when those who waited for the commit have their answers.
void store_checkpoint_if_due(Store *store);

#endif
