// Streams a FULL snapshot to InventoryService.StreamStockSnapshots and prints the rows per second, from the first
// byte sent to the status received. Usage: load-stream unix:PATH ROWS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client.h"
#include "../clock.h"
#include "../requests.h"
#include "../rows.h"

static void ended(Client *client, Call *call) {
  (void)client;
  call_require_ok(call);
}

int main(int count, char **arguments) {
  const int64_t rows = count == 3 ? atoll(arguments[2]) : 0;
  if (rows <= 0) {
    fprintf(stderr, "usage: load-stream unix:PATH ROWS\n");
    return 2;
  }
  Buffer requests = {0};
  for (int64_t first = 0; first < rows; first += ROWS_PER_MESSAGE) {
    const int64_t left = rows - first;
    append_snapshot_request(&requests, MODE_FULL, CREATED_ON_SECONDS, first,
                            left < ROWS_PER_MESSAGE ? left : ROWS_PER_MESSAGE);
  }
  Client *client = client_connect(arguments[1]);
  Call call = {
      .path = "/omsconnector.v1.InventoryService/StreamStockSnapshots",
      .request = requests.bytes,
      .request_count = requests.count,
      .ended = ended,
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
