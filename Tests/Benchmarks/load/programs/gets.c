// InventoryService.GetStock of SKUs all over the store, a fixed number in flight. Prints the 50th and the 99th percentile of the
// calls' times in microseconds, and the calls per second; the first fifth of the time does not count.
// Usage: load-gets TARGET AGGREGATES SKUS IN_FLIGHT SECONDS
#include <stdio.h>
#include <stdlib.h>

#include "../client.h"
#include "../clock.h"
#include "../requests.h"

enum { REQUESTS = 20000, CALL_LIMIT = 10000000, FEWEST_CALLS = 1000 };

typedef struct {
  Buffer requests;
  size_t offsets[REQUESTS + 1];
  int64_t count;
  double warm, end;
  float *times;
} Plan;

typedef struct {
  Call call;
  double start;
} Get;

static Plan plan;

static void start_next(Client *client, Get *get) {
  const size_t *offset = plan.offsets + (size_t)rand() % REQUESTS;
  get->call.request = plan.requests.bytes + offset[0];
  get->call.request_count = offset[1] - offset[0];
  get->start = clock_seconds();
  client_start(client, &get->call);
}

static void ended(Client *client, Call *call) {
  Get *get = call->context;
  call_require_ok(call);
  const double now = clock_seconds();
  if (now >= plan.warm && plan.count < CALL_LIMIT) plan.times[plan.count++] = (float)(now - get->start);
  if (now < plan.end) start_next(client, get);
}

static int compare(const void *a, const void *b) {
  const float left = *(const float *)a, right = *(const float *)b;
  return (left > right) - (left < right);
}

int main(int count, char **arguments) {
  Work work;
  const int in_flight = count == 6 ? atoi(arguments[4]) : 0;
  const double seconds = count == 6 ? atof(arguments[5]) : 0;
  if (in_flight <= 0 || seconds <= 0 || !work_read(&work, arguments + 2)) {
    fprintf(stderr, "usage: load-gets TARGET AGGREGATES SKUS IN_FLIGHT SECONDS\n");
    return 2;
  }
  plan.times = calloc(CALL_LIMIT, sizeof *plan.times);
  Get *gets = calloc((size_t)in_flight, sizeof *gets);
  if (!plan.times || !gets) return 1;
  // The same SKUs each time.
  srand(1);
  for (int i = 0; i < REQUESTS; i++) {
    append_get_request(&plan.requests, rand() % work.aggregates, rand() % work.skus);
    plan.offsets[i + 1] = plan.requests.count;
  }
  Client *client = client_connect(arguments[1]);
  plan.warm = clock_seconds() + seconds / 5;
  plan.end = plan.warm + seconds * 4 / 5;
  for (int i = 0; i < in_flight; i++) {
    gets[i].call = (Call){.path = "/omsconnector.v1.InventoryService/GetStock", .ended = ended, .context = &gets[i]};
    start_next(client, &gets[i]);
  }
  client_run(client);
  client_close(client);

  if (plan.count < FEWEST_CALLS || plan.count == CALL_LIMIT) {
    fprintf(stderr, "load: %lld calls in %g s; between %d and %d are needed\n", (long long)plan.count, seconds,
            FEWEST_CALLS, CALL_LIMIT);
    return 1;
  }
  qsort(plan.times, (size_t)plan.count, sizeof *plan.times, compare);
  printf("%.1f %.1f %.1f\n", plan.times[plan.count / 2] * 1e6, plan.times[plan.count * 99 / 100] * 1e6,
         (double)plan.count / (seconds * 4 / 5));
  return 0;
}
