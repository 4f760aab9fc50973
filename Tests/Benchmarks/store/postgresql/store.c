#include "store.h"

#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

// In nanoseconds.
#define DAY (INT64_C(86400) * 1000000000)

enum { TEXT = 25, INT8 = 20, TEXT_ARRAY = 1009, INT8_ARRAY = 1016, PARAMETER_LIMIT = 12 };

static void fail(Store *store, const char *what) {
  fprintf(stderr, "store: %s: %s\n", what, PQerrorMessage(store->connection));
  exit(1);
}

// The values of a statement's parameters.
typedef struct {
  int count, lengths[PARAMETER_LIMIT], formats[PARAMETER_LIMIT];
  const char *values[PARAMETER_LIMIT];
  int64_t integers[PARAMETER_LIMIT];
} Parameters;

static void set_text(Parameters *parameters, int number, const char *text, size_t length) {
  parameters->values[number - 1] = text;
  parameters->lengths[number - 1] = (int)length;
  parameters->formats[number - 1] = 1;
}

static void set_integer(Parameters *parameters, int number, int64_t value) {
  parameters->integers[number - 1] = (int64_t)htobe64((uint64_t)value);
  set_text(parameters, number, (const char *)&parameters->integers[number - 1], 8);
}

// An array of one dimension as PostgreSQL's binary format has it.
typedef struct {
  char *bytes;
  size_t count;
} Array;

static void array_add_word(Array *array, uint32_t word) {
  word = htobe32(word);
  memcpy(array->bytes + array->count, &word, sizeof word);
  array->count += sizeof word;
}

static Array array_make(Oid type, int elements) {
  enum { HEADER = 20, ELEMENT_LIMIT = 4 + (SKU_LENGTH > 8 ? SKU_LENGTH : 8) };
  Array array = {.bytes = malloc(HEADER + (size_t)elements * ELEMENT_LIMIT)};
  if (!array.bytes) exit(1);
  const uint32_t header[] = {1, 0, type, (uint32_t)elements, 1};
  for (int i = 0; i < 5; i++) array_add_word(&array, header[i]);
  return array;
}

static void array_add_text(Array *array, const char *text, size_t length) {
  array_add_word(array, (uint32_t)length);
  memcpy(array->bytes + array->count, text, length);
  array->count += length;
}

static void array_add_integer(Array *array, int64_t value) {
  const int64_t big = (int64_t)htobe64((uint64_t)value);
  array_add_text(array, (const char *)&big, sizeof big);
}

static void set_array(Parameters *parameters, int number, const Array *array) {
  set_text(parameters, number, array->bytes, array->count);
}

// Sends what is buffered and takes in what the server has answered already: else both could wait for each other.
static void pump(Store *store) {
  for (int left; (left = PQflush(store->connection)) != 0;) {
    if (left < 0) fail(store, "flush");
    struct pollfd polled = {.fd = PQsocket(store->connection), .events = POLLIN | POLLOUT};
    poll(&polled, 1, -1);
    if ((polled.revents & POLLIN) && !PQconsumeInput(store->connection)) fail(store, "receive");
  }
}

static void send_statement(Store *store, const char *name, const Parameters *parameters) {
  enum { PUMP_EVERY = 64 };
  const int count = parameters ? parameters->count : 0;
  if (!PQsendQueryPrepared(store->connection, name, count, parameters ? parameters->values : NULL,
                           parameters ? parameters->lengths : NULL, parameters ? parameters->formats : NULL, 1))
    fail(store, name);
  if (++store->sent % PUMP_EVERY == 0) pump(store);
}

static void send_sync(Store *store) {
  if (!PQpipelineSync(store->connection)) fail(store, "sync");
}

static PGresult *next_result(Store *store) {
  for (;;) {
    const int left = PQflush(store->connection);
    if (left < 0) fail(store, "flush");
    if (left == 0 && !PQisBusy(store->connection)) return PQgetResult(store->connection);
    struct pollfd polled = {.fd = PQsocket(store->connection), .events = (short)(left ? POLLIN | POLLOUT : POLLIN)};
    poll(&polled, 1, -1);
    if ((polled.revents & POLLIN) && !PQconsumeInput(store->connection)) fail(store, "receive");
  }
}

// The result of the next statement; the caller clears it.
static PGresult *statement_result(Store *store) {
  PGresult *result = next_result(store);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(store, "statement");
  if (next_result(store)) fail(store, "one result too many");
  return result;
}

static void skip_result(Store *store) { PQclear(statement_result(store)); }

static void skip_sync(Store *store) {
  PGresult *result = next_result(store);
  if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) fail(store, "sync");
  PQclear(result);
}

static void prepare(Store *store, const char *name, const char *sql, int parameters, const Oid *types) {
  PGresult *result = PQprepare(store->connection, name, sql, parameters, types);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(store, sql);
  PQclear(result);
}

static void prepare_file(Store *store, const char *folder, const char *name, int parameters, const Oid *types) {
  char file[64];
  snprintf(file, sizeof file, "%s.sql", name);
  char *sql = text_read(folder, file);
  prepare(store, name, sql, parameters, types);
  free(sql);
}

void store_open(Store *store, const char *url, const char *folder, int rows, bool together, const SKU *skus) {
  memset(store, 0, sizeof *store);
  store->together = together;
  store->skus = skus;
  store->stored_limit = rows;
  store->stored = calloc((size_t)rows, sizeof *store->stored);
  if (!store->stored) exit(1);
  store->connection = PQconnectdb(url);
  if (PQstatus(store->connection) != CONNECTION_OK) fail(store, "connect");
  PGresult *result = PQexec(store->connection, "SET search_path TO inventory");
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(store, "search_path");
  PQclear(result);
  prepare(store, "lock", "SELECT pg_advisory_lock($1)", 1, (Oid[]){INT8});
  prepare(store, "unlock", "SELECT pg_advisory_unlock_all()", 0, NULL);
  prepare(store, "begin", "BEGIN", 0, NULL);
  prepare(store, "commit", "COMMIT", 0, NULL);
  prepare_file(store, folder, "run", 1, (Oid[]){TEXT});
  prepare_file(store, folder, "range", 4, (Oid[]){TEXT, TEXT, TEXT, INT8});
  prepare_file(store, folder, "named", 2, (Oid[]){TEXT, TEXT_ARRAY});
  prepare_file(store, folder, "upsert", 6, (Oid[]){TEXT, TEXT, INT8, INT8, INT8, INT8});
  prepare_file(store, folder, "history", 12,
               (Oid[]){TEXT, INT8, TEXT, INT8, INT8, INT8, INT8, INT8, INT8, INT8, INT8, INT8});
  prepare_file(store, folder, "target", 1, (Oid[]){TEXT});
  prepare_file(store, folder, "upsert-together", 6, (Oid[]){TEXT, TEXT_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8});
  prepare_file(store, folder, "history-together", 12,
               (Oid[]){TEXT, INT8_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT8, INT8, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY,
                       INT8_ARRAY, INT8_ARRAY});
  if (PQsetnonblocking(store->connection, 1) || !PQenterPipelineMode(store->connection)) fail(store, "pipeline mode");
}

void store_close(Store *store) {
  PQfinish(store->connection);
  free(store->stored);
}

// A BIGINT, or a SMALLINT.
static int64_t integer(const PGresult *result, int row, int column) {
  const char *bytes = PQgetvalue(result, row, column);
  if (PQgetlength(result, row, column) == 2) {
    uint16_t small;
    memcpy(&small, bytes, sizeof small);
    return (int16_t)be16toh(small);
  }
  uint64_t big;
  memcpy(&big, bytes, sizeof big);
  return (int64_t)be64toh(big);
}

static Stored stored_row(const PGresult *result, int row) {
  return (Stored){true, integer(result, row, 1), integer(result, row, 2), integer(result, row, 3)};
}

// Rows that are read for each that is needed, at most, as in StockStore+Stored.swift.
enum { READ_PER_ROW = 4 };

static void send_range(Store *store, const char *aggregate, const Message *message) {
  Parameters range = {.count = 4};
  set_text(&range, 1, aggregate, strlen(aggregate));
  set_text(&range, 2, store->skus[message_sku(message, 0)], SKU_LENGTH);
  set_text(&range, 3, store->skus[message_sku(message, message->rows - 1)], SKU_LENGTH);
  set_integer(&range, 4, message->rows * READ_PER_ROW);
  send_statement(store, "range", &range);
}

// Returns the first row that is still to be looked up by name; all of them are known when it is the number of rows.
static int take_range(Store *store, const Message *message, Stored *stored) {
  int next = 0;
  PGresult *result = statement_result(store);
  const int found = PQntuples(result);
  for (int row = 0; row < found; row++)
    stored_merge(stored, &next, message, store->skus, PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0),
                 stored_row(result, row));
  PQclear(result);
  return found == message->rows * READ_PER_ROW ? next : message->rows;
}

static void send_named(Store *store, const char *aggregate, const Message *message, int from) {
  Array skus = array_make(TEXT, message->rows - from);
  for (int row = from; row < message->rows; row++)
    array_add_text(&skus, store->skus[message_sku(message, row)], SKU_LENGTH);
  Parameters named = {.count = 2};
  set_text(&named, 1, aggregate, strlen(aggregate));
  set_array(&named, 2, &skus);
  send_statement(store, "named", &named);
  free(skus.bytes);
}

static void take_named(Store *store, Stored *stored, int from) {
  PGresult *result = statement_result(store);
  for (int row = 0; row < PQntuples(result); row++)
    stored[from + (int)integer(result, row, 0)] = stored_row(result, row);
  PQclear(result);
}

static void read_stored(Store *store, const char *aggregate, const Message *messages, int count) {
  enum { MESSAGE_LIMIT = 512 };
  static _Thread_local int from[MESSAGE_LIMIT];
  int named_count = 0;
  // The lock comes before the transaction: what that reads must not be older than what was waited for.
  Parameters key = {.count = 1};
  set_integer(&key, 1, messages[0].aggregate);
  send_statement(store, "lock", &key);
  send_sync(store);
  send_statement(store, "begin", NULL);
  if (messages[0].is_full) {
    Parameters run = {.count = 1};
    set_text(&run, 1, aggregate, strlen(aggregate));
    send_statement(store, "run", &run);
  }
  for (int i = 0; i < count; i++) send_range(store, aggregate, &messages[i]);
  send_sync(store);
  skip_result(store);
  skip_sync(store);
  skip_result(store);
  if (messages[0].is_full) skip_result(store);
  Stored *stored = store->stored;
  for (int i = 0; i < count; stored += messages[i++].rows) {
    from[i] = take_range(store, &messages[i], stored);
    named_count += from[i] < messages[i].rows;
  }
  skip_sync(store);
  if (named_count == 0) return;
  for (int i = 0; i < count; i++)
    if (from[i] < messages[i].rows) send_named(store, aggregate, &messages[i], from[i]);
  send_sync(store);
  stored = store->stored;
  for (int i = 0; i < count; stored += messages[i++].rows)
    if (from[i] < messages[i].rows) take_named(store, stored, from[i]);
  skip_sync(store);
}

static void send_upserts(Store *store, const char *aggregate, const Message *message) {
  Parameters upsert = {.count = 6};
  set_text(&upsert, 1, aggregate, strlen(aggregate));
  set_integer(&upsert, 4, 0);
  set_integer(&upsert, 5, nanoseconds(message->created_on_seconds));
  set_integer(&upsert, 6, 0);
  if (store->together) {
    Array skus = array_make(TEXT, message->rows), quantities = array_make(INT8, message->rows),
          unlimited = array_make(INT8, message->rows), created_on = array_make(INT8, message->rows);
    for (int row = 0; row < message->rows; row++) {
      array_add_text(&skus, store->skus[message_sku(message, row)], SKU_LENGTH);
      array_add_integer(&quantities, message_quantity(message, row));
      array_add_integer(&unlimited, 0);
      array_add_integer(&created_on, nanoseconds(message->created_on_seconds));
    }
    set_array(&upsert, 2, &skus);
    set_array(&upsert, 3, &quantities);
    set_array(&upsert, 4, &unlimited);
    set_array(&upsert, 5, &created_on);
    send_statement(store, "upsert-together", &upsert);
    free(skus.bytes);
    free(quantities.bytes);
    free(unlimited.bytes);
    free(created_on.bytes);
    return;
  }
  for (int row = 0; row < message->rows; row++) {
    set_text(&upsert, 2, store->skus[message_sku(message, row)], SKU_LENGTH);
    set_integer(&upsert, 3, message_quantity(message, row));
    send_statement(store, "upsert", &upsert);
  }
}

// The columns of the history that the service sends row by row, in the order of their parameters.
static void send_history_together(Store *store, Parameters *history, const Message *message, const Stored *stored, int count,
                                  int64_t now) {
  enum { COLUMNS = 9, SKU = 1 };
  static const int numbers[COLUMNS] = {2, 3, 4, 7, 8, 9, 10, 11, 12};
  Array columns[COLUMNS];
  for (int i = 0; i < COLUMNS; i++) columns[i] = array_make(i == SKU ? TEXT : INT8, count);
  for (int row = 0; row < message->rows; row++) {
    if (!has_history(&stored[row], message, row)) continue;
    const int64_t values[COLUMNS] = {now / DAY,
                                     0,
                                     now,
                                     nanoseconds(message->created_on_seconds),
                                     message_quantity(message, row),
                                     0,
                                     stored[row].quantity,
                                     stored[row].unlimited,
                                     stored[row].created_on};
    for (int i = 0; i < COLUMNS; i++)
      if (i != SKU) array_add_integer(&columns[i], values[i]);
    array_add_text(&columns[SKU], store->skus[message_sku(message, row)], SKU_LENGTH);
  }
  for (int i = 0; i < COLUMNS; i++) set_array(history, numbers[i], &columns[i]);
  send_statement(store, "history-together", history);
  for (int i = 0; i < COLUMNS; i++) free(columns[i].bytes);
}

// Returns how many statements it sends.
static int send_history(Store *store, const char *aggregate, const Message *message, const Stored *stored, int64_t now) {
  int count = 0;
  Parameters history = {.count = 12};
  set_text(&history, 1, aggregate, strlen(aggregate));
  set_integer(&history, 2, now / DAY);
  set_integer(&history, 4, now);
  set_integer(&history, 5, message->is_full ? 1 : 2);
  set_integer(&history, 6, 0);
  set_integer(&history, 7, nanoseconds(message->created_on_seconds));
  set_integer(&history, 9, 0);
  if (store->together) {
    for (int row = 0; row < message->rows; row++) count += has_history(&stored[row], message, row);
    if (count == 0) return 0;
    send_history_together(store, &history, message, stored, count, now);
    return 1;
  }
  for (int row = 0; row < message->rows; row++) {
    if (!has_history(&stored[row], message, row)) continue;
    set_text(&history, 3, store->skus[message_sku(message, row)], SKU_LENGTH);
    set_integer(&history, 8, message_quantity(message, row));
    set_integer(&history, 10, stored[row].quantity);
    set_integer(&history, 11, stored[row].unlimited);
    set_integer(&history, 12, stored[row].created_on);
    send_statement(store, "history", &history);
    count++;
  }
  return count;
}

// How many rows of the message are applied by what is known of the store; the server has to say the same.
static int take_upserts(Store *store, const Message *message, const Stored *stored) {
  int applied = 0;
  if (store->together) {
    PGresult *result = statement_result(store);
    const int changed = atoi(PQcmdTuples(result));
    PQclear(result);
    for (int row = 0; row < message->rows; row++) applied += !is_stale(&stored[row], message);
    if (changed == applied) return applied;
    fprintf(stderr, "store: a message changed %d rows, not %d, as was read\n", changed, applied);
    exit(1);
  }
  for (int row = 0; row < message->rows; row++) {
    PGresult *result = statement_result(store);
    const int changed = atoi(PQcmdTuples(result));
    PQclear(result);
    if (changed == is_stale(&stored[row], message)) {
      fprintf(stderr, "store: row %d of a message changed %d rows, against what was read\n", row, changed);
      exit(1);
    }
    applied += changed;
  }
  return applied;
}

int store_apply(Store *store, const Message *messages, int count) {
  char aggregate[AGGREGATE_LIMIT];
  row_aggregate(aggregate, messages[0].aggregate);
  int rows = 0, applied = 0, history = 0;
  for (int i = 0; i < count; i++) rows += messages[i].rows;
  if (rows > store->stored_limit) {
    fprintf(stderr, "store: %d rows in a transaction; at most %d\n", rows, store->stored_limit);
    exit(1);
  }
  memset(store->stored, 0, (size_t)rows * sizeof *store->stored);
  const int64_t now = now_nanoseconds();
  read_stored(store, aggregate, messages, count);

  const Stored *stored = store->stored;
  for (int i = 0; i < count; i++) send_upserts(store, aggregate, &messages[i]);
  for (int i = 0; i < count; stored += messages[i++].rows)
    history += send_history(store, aggregate, &messages[i], stored, now);
  Parameters target = {.count = 1};
  set_text(&target, 1, aggregate, strlen(aggregate));
  send_statement(store, "target", &target);
  send_statement(store, "commit", NULL);
  send_sync(store);
  send_statement(store, "unlock", NULL);
  send_sync(store);

  stored = store->stored;
  for (int i = 0; i < count; stored += messages[i++].rows) applied += take_upserts(store, &messages[i], stored);
  for (int i = 0; i < history; i++) skip_result(store);
  skip_result(store);
  skip_result(store);
  skip_sync(store);
  skip_result(store);
  skip_sync(store);
  return applied;
}
