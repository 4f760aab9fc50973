// The bare loop that concurrent single-row updates on PostgreSQL are compared with. Prints the updates per second.
// Usage: postgresql-updates URL FOLDER THREADS UPDATES
#include <stdlib.h>

#include "../postgresql/store.h"
#include "../waiting.h"

static int apply(void *store, const Message *messages, int count) { return store_apply(store, messages, count); }

int main(int count, char **arguments) {
  const int64_t threads = count == 5 ? atoll(arguments[3]) : 0, updates = count == 5 ? atoll(arguments[4]) : 0;
  if (threads <= 0 || updates <= 0) {
    fprintf(stderr, "usage: postgresql-updates URL FOLDER THREADS UPDATES\n");
    return 2;
  }
  Store store;
  store_open(&store, arguments[1], arguments[2], (int)threads, false, skus_make(UPDATED_SKUS));
  const double rate = updates_run(&store, apply, NULL, threads, updates);
  store_close(&store);
  printf("%.1f\n", rate);
  return 0;
}
