#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load/rows.h"

static void require(Store *store, int code, int expected, const char *what) {
  if (code == expected) return;
  fprintf(stderr, "store: %s: %s\n", what, store->handle ? sqlite3_errmsg(store->handle) : sqlite3_errstr(code));
  exit(1);
}

static char *read_text(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = calloc(1, 64 << 10);
  if (!file || !text || fread(text, 1, (64 << 10) - 1, file) == 0) {
    fprintf(stderr, "store: %s cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  return text;
}

static sqlite3_stmt *prepare(Store *store, const char *sql) {
  sqlite3_stmt *statement = NULL;
  const int code = sqlite3_prepare_v3(store->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  require(store, code, SQLITE_OK, sql);
  return statement;
}

static int note_log(void *context, sqlite3 *handle, const char *name, int pages) {
  (void)handle, (void)name;
  ((Store *)context)->log_pages = pages;
  return SQLITE_OK;
}

void store_open(Store *store, const char *path, const char *pragmas, int checkpoint_pages, const char *upsert) {
  memset(store, 0, sizeof *store);
  store->checkpoint_pages = checkpoint_pages;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  require(store, sqlite3_open_v2(path, &store->handle, flags, NULL), SQLITE_OK, path);
  // Takes the place of SQLite's automatic checkpoint, as in Shared/Storage.
  sqlite3_wal_hook(store->handle, note_log, store);
  char *pragma_text = read_text(pragmas), *upsert_text = read_text(upsert);
  require(store, sqlite3_exec(store->handle, pragma_text, NULL, NULL, NULL), SQLITE_OK, pragma_text);
  store->begin = prepare(store, "BEGIN IMMEDIATE");
  store->commit = prepare(store, "COMMIT");
  store->upsert = prepare(store, upsert_text);
  const int parameters = sqlite3_bind_parameter_count(store->upsert);
  if (parameters != 6) {
    fprintf(stderr, "store: the service's upsert has %d parameters instead of 6; adapt store.c\n", parameters);
    exit(1);
  }
  free(pragma_text);
  free(upsert_text);
}

void store_close(Store *store) {
  sqlite3_finalize(store->begin);
  sqlite3_finalize(store->commit);
  sqlite3_finalize(store->upsert);
  require(store, sqlite3_close(store->handle), SQLITE_OK, "close");
}

static void run(Store *store, sqlite3_stmt *statement) {
  require(store, sqlite3_step(statement), SQLITE_DONE, sqlite3_sql(statement));
  sqlite3_reset(statement);
}

void store_begin(Store *store) { run(store, store->begin); }

void store_commit(Store *store) { run(store, store->commit); }

void store_checkpoint_if_due(Store *store) {
  if (store->log_pages < store->checkpoint_pages) return;
  const int code = sqlite3_wal_checkpoint_v2(store->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  require(store, code, SQLITE_OK, "checkpoint");
}

// The statement's parameters: aggregate_id, sku, quantity, unlimited, created_on in nanoseconds, by_nonzero.
void store_set_snapshot(Store *store, int64_t created_on_seconds) {
  sqlite3_bind_text(store->upsert, 1, AGGREGATE_ID, -1, SQLITE_STATIC);
  sqlite3_bind_int64(store->upsert, 5, created_on_seconds * 1000000000);
  sqlite3_bind_int64(store->upsert, 6, 0);
}

int store_upsert(Store *store, const char *sku, int sku_length, int64_t quantity) {
  sqlite3_bind_text(store->upsert, 2, sku, sku_length, SQLITE_STATIC);
  sqlite3_bind_int64(store->upsert, 3, quantity);
  sqlite3_bind_int64(store->upsert, 4, 0);
  run(store, store->upsert);
  return sqlite3_changes(store->handle);
}
