#include "journal.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../load/clock.h"

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t arrived;
  Insert *first, **last;
  int waiting;
  // The thread is not to be woken for fewer.
  int wanted;
  bool is_closed;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .last = &queue.first, .wanted = 1};

static sqlite3 *store;
static sqlite3_stmt *begin, *commit, *insert_row;
static int log_pages, checkpoint_from;
static Durable tell;
static pthread_t thread;

static void require(int code, int expected, const char *what) {
  if (code == expected) return;
  fprintf(stderr, "intake: %s: %s\n", what, store ? sqlite3_errmsg(store) : sqlite3_errstr(code));
  exit(1);
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

void journal_submit(Insert *insert) {
  insert->next = NULL;
  pthread_mutex_lock(&queue.mutex);
  *queue.last = insert;
  queue.last = &insert->next;
  const bool is_enough = ++queue.waiting >= queue.wanted;
  pthread_mutex_unlock(&queue.mutex);
  if (is_enough) pthread_cond_signal(&queue.arrived);
}

// All that wait; NULL once the queue is closed and empty.
static Insert *take_waiting(int *count) {
  pthread_mutex_lock(&queue.mutex);
  queue.wanted = 1;
  while (!queue.first && !queue.is_closed) pthread_cond_wait(&queue.arrived, &queue.mutex);
  Insert *first = queue.first;
  *count = queue.waiting;
  queue.first = NULL;
  queue.last = &queue.first;
  queue.waiting = 0;
  pthread_mutex_unlock(&queue.mutex);
  return first;
}

// As Shared/Storage does: those that were answered come again at once, and the first of them should not get a commit to
// itself. Waits until `count` are there, for half the time of a commit at most.
static void gather(int count, double commit_seconds) {
  if (count <= 1) return;
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double wait_seconds = commit_seconds / 2 < 0.002 ? commit_seconds / 2 : 0.002;
  end.tv_nsec += (long)(wait_seconds * 1e9);
  if (end.tv_nsec >= 1000000000) {
    end.tv_nsec -= 1000000000;
    end.tv_sec++;
  }
  pthread_mutex_lock(&queue.mutex);
  queue.wanted = count;
  while (queue.waiting < count && !queue.is_closed) {
    if (pthread_cond_timedwait(&queue.arrived, &queue.mutex, &end) == ETIMEDOUT) break;
  }
  queue.wanted = 1;
  pthread_mutex_unlock(&queue.mutex);
}

static void insert_all(const Insert *first) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  run(begin);
  for (const Insert *insert = first; insert; insert = insert->next) {
    sqlite3_bind_int64(insert_row, 1, now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
    sqlite3_bind_blob(insert_row, 2, insert->bytes, (int)insert->count, SQLITE_STATIC);
    run(insert_row);
  }
  run(commit);
}

static void *write_all(void *unused) {
  (void)unused;
  int count;
  for (Insert *first; (first = take_waiting(&count));) {
    const double start = clock_seconds();
    insert_all(first);
    const double seconds = clock_seconds() - start;
    tell(first);
    if (log_pages >= checkpoint_from) {
      require(sqlite3_wal_checkpoint_v2(store, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK, "checkpoint");
    }
    gather(count, seconds);
  }
  return NULL;
}

static void execute_file(const char *path) {
  static char text[64 << 10];
  FILE *file = fopen(path, "r");
  if (!file || fread(text, 1, sizeof text - 1, file) == 0) {
    fprintf(stderr, "intake: %s cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  require(sqlite3_exec(store, text, NULL, NULL, NULL), SQLITE_OK, text);
}

void journal_open(const char *path, const char *pragmas, int checkpoint_pages, Durable durable) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  require(sqlite3_open_v2(path, &store, flags, NULL), SQLITE_OK, path);
  // Takes the place of SQLite's automatic checkpoint, as in Shared/Storage.
  sqlite3_wal_hook(store, note_log, NULL);
  execute_file(pragmas);
  const char *table = "CREATE TABLE journal (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, body BLOB NOT NULL)";
  require(sqlite3_exec(store, table, NULL, NULL, NULL), SQLITE_OK, table);
  begin = prepare("BEGIN IMMEDIATE");
  commit = prepare("COMMIT");
  insert_row = prepare("INSERT INTO journal (received_at, body) VALUES (?1, ?2)");
  checkpoint_from = checkpoint_pages;
  tell = durable;

  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&queue.arrived, &attributes);
  if (pthread_create(&thread, NULL, write_all, NULL)) {
    fprintf(stderr, "intake: no thread\n");
    exit(1);
  }
}

void journal_close(void) {
  pthread_mutex_lock(&queue.mutex);
  queue.is_closed = true;
  pthread_mutex_unlock(&queue.mutex);
  pthread_cond_signal(&queue.arrived);
  pthread_join(thread, NULL);
  sqlite3_finalize(begin);
  sqlite3_finalize(commit);
  sqlite3_finalize(insert_row);
  require(sqlite3_close(store), SQLITE_OK, "close");
}
