#include "rows.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "whole_file.h"

static sqlite3 *store;
static sqlite3_stmt *begin, *commit, *insert;
static int log_pages, checkpoint_from;

static void require(int code, int expected, const char *what) {
  if (code != expected) fail(what, store ? sqlite3_errmsg(store) : sqlite3_errstr(code));
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement = NULL;
  require(sqlite3_prepare_v3(store, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK, sql);
  return statement;
}

static void run(sqlite3_stmt *statement) {
  require(sqlite3_step(statement), SQLITE_DONE, sqlite3_sql(statement));
  sqlite3_reset(statement);
}

static int note_log(void *context, sqlite3 *handle, const char *name, int pages) {
  (void)context, (void)handle, (void)name;
  log_pages = pages;
  return SQLITE_OK;
}

void rows_open(const char *path, const char *pragmas, int checkpoint_pages) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  require(sqlite3_open_v2(path, &store, flags, NULL), SQLITE_OK, path);
  // Takes the place of SQLite's automatic checkpoint, as in Shared/Storage.
  sqlite3_wal_hook(store, note_log, NULL);
  size_t bytes;
  char *text = whole_file(pragmas, &bytes);
  require(sqlite3_exec(store, text, NULL, NULL, NULL), SQLITE_OK, text);
  free(text);
  const char *table = "CREATE TABLE outbox (id INTEGER PRIMARY KEY, added_at INTEGER NOT NULL, body BLOB NOT NULL)";
  require(sqlite3_exec(store, table, NULL, NULL, NULL), SQLITE_OK, table);
  begin = prepare("BEGIN IMMEDIATE");
  commit = prepare("COMMIT");
  insert = prepare("INSERT INTO outbox (added_at, body) VALUES (?1, ?2)");
  checkpoint_from = checkpoint_pages;
}

void rows_write(const Body *bodies, int64_t count) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  run(begin);
  for (int64_t i = 0; i < count; i++) {
    sqlite3_bind_int64(insert, 1, now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
    sqlite3_bind_blob(insert, 2, bodies[i].text, (int)bodies[i].bytes, SQLITE_STATIC);
    run(insert);
  }
  run(commit);
  if (log_pages >= checkpoint_from) {
    require(sqlite3_wal_checkpoint_v2(store, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK, "checkpoint");
  }
}

void rows_close(void) {
  sqlite3_finalize(begin);
  sqlite3_finalize(commit);
  sqlite3_finalize(insert);
  require(sqlite3_close(store), SQLITE_OK, "close");
}
