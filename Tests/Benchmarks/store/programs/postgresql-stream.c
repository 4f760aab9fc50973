// The bare loop that the stream on PostgreSQL is compared with: the same rows in transactions of the same size, over libpq's
// pipeline mode, in a statement a row (`each`) or, as the service writes them, in one a message and table (`together`).
// Connection number c has the messages that load-stream sends to replica number c. Prints the rows per second, from the first
// BEGIN to the last COMMIT, and how many rows were stale.
// Usage: postgresql-stream URL FOLDER AGGREGATES SKUS CONNECTIONS each|together
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../load/clock.h"
#include "../postgresql/store.h"

enum { CONNECTION_LIMIT = 32 };

static Work work;
static int connections;

typedef struct {
  Store store;
  int number;
  int64_t rows, applied;
  pthread_t thread;
} Writer;

static void apply(Writer *writer, const Message *messages, int count) {
  for (int i = 0; i < count; i++) writer->rows += messages[i].rows;
  writer->applied += store_apply(&writer->store, messages, count);
}

static void *write_all(void *context) {
  Writer *writer = context;
  for (int64_t part = 0; part < parts_of(work); part++) {
    for (int aggregate = 0; aggregate < work.aggregates; aggregate++) {
      if (aggregate % connections == writer->number) {
        const Message full = full_part(aggregate, part);
        apply(writer, &full, 1);
      }
      if ((aggregate + 1) % connections == writer->number) {
        Message deltas[DELTAS_PER_PART];
        for (int i = 0; i < DELTAS_PER_PART; i++) deltas[i] = delta(work, aggregate, part * DELTAS_PER_PART + i);
        apply(writer, deltas, DELTAS_PER_PART);
      }
    }
  }
  return NULL;
}

int main(int count, char **arguments) {
  static Writer writers[CONNECTION_LIMIT];
  connections = count == 7 ? atoi(arguments[5]) : 0;
  const bool together = count == 7 && strcmp(arguments[6], "together") == 0;
  if (connections < 1 || connections > CONNECTION_LIMIT || !work_read(&work, arguments + 3) ||
      (!together && strcmp(arguments[6], "each") != 0)) {
    fprintf(stderr, "usage: postgresql-stream URL FOLDER AGGREGATES SKUS CONNECTIONS each|together\n");
    return 2;
  }
  const SKU *skus = skus_make(work.skus);
  for (int i = 0; i < connections; i++) {
    writers[i].number = i;
    store_open(&writers[i].store, arguments[1], arguments[2], ROWS_PER_PART, together, skus);
  }
  const double start = clock_seconds();
  for (int i = 0; i < connections; i++) {
    if (pthread_create(&writers[i].thread, NULL, write_all, &writers[i])) return 1;
  }
  for (int i = 0; i < connections; i++) pthread_join(writers[i].thread, NULL);
  const double seconds = clock_seconds() - start;
  int64_t rows = 0, applied = 0;
  for (int i = 0; i < connections; i++) {
    rows += writers[i].rows;
    applied += writers[i].applied;
    store_close(&writers[i].store);
  }
  printf("%.1f %lld\n", (double)rows / seconds, (long long)(rows - applied));
  return 0;
}
