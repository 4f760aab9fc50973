// Single-row updates by InventoryService.ApplyStockSnapshot, a fixed number in flight, and prints the updates per
// second. Usage: load-updates TARGET IN_FLIGHT UPDATES
#include <stdio.h>
#include <stdlib.h>

#include "../client.h"
#include "../clock.h"
#include "../requests.h"

typedef struct {
  Buffer requests;
  // Where each request starts; one more marks the end.
  size_t *offsets;
  int64_t updates, started, applied;
} Plan;

static void start_next(Client *client, Call *call) {
  Plan *plan = call->context;
  if (plan->started == plan->updates) return;
  const size_t *offset = plan->offsets + plan->started++;
  call->request = plan->requests.bytes + offset[0];
  call->request_count = offset[1] - offset[0];
  client_start(client, call);
}

static void ended(Client *client, Call *call) {
  Plan *plan = call->context;
  call_require_ok(call);
  plan->applied += call_int64(call, 1);
  start_next(client, call);
}

static void prepare(Plan *plan) {
  plan->offsets = calloc((size_t)plan->updates + 1, sizeof *plan->offsets);
  if (!plan->offsets) exit(1);
  for (int64_t i = 0; i < plan->updates; i++) {
    const Message message = update(i);
    append_snapshot_request(&plan->requests, &message);
    plan->offsets[i + 1] = plan->requests.count;
  }
}

int main(int count, char **arguments) {
  const int64_t in_flight = count == 4 ? atoll(arguments[2]) : 0, updates = count == 4 ? atoll(arguments[3]) : 0;
  if (in_flight <= 0 || updates < in_flight) {
    fprintf(stderr, "usage: load-updates TARGET IN_FLIGHT UPDATES\n");
    return 2;
  }
  Plan plan = {.updates = updates};
  prepare(&plan);
  Call *calls = calloc((size_t)in_flight, sizeof *calls);
  if (!calls) return 1;
  Client *client = client_connect(arguments[1]);
  const double start = clock_seconds();
  for (int64_t i = 0; i < in_flight; i++) {
    calls[i] = (Call){
        .path = "/omsconnector.v1.InventoryService/ApplyStockSnapshot", .ended = ended, .context = &plan};
    start_next(client, &calls[i]);
  }
  client_run(client);
  const double seconds = clock_seconds() - start;
  client_close(client);
  free(calls);
  free(plan.requests.bytes);
  free(plan.offsets);

  if (plan.applied != updates) {
    fprintf(stderr, "load: %lld updates were sent, %lld applied\n", (long long)updates, (long long)plan.applied);
    return 1;
  }
  printf("%.1f\n", (double)updates / seconds);
  return 0;
}
