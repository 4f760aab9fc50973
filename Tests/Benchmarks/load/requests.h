// Requests of InventoryService, encoded before the clock starts. Shares no code with the product, so that an encoding
// error of the product can't hide here.
#ifndef LOAD_REQUESTS_H
#define LOAD_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "rows.h"

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
} Buffer;

// Appends one length-prefixed message {StockSnapshot snapshot = 1}: ApplyStockSnapshotRequest and
// StreamStockSnapshotsRequest are alike.
void append_snapshot_request(Buffer *buffer, const Message *message);
// Appends one length-prefixed GetStockRequest.
void append_get_request(Buffer *buffer, int aggregate, int64_t number);

#endif
