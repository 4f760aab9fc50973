// The bare loop that StreamStockSnapshots is compared with: the same rows by the same statement, in transactions of the
// same size. Prints the rows per second, from the first BEGIN to the last COMMIT.
// Usage: store-stream DATABASE PRAGMAS CHECKPOINT_PAGES UPSERT ROWS
#include <stdio.h>
#include <stdlib.h>

#include "../../load/clock.h"
#include "../../load/rows.h"
#include "../store.h"

typedef struct {
  char sku[SKU_LIMIT];
  int length;
  int64_t quantity;
} Row;

int main(int count, char **arguments) {
  const int64_t rows = count == 6 ? atoll(arguments[5]) : 0;
  if (rows <= 0) {
    fprintf(stderr, "usage: store-stream DATABASE PRAGMAS CHECKPOINT_PAGES UPSERT ROWS\n");
    return 2;
  }
  Row *prepared = calloc((size_t)rows, sizeof *prepared);
  if (!prepared) return 1;
  for (int64_t i = 0; i < rows; i++) {
    prepared[i].length = (int)row_sku(prepared[i].sku, i);
    prepared[i].quantity = row_quantity(i);
  }
  Store store;
  store_open(&store, arguments[1], arguments[2], atoi(arguments[3]), arguments[4]);

  int64_t applied = 0;
  const double start = clock_seconds();
  for (int64_t i = 0; i < rows; i++) {
    if (i % ROWS_PER_MESSAGE == 0) {
      store_begin(&store);
      store_set_snapshot(&store, CREATED_ON_SECONDS);
    }
    applied += store_upsert(&store, prepared[i].sku, prepared[i].length, prepared[i].quantity);
    if ((i + 1) % ROWS_PER_MESSAGE != 0 && i + 1 != rows) continue;
    store_commit(&store);
    store_checkpoint_if_due(&store);
  }
  const double seconds = clock_seconds() - start;
  store_close(&store);
  free(prepared);

  if (applied != rows) {
    fprintf(stderr, "store: %lld rows were written, %lld applied\n", (long long)rows, (long long)applied);
    return 1;
  }
  printf("%.1f\n", (double)rows / seconds);
  return 0;
}
