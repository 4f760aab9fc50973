#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_ID_LENGTH = 36, TRACEPARENT_LENGTH = 55, DEFERRED_LIMIT = 64, CLIENT_LIMIT = 64 };

struct Client {
  int descriptor;
  nghttp2_session *session;
  size_t in_flight;
  unsigned long long started;
  // Calls that have sent what they may send by now.
  Call *deferred[DEFERRED_LIMIT];
  size_t deferred_count;
  uint8_t input[256 << 10], output[256 << 10];
};

static void fail(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static void require(int error, const char *what) {
  if (error < 0) fail(what, nghttp2_strerror(error));
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user_data) {
  (void)flags, (void)user_data;
  Call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!call) return 0;
  if (name_length == 11 && memcmp(name, "grpc-status", 11) == 0) call->grpc_status = atoi((const char *)value);
  if (name_length == 12 && memcmp(name, "grpc-message", 12) == 0) {
    const size_t length = value_length < MESSAGE_TEXT_LIMIT - 1 ? value_length : MESSAGE_TEXT_LIMIT - 1;
    memcpy(call->grpc_message, value, length);
    call->grpc_message[length] = 0;
  }
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t count,
                   void *user_data) {
  (void)flags, (void)user_data;
  Call *call = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!call) return 0;
  if (call->response_count + count > RESPONSE_LIMIT) fail(call->path, "the answer is longer than expected");
  memcpy(call->response + call->response_count, bytes, count);
  call->response_count += count;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user_data) {
  (void)error_code;
  Client *client = user_data;
  Call *call = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!call) return 0;
  client->in_flight--;
  call->ended(client, call);
  return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t length,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data) {
  (void)session, (void)stream_id;
  Client *client = user_data;
  Call *call = source->ptr;
  const size_t left = call->request_count - call->request_sent;
  size_t count = left < length ? left : length;
  if (call->released) {
    const size_t released = call->released(call) - call->request_sent;
    if (released == 0 && left > 0) {
      if (client->deferred_count == DEFERRED_LIMIT) fail(call->path, "too many calls wait for others");
      client->deferred[client->deferred_count++] = call;
      return NGHTTP2_ERR_DEFERRED;
    }
    if (released < count) count = released;
  }
  memcpy(buffer, call->request + call->request_sent, count);
  call->request_sent += count;
  if (count == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)count;
}

static int connect_unix(const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof name.sun_path) fail(path, "the path is longer than 107 bytes");
  strcpy(name.sun_path, path);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof name)) fail(path, strerror(errno));
  return descriptor;
}

static int connect_tcp(const char *target) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  char host[INET_ADDRSTRLEN];
  const char *colon = strrchr(target, ':');
  if (!colon || (size_t)(colon - target) >= sizeof host) fail(target, "neither unix:PATH nor HOST:PORT");
  memcpy(host, target, (size_t)(colon - target));
  host[colon - target] = 0;
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  if (inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host, "not an IPv4 address");
  const int on = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof name)) fail(target, strerror(errno));
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

Client *client_connect(const char *target) {
  Client *client = calloc(1, sizeof *client);
  if (!client) fail(target, "no memory");
  client->descriptor = strncmp(target, "unix:", 5) == 0 ? connect_unix(target + 5) : connect_tcp(target);
  nghttp2_session_callbacks *callbacks;
  require(nghttp2_session_callbacks_new(&callbacks), "callbacks");
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  require(nghttp2_session_client_new(&client->session, callbacks, client), "session");
  nghttp2_session_callbacks_del(callbacks);
  require(nghttp2_submit_settings(client->session, 0, NULL, 0), "settings");
  return client;
}

#define HEADER(name, value)                                                                     \
  {                                                                                             \
    (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1,                 \
        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                            \
  }

void client_start(Client *client, Call *call) {
  call->request_sent = call->response_count = 0;
  call->grpc_status = -1;
  call->grpc_message[0] = 0;
  char request_id[REQUEST_ID_LENGTH + 1], traceparent[TRACEPARENT_LENGTH + 1];
  const unsigned long long number = ++client->started;
  snprintf(request_id, sizeof request_id, "3f1c2a9e-7b0d-4c55-9a1e-%012llx", number & 0xffffffffffff);
  snprintf(traceparent, sizeof traceparent, "00-4bf92f3577b34da6a3ce%012llx-00f067aa0ba902b7-01",
           number & 0xffffffffffff);
  nghttp2_nv headers[] = {
      HEADER(":method", "POST"), HEADER(":scheme", "http"),  HEADER(":authority", "localhost"),
      HEADER(":path", ""),       HEADER("te", "trailers"),   HEADER("content-type", "application/grpc"),
      HEADER("grpc-timeout", ""),
      // Of each call its own, as it is in life: a server that remembers what it has read before gains nothing.
      {(uint8_t *)"x-request-id", (uint8_t *)request_id, 12, REQUEST_ID_LENGTH, NGHTTP2_NV_FLAG_NO_COPY_NAME},
      {(uint8_t *)"traceparent", (uint8_t *)traceparent, 11, TRACEPARENT_LENGTH, NGHTTP2_NV_FLAG_NO_COPY_NAME},
  };
  headers[3].value = (uint8_t *)call->path;
  headers[3].valuelen = strlen(call->path);
  const char *timeout = call->timeout ? call->timeout : "10S";
  headers[6].value = (uint8_t *)timeout;
  headers[6].valuelen = strlen(timeout);
  const nghttp2_data_provider provider = {.source = {.ptr = call}, .read_callback = read_request};
  const size_t count = sizeof headers / sizeof *headers;
  const int32_t stream = nghttp2_submit_request(client->session, NULL, headers, count, &provider, call);
  require(stream, call->path);
  call->stream = stream;
  client->in_flight++;
}

static void write_all(Client *client, const uint8_t *bytes, size_t count) {
  while (count) {
    const ssize_t written = send(client->descriptor, bytes, count, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("send", strerror(errno));
    bytes += written;
    count -= (size_t)written;
  }
}

// Sends what the peer's windows allow. Blocking is fine: the answers are far smaller than the socket's buffers.
static void send_pending(Client *client) {
  size_t count = 0;
  for (;;) {
    const uint8_t *frames;
    const ssize_t length = nghttp2_session_mem_send(client->session, &frames);
    require((int)length, "send");
    if (length == 0 || count + (size_t)length > sizeof client->output) {
      write_all(client, client->output, count);
      count = 0;
      if (length == 0) return;
    }
    memcpy(client->output + count, frames, (size_t)length);
    count += (size_t)length;
  }
}

static void resume_released(Client *client) {
  size_t kept = 0;
  for (size_t i = 0; i < client->deferred_count; i++) {
    Call *call = client->deferred[i];
    if (call->released(call) == call->request_sent) {
      client->deferred[kept++] = call;
    } else {
      require(nghttp2_session_resume_data(client->session, call->stream), call->path);
    }
  }
  client->deferred_count = kept;
}

static void receive(Client *client) {
  ssize_t count;
  do count = read(client->descriptor, client->input, sizeof client->input);
  while (count < 0 && errno == EINTR);
  if (count <= 0) fail("read", count ? strerror(errno) : "the server closed the connection");
  require((int)nghttp2_session_mem_recv(client->session, client->input, (size_t)count), "receive");
}

void client_run(Client *client) {
  send_pending(client);
  while (client->in_flight) {
    receive(client);
    send_pending(client);
  }
}

void clients_run(Client **clients, size_t count) {
  struct pollfd polled[CLIENT_LIMIT];
  if (count > CLIENT_LIMIT) fail("connections", "too many");
  for (;;) {
    size_t in_flight = 0;
    for (size_t i = 0; i < count; i++) {
      resume_released(clients[i]);
      send_pending(clients[i]);
      in_flight += clients[i]->in_flight;
      polled[i] = (struct pollfd){.fd = clients[i]->descriptor, .events = POLLIN};
    }
    if (in_flight == 0) return;
    if (poll(polled, count, -1) < 0 && errno != EINTR) fail("poll", strerror(errno));
    for (size_t i = 0; i < count; i++)
      if (polled[i].revents) receive(clients[i]);
  }
}

void client_close(Client *client) {
  nghttp2_session_del(client->session);
  close(client->descriptor);
  free(client);
}

void call_require_ok(const Call *call) {
  if (call->grpc_status == 0) return;
  fprintf(stderr, "load: %s ended with status %d: %s\n", call->path, call->grpc_status, call->grpc_message);
  exit(1);
}

static uint64_t read_varint(const uint8_t **position, const uint8_t *end) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && *position < end; shift += 7) {
    const uint8_t byte = *(*position)++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  fail("answer", "a varint does not end");
  return 0;
}

int64_t call_int64(const Call *call, uint32_t number) {
  if (call->response_count < 5) fail(call->path, "the answer has no message");
  const uint8_t *position = call->response + 5, *end = call->response + call->response_count;
  while (position < end) {
    const uint64_t tag = read_varint(&position, end);
    if ((tag & 7) == 0) {
      const uint64_t value = read_varint(&position, end);
      if (tag >> 3 == number) return (int64_t)value;
    } else if ((tag & 7) == 2) {
      const uint64_t length = read_varint(&position, end);
      if (length > (uint64_t)(end - position)) fail(call->path, "the answer is cut off");
      position += length;
    } else {
      fail(call->path, "the answer has a field of an unexpected type");
    }
  }
  return 0;
}
