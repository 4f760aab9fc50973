// Streams a FULL of each aggregate to InventoryService.StreamStockSnapshots, and meanwhile, on other connections, streams of
// DELTAs. Replica number r has the FULLs of the aggregates a with a % replicas == r, and the DELTAs of those with
// (a + 1) % replicas == r: with more than one, the rows of a FULL and those of the DELTAs meet in the store only.
//
// Says "started" on standard error when the first byte is about to be sent. Prints the rows per second, from then to the last
// status received, and how many rows were stale.
// Usage: load-stream AGGREGATES SKUS full|both TARGET…
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client.h"
#include "../clock.h"
#include "../requests.h"

typedef struct Stream {
  Call call;
  Buffer requests;
  // Where each message ends.
  size_t *ends;
  int64_t rows;
  // Of DELTAs: the FULL that they keep step with.
  const struct Stream *full;
} Stream;

static Work work;

static void ended(Client *client, Call *call) {
  (void)client;
  call_require_ok(call);
}

// As many DELTAs as belong to the parts of the FULL that are sent.
static size_t released(const Call *call) {
  const Stream *deltas = call->context, *full = deltas->full;
  const int64_t part_count = parts_of(work);
  int64_t sent = 0;
  // Parts are of about the same size: near enough to begin there.
  if (full->call.request_sent == full->call.request_count) return call->request_count;
  sent = (int64_t)(full->call.request_sent / (full->call.request_count / (size_t)part_count + 1));
  while (sent < part_count && full->ends[sent] <= full->call.request_sent) sent++;
  while (sent > 0 && full->ends[sent - 1] > full->call.request_sent) sent--;
  const size_t allowed = sent ? deltas->ends[sent * DELTAS_PER_PART - 1] : 0;
  return allowed > call->request_sent ? allowed : call->request_sent;
}

static void add(Stream *stream, int64_t index, Message message) {
  append_snapshot_request(&stream->requests, &message);
  stream->ends[index] = stream->requests.count;
  stream->rows += message.rows;
}

static void prepare(Stream *stream, int aggregate, const Stream *full) {
  const int64_t count = full ? deltas_of(work) : parts_of(work);
  stream->ends = calloc((size_t)count, sizeof *stream->ends);
  if (!stream->ends) exit(1);
  for (int64_t i = 0; i < count; i++) add(stream, i, full ? delta(work, aggregate, i) : full_part(aggregate, i));
  stream->full = full;
  stream->call = (Call){
      .path = "/omsconnector.v1.InventoryService/StreamStockSnapshots",
      .request = stream->requests.bytes,
      .request_count = stream->requests.count,
      .ended = ended,
      .context = stream,
      .released = full ? released : NULL,
      .timeout = "600S",
  };
}

// Returns how many of its rows were stale.
static int64_t check(const Stream *stream) {
  const int64_t applied = call_int64(&stream->call, 1), stale = call_int64(&stream->call, 2);
  // Nothing is newer than the DELTAs.
  if (applied + stale != stream->rows || (stream->full && stale)) {
    fprintf(stderr, "load: of %lld rows of %s, %lld were applied and %lld stale\n", (long long)stream->rows,
            stream->full ? "DELTAs" : "a FULL", (long long)applied, (long long)stale);
    exit(1);
  }
  return stale;
}

int main(int count, char **arguments) {
  const int replicas = count - 4;
  if (replicas < 1 || replicas > 32 || !work_read(&work, arguments + 1)) {
    fprintf(stderr, "usage: load-stream AGGREGATES SKUS full|both TARGET… (SKUS: of each, a multiple of %d)\n",
            ROWS_PER_PART);
    return 2;
  }
  const bool has_deltas = strcmp(arguments[3], "both") == 0;
  Stream *fulls = calloc((size_t)work.aggregates, sizeof *fulls), *deltas = calloc((size_t)work.aggregates, sizeof *deltas);
  if (!fulls || !deltas) return 1;
  for (int i = 0; i < work.aggregates; i++) {
    prepare(&fulls[i], i, NULL);
    if (has_deltas) prepare(&deltas[i], i, &fulls[i]);
  }
  // Those of the FULLs come first: what they have sent decides what the others may send.
  Client *clients[64];
  const size_t client_count = (size_t)(has_deltas ? 2 * replicas : replicas);
  for (size_t i = 0; i < client_count; i++) clients[i] = client_connect(arguments[4 + i % (size_t)replicas]);

  fprintf(stderr, "started\n");
  const double start = clock_seconds();
  for (int i = 0; i < work.aggregates; i++) {
    client_start(clients[i % replicas], &fulls[i].call);
    if (has_deltas) client_start(clients[replicas + (i + 1) % replicas], &deltas[i].call);
  }
  clients_run(clients, client_count);
  const double seconds = clock_seconds() - start;

  int64_t rows = 0, stale = 0;
  for (int i = 0; i < work.aggregates; i++) {
    rows += fulls[i].rows + deltas[i].rows;
    stale += check(&fulls[i]);
    if (has_deltas) stale += check(&deltas[i]);
  }
  for (size_t i = 0; i < client_count; i++) client_close(clients[i]);
  printf("%.1f %lld\n", (double)rows / seconds, (long long)stale);
  return 0;
}
