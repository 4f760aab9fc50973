// Requests of InventoryService, encoded before the clock starts. Shares no code with the product, so that an encoding
// error of the product can't hide here.
#ifndef LOAD_REQUESTS_H
#define LOAD_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
} Buffer;

// Appends one length-prefixed message {StockSnapshot snapshot = 1}: ApplyStockSnapshotRequest and
// StreamStockSnapshotsRequest are alike. The rows are those of rows.h from `first` on.
void append_snapshot_request(Buffer *buffer, int32_t mode, int64_t created_on_seconds, int64_t first, int64_t rows);

enum { MODE_FULL = 1, MODE_DELTA = 2 };

#endif
