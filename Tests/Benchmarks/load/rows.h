// The stock of every measurement, the same for the service and for the bare loops that it is compared with. What it has to come
// to is computed once more, and on its own, in driver/stock/outcome.py.
//
// The store holds `skus` SKUs of each aggregate: a FULL of yesterday. Today's FULL, in parts, has another quantity for every
// second of them; while it runs, small DELTAs that are newer name SKUs all over the aggregate.
#ifndef LOAD_ROWS_H
#define LOAD_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define STORED_SECONDS INT64_C(1750000000)
#define FULL_SECONDS (STORED_SECONDS + 86400)

enum {
  // The most that one message may hold; the service commits each such message by itself.
  ROWS_PER_PART = 10000,
  ROWS_PER_DELTA = 100,
  // DELTAs that go out while a part of the FULL does.
  DELTAS_PER_PART = 10,
  // The single-row updates go round these SKUs.
  UPDATED_SKUS = 10000,
  SKU_LIMIT = 16,
  AGGREGATE_LIMIT = 16,
};

typedef struct {
  int aggregates;
  // Of each aggregate: a multiple of ROWS_PER_PART, and with DELTAs at least two.
  int64_t skus;
} Work;

// One message: its row number k is SKU number first + k * step.
typedef struct {
  int aggregate, rows;
  bool is_full;
  int64_t created_on_seconds, first, step;
  // Of a FULL, what is added to every second stored quantity; of a DELTA, the quantity of all of its rows.
  int64_t quantity;
} Message;

// In the order of bytes. Returns the length; `sku` ends with a NUL that is not counted.
static inline size_t row_sku(char sku[SKU_LIMIT], int64_t number) {
  return (size_t)snprintf(sku, SKU_LIMIT, "SKU-%08d", (int)number);
}

static inline size_t row_aggregate(char name[AGGREGATE_LIMIT], int aggregate) {
  return (size_t)snprintf(name, AGGREGATE_LIMIT, "aggregate-%d", aggregate % 100);
}

static inline int64_t parts_of(Work work) { return work.skus / ROWS_PER_PART; }
static inline int64_t deltas_of(Work work) { return parts_of(work) * DELTAS_PER_PART; }

static inline Message full_part(int aggregate, int64_t part) {
  return (Message){
      .aggregate = aggregate,
      .rows = ROWS_PER_PART,
      .is_full = true,
      .created_on_seconds = FULL_SECONDS,
      .first = part * ROWS_PER_PART,
      .step = 1,
      .quantity = 1,
  };
}

// DELTA number `number` of an aggregate is newer than those before it. Each SKU that is named at all is named by two of them, of
// which the second comes when half of the FULL is through.
static inline Message delta(Work work, int aggregate, int64_t number) {
  const int64_t step = work.skus / ROWS_PER_DELTA, pairs = deltas_of(work) / 2;
  return (Message){
      .aggregate = aggregate,
      .rows = ROWS_PER_DELTA,
      .created_on_seconds = FULL_SECONDS + 1 + number,
      .first = number * 7919 % pairs * (step / pairs),
      .step = step,
      .quantity = 2000 + number,
  };
}

// Single-row update number `number`; each changes a value.
static inline Message update(int64_t number) {
  return (Message){
      .rows = 1,
      .created_on_seconds = FULL_SECONDS + 1 + number / UPDATED_SKUS,
      .first = number * 7919 % UPDATED_SKUS,
      .quantity = 2000 + number / UPDATED_SKUS,
  };
}

static inline int64_t message_sku(const Message *message, int row) { return message->first + row * message->step; }

static inline int64_t message_quantity(const Message *message, int row) {
  const int64_t number = message_sku(message, row);
  return message->is_full ? number * 7919 % 1000 + number % 2 * message->quantity : message->quantity;
}

// Of the arguments AGGREGATES and SKUS of a program; false when they can't be so.
static inline bool work_read(Work *work, char **arguments) {
  *work = (Work){.aggregates = atoi(arguments[0]), .skus = atoll(arguments[1])};
  return work->aggregates > 0 && work->aggregates <= 100 && work->skus > 0 && work->skus % ROWS_PER_PART == 0;
}

#endif
