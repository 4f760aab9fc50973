// The far sides of an export in one process: a shop that answers pages from memory, and an OMS that takes every message
// and counts it. One clock is behind "first page asked for" and "last message taken".
//
// Of products it says that none has changed lately, so that polling finds nothing: what is measured is the full export.
// Orders are found by the first poll, and never again.
//
// Usage: shop-and-oms FOLDER HOST:PORT [RECORD]; ends at SIGTERM. FOLDER has `products` and `orders`, one JSON object a
// line, and `answers`, lines of a route, a tab and what it answers. RECORD gets the messages, in files named alike.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../criteria.h"
#include "../items.h"
#include "../tally.h"
#include "../whole_file.h"

enum { CONNECTION_BYTES = 128 << 10, CONNECTIONS = 256, ROUTES = 32, LARGEST_BODY = 4 << 20 };

typedef struct {
  // Below /rest/STORE/V1/, and below the OMS's address.
  const char *route, *path;
  Items items;
  Tally tally;
} Kind;

static Kind products = {.route = "products", .path = "/events"}, orders = {.route = "orders", .path = "/delegate/oms"};
static struct {
  const char *route, *text;
} answers[ROUTES];
static int answer_count;

// A message on its way in.
typedef struct {
  size_t bytes, room;
  char *text;
} Body;

static enum MHD_Result respond(struct MHD_Connection *connection, int status, struct MHD_Response *response) {
  MHD_add_response_header(response, "Content-Type", "application/json");
  const enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, int status, const char *text) {
  return respond(connection, status,
                 MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result add_argument(void *criteria, enum MHD_ValueKind kind, const char *name, const char *value) {
  (void)kind;
  criteria_add(criteria, name, value ? value : "");
  return MHD_YES;
}

static enum MHD_Result answer_page(struct MHD_Connection *connection, Kind *kind) {
  Criteria criteria = {.page_size = LARGEST_PAGE};
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, &criteria);
  criteria_conclude(&criteria);
  if (criteria.problem) {
    char text[200];
    snprintf(text, sizeof text, "{\"message\":\"%s\"}", criteria.problem);
    return respond_text(connection, MHD_HTTP_BAD_REQUEST, text);
  }
  const bool is_for_news = kind == &products ? criteria.has_until : criteria.has_since;
  const int64_t all = kind->items.count;
  const int64_t after = is_for_news || criteria.after > all ? all : criteria.after, left = all - after;
  const int64_t count = left < criteria.page_size ? left : criteria.page_size;
  if (count > 0) tally_page(&kind->tally, criteria.page_size);

  static const char head[] = "{\"items\":[";
  char *tail = allocate(64);
  const int tail_bytes = snprintf(tail, 64, "],\"total_count\":%lld}", (long long)left);
  size_t bytes;
  const char *slice = items_slice(&kind->items, after, count, &bytes);
  const struct MHD_IoVec parts[] = {{head, sizeof head - 1}, {slice, bytes}, {tail, (size_t)tail_bytes}};
  return respond(connection, MHD_HTTP_OK, MHD_create_response_from_iovec(parts, 3, free, tail));
}

static int write_tally(char *text, size_t room, const Kind *kind) {
  const Tally *t = &kind->tally;
  return snprintf(text, room,
                  "\"%s\":{\"pages\":%lld,\"page_size\":%lld,\"different\":%lld,\"repeated\":%lld,\"bytes\":%lld,"
                  "\"first_page\":%lld,\"last_body\":%lld}",
                  kind->route, (long long)t->pages, (long long)t->page_size, (long long)t->different,
                  (long long)t->repeated, (long long)t->bytes, (long long)t->first_page, (long long)t->last_body);
}

static enum MHD_Result answer_measured(struct MHD_Connection *connection) {
  char one[400], other[400], text[1000];
  write_tally(one, sizeof one, &products);
  write_tally(other, sizeof other, &orders);
  snprintf(text, sizeof text, "{%s,%s}", one, other);
  return respond_text(connection, MHD_HTTP_OK, text);
}

static enum MHD_Result answer_read(struct MHD_Connection *connection, const char *url) {
  if (strcmp(url, "/measured") == 0) return answer_measured(connection);
  const char *version = strstr(url, "/V1/");
  const char *route = version ? version + 4 : "";
  for (Kind *const *kind = (Kind *const[]){&products, &orders, NULL}; *kind; kind++) {
    if (strcmp(route, (*kind)->route) == 0) return answer_page(connection, *kind);
  }
  for (int i = 0; i < answer_count; i++) {
    if (strcmp(route, answers[i].route) == 0) return respond_text(connection, MHD_HTTP_OK, answers[i].text);
  }
  fprintf(stderr, "export: nothing to answer to GET %s\n", url);
  return respond_text(connection, MHD_HTTP_NOT_FOUND, "{\"message\":\"there is nothing here\"}");
}

static bool append(Body *body, const char *bytes, size_t count) {
  if (body->bytes + count >= body->room) {
    body->room = 2 * (body->bytes + count) + 1;
    if (body->room > LARGEST_BODY || !(body->text = realloc(body->text, body->room))) return false;
  }
  memcpy(body->text + body->bytes, bytes, count);
  body->bytes += count;
  body->text[body->bytes] = 0;
  return true;
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *bytes, size_t *count, void **slot) {
  (void)context, (void)version;
  if (strcmp(method, "GET") == 0) return answer_read(connection, url);
  Body *body = *slot;
  if (!body) {
    *slot = body = allocate(sizeof *body);
    *body = (Body){0};
    return MHD_YES;
  }
  if (*count > 0) {
    if (!append(body, bytes, *count)) return MHD_NO;
    *count = 0;
    return MHD_YES;
  }
  Kind *kind = strcmp(url, products.path) == 0 ? &products : strcmp(url, orders.path) == 0 ? &orders : NULL;
  if (kind && body->text) tally_body(&kind->tally, body->text, body->bytes);
  return respond_text(connection, MHD_HTTP_OK, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":true}");
}

static void completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  Body *body = *slot;
  if (body) free(body->text);
  free(body);
  *slot = NULL;
}

static const char *in(const char *folder, const char *name) {
  char *path = allocate(strlen(folder) + strlen(name) + 2);
  sprintf(path, "%s/%s", folder, name);
  return path;
}

static void read_answers(const char *path) {
  size_t bytes;
  for (char *line = strtok(whole_file(path, &bytes), "\n"); line; line = strtok(NULL, "\n")) {
    char *tab = strchr(line, '\t');
    if (!tab || answer_count == ROUTES) fail(line, "is no route, tab and answer, or one too many");
    *tab = 0;
    answers[answer_count].route = line;
    answers[answer_count++].text = tab + 1;
  }
}

int main(int count, char **arguments) {
  if (count < 3 || count > 4) {
    fprintf(stderr, "usage: shop-and-oms FOLDER HOST:PORT [RECORD]\n");
    return 2;
  }
  const char *folder = arguments[1], *record = count > 3 ? arguments[3] : NULL;
  products.items = items_read(in(folder, products.route));
  orders.items = items_read(in(folder, orders.route));
  read_answers(in(folder, "answers"));
  products.tally = tally_make("{\"product\":{\"id\":\"", products.items.count, record ? in(record, "products") : NULL);
  orders.tally = tally_make("{\"order\":{\"id\":\"", orders.items.count, record ? in(record, "orders") : NULL);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const char *colon = strrchr(arguments[2], ':');
  if (!colon) fail(arguments[2], "not HOST:PORT");
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, serve, NULL, MHD_OPTION_SOCK_ADDR, &name,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
      MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
  if (!daemon) fail(arguments[2], "can't be listened on");
  int signal;
  sigwait(&signals, &signal);
  MHD_stop_daemon(daemon);
  tally_close(&products.tally);
  tally_close(&orders.tally);
  return 0;
}
