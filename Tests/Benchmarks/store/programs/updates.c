// The bare loop that concurrent single-row updates are compared with: threads that wait, and one writer that commits
// all waiting updates together. Prints the updates per second.
// Usage: store-updates DATABASE PRAGMAS CHECKPOINT_PAGES UPSERT THREADS UPDATES
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../load/clock.h"
#include "../../load/rows.h"
#include "../store.h"

// One waiting update, on the stack of the thread that waits for it.
typedef struct Update {
  char sku[SKU_LIMIT];
  int length;
  int64_t quantity, created_on;
  int applied;
  bool is_durable;
  pthread_cond_t durable;
  struct Update *next;
} Update;

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t arrived;
  Update *first, **last;
  bool is_closed;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER, .last = &queue.first};

static int64_t updates, next_update, applied;

static void submit_and_wait(Update *update) {
  update->is_durable = false;
  update->next = NULL;
  pthread_mutex_lock(&queue.mutex);
  *queue.last = update;
  queue.last = &update->next;
  pthread_cond_signal(&queue.arrived);
  while (!update->is_durable) pthread_cond_wait(&update->durable, &queue.mutex);
  pthread_mutex_unlock(&queue.mutex);
}

static void *client(void *unused) {
  (void)unused;
  Update update = {.durable = PTHREAD_COND_INITIALIZER};
  for (;;) {
    const int64_t index = __atomic_fetch_add(&next_update, 1, __ATOMIC_RELAXED);
    if (index >= updates) return NULL;
    update.length = (int)row_sku(update.sku, index % UPDATED_SKUS);
    update.quantity = row_quantity(index % UPDATED_SKUS);
    update.created_on = update_created_on(index);
    submit_and_wait(&update);
    __atomic_fetch_add(&applied, update.applied, __ATOMIC_RELAXED);
  }
}

// All updates that wait; NULL once the queue is closed and empty.
static Update *take_waiting(void) {
  pthread_mutex_lock(&queue.mutex);
  while (!queue.first && !queue.is_closed) pthread_cond_wait(&queue.arrived, &queue.mutex);
  Update *first = queue.first;
  queue.first = NULL;
  queue.last = &queue.first;
  pthread_mutex_unlock(&queue.mutex);
  return first;
}

static void wake(Update *first) {
  pthread_mutex_lock(&queue.mutex);
  while (first) {
    // The thread may reuse its update as soon as the mutex is free.
    Update *next = first->next;
    first->is_durable = true;
    pthread_cond_signal(&first->durable);
    first = next;
  }
  pthread_mutex_unlock(&queue.mutex);
}

static void *writer(void *context) {
  Store *store = context;
  for (Update *first; (first = take_waiting());) {
    store_begin(store);
    for (Update *update = first; update; update = update->next) {
      store_set_snapshot(store, update->created_on);
      update->applied = store_upsert(store, update->sku, update->length, update->quantity);
    }
    store_commit(store);
    wake(first);
    store_checkpoint_if_due(store);
  }
  return NULL;
}

static void start_thread(pthread_t *thread, void *(*body)(void *), void *context) {
  if (pthread_create(thread, NULL, body, context) == 0) return;
  fprintf(stderr, "store: no thread\n");
  exit(1);
}

int main(int count, char **arguments) {
  const int64_t threads = count == 7 ? atoll(arguments[5]) : 0;
  updates = count == 7 ? atoll(arguments[6]) : 0;
  if (threads <= 0 || updates <= 0) {
    fprintf(stderr, "usage: store-updates DATABASE PRAGMAS CHECKPOINT_PAGES UPSERT THREADS UPDATES\n");
    return 2;
  }
  Store store;
  store_open(&store, arguments[1], arguments[2], atoi(arguments[3]), arguments[4]);
  pthread_t writing, *clients = calloc((size_t)threads, sizeof *clients);
  if (!clients) return 1;

  const double start = clock_seconds();
  start_thread(&writing, writer, &store);
  for (int64_t i = 0; i < threads; i++) start_thread(&clients[i], client, NULL);
  for (int64_t i = 0; i < threads; i++) pthread_join(clients[i], NULL);
  const double seconds = clock_seconds() - start;

  pthread_mutex_lock(&queue.mutex);
  queue.is_closed = true;
  pthread_cond_signal(&queue.arrived);
  pthread_mutex_unlock(&queue.mutex);
  pthread_join(writing, NULL);
  store_close(&store);
  free(clients);

  if (applied != updates) {
    fprintf(stderr, "store: %lld updates were written, %lld applied\n", (long long)updates, (long long)applied);
    return 1;
  }
  printf("%.1f\n", (double)updates / seconds);
  return 0;
}
