#include "store.h"

#include <stdlib.h>
#include <string.h>

static void require(Store *store, int code, int expected, const char *what) {
  if (code == expected) return;
  fprintf(stderr, "store: %s: %s\n", what, store->handle ? sqlite3_errmsg(store->handle) : sqlite3_errstr(code));
  exit(1);
}

static sqlite3_stmt *prepare(Store *store, const char *sql) {
  sqlite3_stmt *statement = NULL;
  const int code = sqlite3_prepare_v3(store->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  require(store, code, SQLITE_OK, sql);
  return statement;
}

static sqlite3_stmt *prepare_file(Store *store, const char *folder, const char *name, int parameters) {
  char *sql = text_read(folder, name);
  sqlite3_stmt *statement = prepare(store, sql);
  const int count = sqlite3_bind_parameter_count(statement);
  if (count != parameters) {
    fprintf(stderr, "store: the service's %s has %d parameters instead of %d; adapt store.c\n", name, count, parameters);
    exit(1);
  }
  free(sql);
  return statement;
}

static int note_log(void *context, sqlite3 *handle, const char *name, int pages) {
  (void)handle, (void)name;
  ((Store *)context)->log_pages = pages;
  return SQLITE_OK;
}

void store_open(Store *store, const char *path, const char *folder, int checkpoint_pages, const SKU *skus) {
  memset(store, 0, sizeof *store);
  store->checkpoint_pages = checkpoint_pages;
  store->skus = skus;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  require(store, sqlite3_open_v2(path, &store->handle, flags, NULL), SQLITE_OK, path);
  // Takes the place of SQLite's automatic checkpoint, as in Shared/Storage.
  sqlite3_wal_hook(store->handle, note_log, store);
  char *pragmas = text_read(folder, "pragmas.sql");
  require(store, sqlite3_exec(store->handle, pragmas, NULL, NULL, NULL), SQLITE_OK, pragmas);
  free(pragmas);
  store->begin = prepare(store, "BEGIN IMMEDIATE");
  store->run = prepare_file(store, folder, "run.sql", 1);
  store->range = prepare_file(store, folder, "range.sql", 4);
  store->named = prepare_file(store, folder, "named.sql", 2);
  store->upsert = prepare_file(store, folder, "upsert.sql", 6);
  store->history = prepare_file(store, folder, "history.sql", 12);
  store->target = prepare_file(store, folder, "target.sql", 1);
  store->commit = prepare(store, "COMMIT");
}

void store_close(Store *store) {
  sqlite3_stmt *statements[] = {store->begin,  store->run,     store->range,  store->named,
                                store->upsert, store->history, store->target, store->commit};
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
  require(store, sqlite3_close(store->handle), SQLITE_OK, "close");
}

static void run(Store *store, sqlite3_stmt *statement) {
  require(store, sqlite3_step(statement), SQLITE_DONE, sqlite3_sql(statement));
  sqlite3_reset(statement);
}

// Returns false after the last row.
static bool next_row(Store *store, sqlite3_stmt *statement) {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  require(store, code, SQLITE_DONE, sqlite3_sql(statement));
  sqlite3_reset(statement);
  return false;
}

void store_begin(Store *store) { run(store, store->begin); }

void store_commit(Store *store) { run(store, store->commit); }

void store_checkpoint_if_due(Store *store) {
  if (store->log_pages < store->checkpoint_pages) return;
  const int code = sqlite3_wal_checkpoint_v2(store->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  require(store, code, SQLITE_OK, "checkpoint");
}

static void bind_sku(Store *store, sqlite3_stmt *statement, int parameter, const Message *message, int row) {
  sqlite3_bind_text(statement, parameter, store->skus[message_sku(message, row)], SKU_LENGTH, SQLITE_STATIC);
}

static Stored stored_row(sqlite3_stmt *statement) {
  return (Stored){true, sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2),
                  sqlite3_column_int64(statement, 3)};
}

static void look_up(Store *store, const char *aggregate, int from, const Message *message) {
  char *json = skus_as_json(message, from, store->skus);
  sqlite3_bind_text(store->named, 1, aggregate, -1, SQLITE_STATIC);
  sqlite3_bind_text(store->named, 2, json, -1, SQLITE_STATIC);
  while (next_row(store, store->named))
    store->stored[from + sqlite3_column_int(store->named, 0)] = stored_row(store->named);
  free(json);
}

// As StockStore+Stored.swift does.
static void read_stored(Store *store, const char *aggregate, const Message *message) {
  enum { READ_PER_ROW = 4 };
  const int limit = message->rows * READ_PER_ROW;
  int read = 0, next = 0;
  memset(store->stored, 0, (size_t)message->rows * sizeof *store->stored);
  sqlite3_bind_text(store->range, 1, aggregate, -1, SQLITE_STATIC);
  bind_sku(store, store->range, 2, message, 0);
  bind_sku(store, store->range, 3, message, message->rows - 1);
  sqlite3_bind_int(store->range, 4, limit);
  for (; next_row(store, store->range); read++) {
    const char *sku = (const char *)sqlite3_column_text(store->range, 0);
    const size_t length = (size_t)sqlite3_column_bytes(store->range, 0);
    stored_merge(store->stored, &next, message, store->skus, sku, length, stored_row(store->range));
  }
  if (read == limit && next < message->rows) look_up(store, aggregate, next, message);
}

static int upsert(Store *store, const char *aggregate, const Message *message) {
  int applied = 0;
  sqlite3_bind_text(store->upsert, 1, aggregate, -1, SQLITE_STATIC);
  sqlite3_bind_int64(store->upsert, 5, nanoseconds(message->created_on_seconds));
  sqlite3_bind_int64(store->upsert, 6, 0);
  for (int row = 0; row < message->rows; row++) {
    bind_sku(store, store->upsert, 2, message, row);
    sqlite3_bind_int64(store->upsert, 3, message_quantity(message, row));
    sqlite3_bind_int64(store->upsert, 4, 0);
    run(store, store->upsert);
    applied += sqlite3_changes(store->handle);
  }
  return applied;
}

static void add_history(Store *store, const char *aggregate, const Message *message, int64_t now) {
  const int64_t day = INT64_C(86400) * 1000000000;
  sqlite3_stmt *history = store->history;
  sqlite3_bind_text(history, 1, aggregate, -1, SQLITE_STATIC);
  sqlite3_bind_int64(history, 2, now / day);
  sqlite3_bind_int64(history, 4, now);
  sqlite3_bind_int64(history, 5, message->is_full ? 1 : 2);
  sqlite3_bind_int64(history, 6, 0);
  sqlite3_bind_int64(history, 7, nanoseconds(message->created_on_seconds));
  for (int row = 0; row < message->rows; row++) {
    const Stored *stored = &store->stored[row];
    if (!has_history(stored, message, row)) continue;
    bind_sku(store, history, 3, message, row);
    sqlite3_bind_int64(history, 8, message_quantity(message, row));
    sqlite3_bind_int64(history, 9, 0);
    sqlite3_bind_int64(history, 10, stored->quantity);
    sqlite3_bind_int64(history, 11, stored->unlimited);
    sqlite3_bind_int64(history, 12, stored->created_on);
    run(store, history);
  }
}

int store_apply(Store *store, const Message *message) {
  char aggregate[AGGREGATE_LIMIT];
  row_aggregate(aggregate, message->aggregate);
  const int64_t now = now_nanoseconds();
  if (message->is_full) {
    sqlite3_bind_text(store->run, 1, aggregate, -1, SQLITE_STATIC);
    while (next_row(store, store->run)) continue;
  }
  read_stored(store, aggregate, message);
  const int applied = upsert(store, aggregate, message);
  add_history(store, aggregate, message, now);
  sqlite3_bind_text(store->target, 1, aggregate, -1, SQLITE_STATIC);
  while (next_row(store, store->target)) continue;
  return applied;
}
