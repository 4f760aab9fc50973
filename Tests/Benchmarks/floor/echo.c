// The floor for a gRPC server on nghttp2: the same library, the same epoll loop and the same reading of requests as
// Shared/RPC, in C and without anything above it. Usage: echo HOST:PORT (HOST is an IPv4 address).
//
// It answers /benchmark.Echo/Synchronous and /Asynchronous like the product `benchmark-echo`: same bytes out, trailers
// with grpc-status 0.
#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_LIMIT = 256, BACKLOG = 1024 };

static void fail(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int listen_on(const char *address) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  char host[INET_ADDRSTRLEN];
  const char *colon = strrchr(address, ':');
  if (!colon || (size_t)(colon - address) >= sizeof host) {
    fprintf(stderr, "floor: \"%s\" is not HOST:PORT with an IPv4 address\n", address);
    exit(2);
  }
  memcpy(host, address, (size_t)(colon - address));
  host[colon - address] = 0;
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  if (inet_pton(AF_INET, host, &name.sin_addr) != 1) {
    fprintf(stderr, "floor: \"%s\" is not an IPv4 address\n", host);
    exit(2);
  }
  const int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&name, sizeof name)) fail(address);
  if (listen(listener, BACKLOG)) fail("listen");
  return listener;
}

static void accept_connections(int epoll, int listener, nghttp2_session_callbacks *callbacks, nghttp2_option *option) {
  for (;;) {
    const int on = 1, descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
      fail("accept4");
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = connection_open(descriptor, callbacks, option);
    if (!connection) fail("no memory for a connection");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
  }
}

static void serve(int epoll, Connection *connection, uint32_t events) {
  const bool was_blocked = connection->unsent != NULL;
  bool is_open = true;
  if (events & EPOLLOUT) is_open = connection_writable(connection);
  if (is_open && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) is_open = connection_readable(connection);
  if (!is_open) {
    connection_close(connection);
    return;
  }
  const bool is_blocked = connection->unsent != NULL;
  if (is_blocked == was_blocked) return;
  struct epoll_event event = {.events = is_blocked ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event)) fail("epoll_ctl");
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: echo HOST:PORT\n");
    return 2;
  }
  nghttp2_session_callbacks *callbacks = call_callbacks();
  nghttp2_option *option;
  if (!callbacks || nghttp2_option_new(&option)) fail("nghttp2");
  nghttp2_option_set_no_closed_streams(option, 1);

  const int listener = listen_on(arguments[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS_LIMIT];
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) fail("epoll_ctl");

  for (;;) {
    const int ready = epoll_wait(epoll, events, EVENTS_LIMIT, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr) serve(epoll, events[i].data.ptr, events[i].events);
      else accept_connections(epoll, listener, callbacks, option);
    }
  }
}
