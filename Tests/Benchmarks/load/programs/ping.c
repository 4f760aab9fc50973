// One unary call after the other on one connection; prints the mean in microseconds.
// Usage: load-ping TARGET METHOD_PATH CALLS BYTES
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client.h"
#include "../clock.h"

typedef struct {
  int64_t left;
} Plan;

static void ended(Client *client, Call *call) {
  call_require_ok(call);
  if (call->response_count != call->request_count) {
    fprintf(stderr, "load: %zu bytes were sent, %zu came back\n", call->request_count, call->response_count);
    exit(1);
  }
  Plan *plan = call->context;
  if (--plan->left > 0) client_start(client, call);
}

static void run(Client *client, Call *call, int64_t calls) {
  Plan plan = {.left = calls};
  call->context = &plan;
  client_start(client, call);
  client_run(client);
}

int main(int count, char **arguments) {
  const int64_t calls = count == 5 ? atoll(arguments[3]) : 0, bytes = count == 5 ? atoll(arguments[4]) : -1;
  if (calls <= 0 || bytes < 0 || bytes > RESPONSE_LIMIT - 5) {
    fprintf(stderr, "usage: load-ping TARGET METHOD_PATH CALLS BYTES (at most %d)\n", RESPONSE_LIMIT - 5);
    return 2;
  }
  uint8_t message[RESPONSE_LIMIT] = {0};
  message[3] = (uint8_t)(bytes >> 8);
  message[4] = (uint8_t)bytes;
  memset(message + 5, 'x', (size_t)bytes);
  Call call = {.path = arguments[2], .request = message, .request_count = (size_t)bytes + 5, .ended = ended};
  Client *client = client_connect(arguments[1]);
  run(client, &call, calls / 10 + 1);  // warms it up
  const double start = clock_seconds();
  run(client, &call, calls);
  const double seconds = clock_seconds() - start;
  client_close(client);
  printf("%.3f\n", seconds / (double)calls * 1e6);
  return 0;
}
