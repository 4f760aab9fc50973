// The store on a PostgreSQL server as Services/Inventory has it, for bare loops in C over libpq's pipeline mode.
//
// The service's statements, with as few waits for the server as their results allow: of a transaction, one for what
// is stored, and one for everything that is written.
#ifndef STORE_POSTGRESQL_STORE_H
#define STORE_POSTGRESQL_STORE_H

#include <libpq-fe.h>

#include "../rows.h"

typedef struct {
  PGconn *connection;
  const SKU *skus;
  // Of the rows of all messages of a transaction.
  Stored *stored;
  int stored_limit;
  bool together;
  int sent;
} Store;

// Every function ends the process with a message when the server refuses.

// `url` is the server's; `folder` has the statements. A transaction may have `rows` rows. `together`: what a message writes goes
// to the server as arrays, in one statement a table, as by the service where a message has several rows; else in one a row.
void store_open(Store *store, const char *url, const char *folder, int rows, bool together, const SKU *skus);
void store_close(Store *store);
// Applies messages of one aggregate, each SKU in one of them at most, in one transaction; returns, when that is durable, how
// many rows were applied. The others are stale. Other connections can't apply messages of the aggregate meanwhile.
int store_apply(Store *store, const Message *messages, int count);

#endif
