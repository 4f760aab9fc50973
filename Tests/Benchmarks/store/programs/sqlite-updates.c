// The bare loop that concurrent single-row updates on SQLite are compared with. Prints the updates per second.
// Usage: sqlite-updates STORE FOLDER CHECKPOINT_PAGES THREADS UPDATES
#include <stdlib.h>

#include "../sqlite/store.h"
#include "../waiting.h"

static int apply(void *context, const Message *messages, int count) {
  Store *store = context;
  int applied = 0;
  store_begin(store);
  for (int i = 0; i < count; i++) applied += store_apply(store, &messages[i]);
  store_commit(store);
  return applied;
}

static void tidy_up(void *store) { store_checkpoint_if_due(store); }

int main(int count, char **arguments) {
  const int64_t threads = count == 6 ? atoll(arguments[4]) : 0, updates = count == 6 ? atoll(arguments[5]) : 0;
  if (threads <= 0 || updates <= 0) {
    fprintf(stderr, "usage: sqlite-updates STORE FOLDER CHECKPOINT_PAGES THREADS UPDATES\n");
    return 2;
  }
  Store *store = malloc(sizeof *store);
  if (!store) return 1;
  store_open(store, arguments[1], arguments[2], atoi(arguments[3]), skus_make(UPDATED_SKUS));
  const double rate = updates_run(store, apply, tidy_up, threads, updates);
  store_close(store);
  printf("%.1f\n", rate);
  return 0;
}
