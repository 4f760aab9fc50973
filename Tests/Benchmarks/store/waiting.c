#include "waiting.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../load/clock.h"

enum { TOGETHER_LIMIT = 512 };

// One waiting update, on the stack of the thread that waits for it.
typedef struct Waiting {
  Message message;
  bool is_durable;
  pthread_cond_t durable;
  struct Waiting *next;
} Waiting;

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t arrived;
  Waiting *first, **last;
  bool is_closed;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER, .last = &queue.first};

static struct {
  void *store;
  ApplyTogether apply;
  TidyUp tidy_up;
  int64_t updates, next, applied;
} job;

static void *client(void *unused) {
  (void)unused;
  Waiting waiting = {.durable = PTHREAD_COND_INITIALIZER};
  for (;;) {
    const int64_t number = __atomic_fetch_add(&job.next, 1, __ATOMIC_RELAXED);
    if (number >= job.updates) return NULL;
    waiting.message = update(number);
    waiting.is_durable = false;
    waiting.next = NULL;
    pthread_mutex_lock(&queue.mutex);
    *queue.last = &waiting;
    queue.last = &waiting.next;
    pthread_cond_signal(&queue.arrived);
    while (!waiting.is_durable) pthread_cond_wait(&waiting.durable, &queue.mutex);
    pthread_mutex_unlock(&queue.mutex);
  }
}

// All updates that wait; NULL once the queue is closed and empty.
static Waiting *take_waiting(void) {
  pthread_mutex_lock(&queue.mutex);
  while (!queue.first && !queue.is_closed) pthread_cond_wait(&queue.arrived, &queue.mutex);
  Waiting *first = queue.first;
  queue.first = NULL;
  queue.last = &queue.first;
  pthread_mutex_unlock(&queue.mutex);
  return first;
}

static void wake(Waiting *first) {
  pthread_mutex_lock(&queue.mutex);
  while (first) {
    // The thread may reuse its update as soon as the mutex is free.
    Waiting *next = first->next;
    first->is_durable = true;
    pthread_cond_signal(&first->durable);
    first = next;
  }
  pthread_mutex_unlock(&queue.mutex);
}

static void *writer(void *unused) {
  (void)unused;
  static Message messages[TOGETHER_LIMIT];
  for (Waiting *first; (first = take_waiting());) {
    int count = 0;
    for (Waiting *each = first; each; each = each->next) messages[count++] = each->message;
    job.applied += job.apply(job.store, messages, count);
    wake(first);
    if (job.tidy_up) job.tidy_up(job.store);
  }
  return NULL;
}

static void start_thread(pthread_t *thread, void *(*body)(void *)) {
  if (pthread_create(thread, NULL, body, NULL) == 0) return;
  fprintf(stderr, "store: no thread\n");
  exit(1);
}

double updates_run(void *store, ApplyTogether apply, TidyUp tidy_up, int64_t threads, int64_t updates) {
  if (threads > TOGETHER_LIMIT) {
    fprintf(stderr, "store: %lld threads; at most %d\n", (long long)threads, TOGETHER_LIMIT);
    exit(1);
  }
  job.store = store;
  job.apply = apply;
  job.tidy_up = tidy_up;
  job.updates = updates;
  pthread_t writing, clients[TOGETHER_LIMIT];
  const double start = clock_seconds();
  start_thread(&writing, writer);
  for (int64_t i = 0; i < threads; i++) start_thread(&clients[i], client);
  for (int64_t i = 0; i < threads; i++) pthread_join(clients[i], NULL);
  const double seconds = clock_seconds() - start;

  pthread_mutex_lock(&queue.mutex);
  queue.is_closed = true;
  pthread_cond_signal(&queue.arrived);
  pthread_mutex_unlock(&queue.mutex);
  pthread_join(writing, NULL);
  if (job.applied != updates) {
    fprintf(stderr, "store: %lld updates were written, %lld applied\n", (long long)updates, (long long)job.applied);
    exit(1);
  }
  return (double)updates / seconds;
}
