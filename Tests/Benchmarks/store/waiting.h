// Threads that wait for a single-row update each, and one writer that commits all waiting updates together.
#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "../load/rows.h"

// Applies the messages in one transaction and returns, when it is durable, how many rows were applied.
typedef int (*ApplyTogether)(void *store, const Message *messages, int count);
// When those who waited have their answers; may be NULL.
typedef void (*TidyUp)(void *store);

// Makes `updates` updates and returns how many a second, once all are durable.
double updates_run(void *store, ApplyTogether apply, TidyUp tidy_up, int64_t threads, int64_t updates);

#endif
