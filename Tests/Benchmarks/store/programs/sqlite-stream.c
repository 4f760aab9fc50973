// The bare loop that the stream on SQLite is compared with: the same rows by the same statements, in transactions of the same
// size: a part of a FULL, then the DELTAs that come meanwhile. Prints the rows per second, from the first BEGIN to the last
// COMMIT, and how many rows were stale.
// Usage: sqlite-stream STORE FOLDER CHECKPOINT_PAGES AGGREGATES SKUS
#include <stdlib.h>

#include "../../load/clock.h"
#include "../sqlite/store.h"

int main(int count, char **arguments) {
  Work work;
  if (count != 6 || !work_read(&work, arguments + 4)) {
    fprintf(stderr, "usage: sqlite-stream STORE FOLDER CHECKPOINT_PAGES AGGREGATES SKUS\n");
    return 2;
  }
  Store *store = malloc(sizeof *store);
  if (!store) return 1;
  store_open(store, arguments[1], arguments[2], atoi(arguments[3]), skus_make(work.skus));

  int64_t rows = 0, applied = 0;
  const double start = clock_seconds();
  for (int64_t part = 0; part < parts_of(work); part++) {
    for (int aggregate = 0; aggregate < work.aggregates; aggregate++) {
      const Message full = full_part(aggregate, part);
      store_begin(store);
      applied += store_apply(store, &full);
      store_commit(store);
      store_checkpoint_if_due(store);
      rows += full.rows;

      store_begin(store);
      for (int i = 0; i < DELTAS_PER_PART; i++) {
        const Message message = delta(work, aggregate, part * DELTAS_PER_PART + i);
        applied += store_apply(store, &message);
        rows += message.rows;
      }
      store_commit(store);
      store_checkpoint_if_due(store);
    }
  }
  const double seconds = clock_seconds() - start;
  store_close(store);
  printf("%.1f %lld\n", (double)rows / seconds, (long long)(rows - applied));
  return 0;
}
