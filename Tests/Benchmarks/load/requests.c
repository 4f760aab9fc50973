#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// proto/omsconnector/v1/stock.proto and inventory.proto. Tag = field number << 3 | wire type (0 varint, 2 length-delimited).
enum {
  REQUEST_SNAPSHOT = 1 << 3 | 2,
  SNAPSHOT_AGGREGATE_ID = 1 << 3 | 2,
  SNAPSHOT_MODE = 2 << 3,
  SNAPSHOT_CREATED_ON = 3 << 3 | 2,
  SNAPSHOT_STOCK = 4 << 3 | 2,
  TIMESTAMP_SECONDS = 1 << 3,
  ITEM_SKU = 1 << 3 | 2,
  ITEM_QUANTITY = 2 << 3,
  GET_AGGREGATE_ID = 1 << 3 | 2,
  GET_SKU = 2 << 3 | 2,
};

static void append(Buffer *buffer, const void *bytes, size_t count) {
  if (buffer->count + count > buffer->capacity) {
    buffer->capacity = (buffer->count + count) * 2;
    buffer->bytes = realloc(buffer->bytes, buffer->capacity);
    if (!buffer->bytes) {
      fprintf(stderr, "load: no memory for %zu bytes of requests\n", buffer->capacity);
      exit(1);
    }
  }
  memcpy(buffer->bytes + buffer->count, bytes, count);
  buffer->count += count;
}

static void append_varint(Buffer *buffer, uint64_t value) {
  uint8_t bytes[10];
  size_t count = 0;
  do {
    bytes[count++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value);
  append(buffer, bytes, count);
}

static void append_integer(Buffer *buffer, uint8_t tag, int64_t value) {
  append_varint(buffer, tag);
  append_varint(buffer, (uint64_t)value);
}

static void append_bytes(Buffer *buffer, uint8_t tag, const void *bytes, size_t count) {
  append_varint(buffer, tag);
  append_varint(buffer, count);
  append(buffer, bytes, count);
}

static void append_item(Buffer *buffer, Buffer *item, const Message *message, int row) {
  char sku[SKU_LIMIT];
  item->count = 0;
  append_bytes(item, ITEM_SKU, sku, row_sku(sku, message_sku(message, row)));
  append_integer(item, ITEM_QUANTITY, message_quantity(message, row));
  append_bytes(buffer, SNAPSHOT_STOCK, item->bytes, item->count);
}

static void append_prefixed(Buffer *buffer, const Buffer *message) {
  const uint32_t length = (uint32_t)message->count;
  const uint8_t prefix[5] = {
      0, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
  append(buffer, prefix, sizeof prefix);
  append(buffer, message->bytes, message->count);
}

void append_snapshot_request(Buffer *buffer, const Message *message) {
  enum { MODE_FULL = 1, MODE_DELTA = 2 };
  Buffer snapshot = {0}, part = {0}, request = {0};
  char aggregate[AGGREGATE_LIMIT];
  append_bytes(&snapshot, SNAPSHOT_AGGREGATE_ID, aggregate, row_aggregate(aggregate, message->aggregate));
  append_integer(&snapshot, SNAPSHOT_MODE, message->is_full ? MODE_FULL : MODE_DELTA);
  append_integer(&part, TIMESTAMP_SECONDS, message->created_on_seconds);
  append_bytes(&snapshot, SNAPSHOT_CREATED_ON, part.bytes, part.count);
  for (int row = 0; row < message->rows; row++) append_item(&snapshot, &part, message, row);
  append_bytes(&request, REQUEST_SNAPSHOT, snapshot.bytes, snapshot.count);
  append_prefixed(buffer, &request);
  free(snapshot.bytes);
  free(part.bytes);
  free(request.bytes);
}

void append_get_request(Buffer *buffer, int aggregate, int64_t number) {
  Buffer request = {0};
  char name[AGGREGATE_LIMIT], sku[SKU_LIMIT];
  append_bytes(&request, GET_AGGREGATE_ID, name, row_aggregate(name, aggregate));
  append_bytes(&request, GET_SKU, sku, row_sku(sku, number));
  append_prefixed(buffer, &request);
  free(request.bytes);
}
