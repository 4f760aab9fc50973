// Delivers callbacks as the OMS does: keep-alive connections, each with one message under way, until all are answered
// with `"result":true`. Prints how many were answered a second.
// Usage: callbacks HOST:PORT SECRET CONNECTIONS FIRST COUNT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../load/clock.h"
#include "../message.h"

enum { CONNECTION_LIMIT = 1024, ANSWER_LIMIT = 4096 };

typedef struct {
  int descriptor;
  size_t count;
  char answer[ANSWER_LIMIT + 1];
} Connection;

static const char *address, *secret;
static int64_t next_index, end_index;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "callbacks: %s: %s\n", what, why);
  exit(1);
}

static int connect_tcp(void) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  char host[INET_ADDRSTRLEN];
  const char *colon = strrchr(address, ':');
  if (!colon || (size_t)(colon - address) >= sizeof host) fail(address, "not HOST:PORT");
  memcpy(host, address, (size_t)(colon - address));
  host[colon - address] = 0;
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  if (inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host, "not an IPv4 address");
  const int on = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof name)) fail(address, strerror(errno));
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

// A request is far smaller than the socket's buffer, which is empty between two of them, so this does not block.
static void send_next(Connection *connection) {
  char request[REQUEST_LIMIT];
  const size_t count = write_request(request, address, secret, next_index++);
  connection->count = 0;
  if (send(connection->descriptor, request, count, MSG_NOSIGNAL) != (ssize_t)count) fail("send", strerror(errno));
}

static bool is_answered(Connection *connection) {
  connection->answer[connection->count] = 0;
  const char *end = strstr(connection->answer, "\r\n\r\n");
  if (!end) return false;
  const char *length = strcasestr(connection->answer, "\r\nContent-Length:");
  if (!length || length > end) fail("answer without Content-Length", connection->answer);
  const size_t expected = (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
  if (connection->count < expected) return false;
  if (connection->count > expected) fail("more than an answer", connection->answer);
  if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0 || !strstr(end, "\"result\":true")) {
    fail("not accepted", connection->answer);
  }
  return true;
}

// Returns whether the answer is there whole.
static bool receive(Connection *connection) {
  const ssize_t count = recv(connection->descriptor, connection->answer + connection->count,
                             ANSWER_LIMIT - connection->count, MSG_DONTWAIT);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (count <= 0) fail("receive", count < 0 ? strerror(errno) : "the connection is closed, or an answer too long");
  connection->count += (size_t)count;
  return is_answered(connection);
}

static void deliver_all(Connection *connections, int count) {
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  if (poll < 0) fail("epoll", strerror(errno));
  int under_way = 0;
  for (int i = 0; i < count && next_index < end_index; i++, under_way++) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &connections[i]}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].descriptor, &event)) fail("epoll", strerror(errno));
    send_next(&connections[i]);
  }
  while (under_way > 0) {
    struct epoll_event events[64];
    const int ready = epoll_wait(poll, events, 64, -1);
    if (ready < 0 && errno != EINTR) fail("epoll", strerror(errno));
    for (int i = 0; i < ready; i++) {
      Connection *connection = events[i].data.ptr;
      if (!receive(connection)) continue;
      if (next_index < end_index) {
        send_next(connection);
      } else {
        under_way--;
      }
    }
  }
  close(poll);
}

int main(int count, char **arguments) {
  const int connection_count = count == 6 ? atoi(arguments[3]) : 0;
  const int64_t messages = count == 6 ? atoll(arguments[5]) : 0;
  if (connection_count <= 0 || connection_count > CONNECTION_LIMIT || messages <= 0) {
    fprintf(stderr, "usage: callbacks HOST:PORT SECRET CONNECTIONS FIRST COUNT\n");
    return 2;
  }
  address = arguments[1];
  secret = arguments[2];
  next_index = atoll(arguments[4]);
  end_index = next_index + messages;
  Connection *connections = calloc((size_t)connection_count, sizeof *connections);
  if (!connections) fail("connections", "no memory");
  for (int i = 0; i < connection_count; i++) connections[i].descriptor = connect_tcp();

  const double start = clock_seconds();
  deliver_all(connections, connection_count);
  const double seconds = clock_seconds() - start;

  for (int i = 0; i < connection_count; i++) close(connections[i].descriptor);
  free(connections);
  printf("%.1f\n", (double)messages / seconds);
  return 0;
}
