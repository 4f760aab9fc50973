// Streams messages of neighbouring SKUs, or DELTAs of SKUs that lie far apart, into one aggregate of any size, each message newer
// than the one before. Prints the rows per second, from the first byte sent to the status received.
// Usage: load-parts TARGET SKUS ROWS neighbours|scattered FIRST_NUMBER (the messages' numbers count from there)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client.h"
#include "../clock.h"
#include "../requests.h"

static void ended(Client *client, Call *call) {
  (void)client;
  call_require_ok(call);
}

// Goes through the whole store in large steps, so that few messages see as much of it as many.
static Message message_number(Work work, int64_t number, bool is_scattered) {
  const int64_t parts = parts_of(work), step = work.skus / ROWS_PER_DELTA;
  Message message = full_part(0, number * 7919 % parts);
  // Every second value changes each time.
  message.quantity = number + 1;
  if (is_scattered)
    message = (Message){.rows = ROWS_PER_DELTA, .first = number * 7919 % step, .step = step, .quantity = 2000 + number};
  message.created_on_seconds = FULL_SECONDS + number;
  return message;
}

int main(int count, char **arguments) {
  Work work = {.aggregates = 1};
  const int64_t rows = count == 6 ? atoll(arguments[3]) : 0, first = count == 6 ? atoll(arguments[5]) : 0;
  const bool is_scattered = count == 6 && strcmp(arguments[4], "scattered") == 0;
  const int64_t rows_per_message = is_scattered ? ROWS_PER_DELTA : ROWS_PER_PART;
  if (count == 6) work.skus = atoll(arguments[2]);
  if (rows <= 0 || rows % rows_per_message || work.skus <= 0 || work.skus % ROWS_PER_PART) {
    fprintf(stderr, "usage: load-parts TARGET SKUS ROWS neighbours|scattered FIRST_NUMBER\n");
    return 2;
  }
  Buffer requests = {0};
  for (int64_t i = 0; i < rows / rows_per_message; i++) {
    const Message message = message_number(work, first + i, is_scattered);
    append_snapshot_request(&requests, &message);
  }
  Client *client = client_connect(arguments[1]);
  Call call = {
      .path = "/omsconnector.v1.InventoryService/StreamStockSnapshots",
      .request = requests.bytes,
      .request_count = requests.count,
      .ended = ended,
      .timeout = "600S",
  };
  const double start = clock_seconds();
  client_start(client, &call);
  client_run(client);
  const double seconds = clock_seconds() - start;
  client_close(client);
  free(requests.bytes);

  const int64_t applied = call_int64(&call, 1);
  if (applied != rows) {
    fprintf(stderr, "load: %lld rows were sent, %lld applied\n", (long long)rows, (long long)applied);
    return 1;
  }
  printf("%.1f\n", (double)rows / seconds);
  return 0;
}
