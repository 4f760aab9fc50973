// A gRPC client for load: one thread, requests encoded beforehand.
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_LIMIT = 4096, MESSAGE_TEXT_LIMIT = 256 };

// One connection.
typedef struct Client Client;

// One call. The caller sets the first group and keeps the call alive until `ended` has been called.
typedef struct Call {
  const char *path;
  // One length-prefixed message or, for client-streaming, several.
  const uint8_t *request;
  size_t request_count;
  // Called when the stream has closed; may start the next call.
  void (*ended)(Client *client, struct Call *call);
  void *context;
  // How much of the request may be sent by now; NULL for all of it. It is asked again whenever something was received or sent.
  size_t (*released)(const struct Call *call);
  // Of gRPC, such as 10S, which it is when this is NULL.
  const char *timeout;

  size_t request_sent;
  int32_t stream;
  // The length-prefixed answer.
  uint8_t response[RESPONSE_LIMIT];
  size_t response_count;
  // -1 until the trailers have told it.
  int grpc_status;
  char grpc_message[MESSAGE_TEXT_LIMIT];
} Call;

// Connects to unix:PATH or HOST:PORT. Ends the process with a message when that fails: there is nothing to measure then.
Client *client_connect(const char *target);
void client_start(Client *client, Call *call);
// Returns when every call has ended.
void client_run(Client *client);
// The same for calls on several connections at the same time.
void clients_run(Client **clients, size_t count);
void client_close(Client *client);

// Ends the process when the call did not end with OK.
void call_require_ok(const Call *call);
// The int64 in field `number` of the answer; 0 when it is absent.
int64_t call_int64(const Call *call, uint32_t number);

#endif
