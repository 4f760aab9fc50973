// One HTTP/2 connection: a batch of input in, the whole output out.
#ifndef FLOOR_CONNECTION_H
#define FLOOR_CONNECTION_H

#include "call.h"

typedef struct {
  int descriptor;
  nghttp2_session *session;
  Calls calls;
  // Output that the socket did not take; nothing is read while there is some.
  uint8_t *unsent;
  size_t unsent_count, unsent_sent;
} Connection;

// Takes the descriptor over. NULL when there is no memory.
Connection *connection_open(int descriptor, const nghttp2_session_callbacks *callbacks, const nghttp2_option *option);
void connection_close(Connection *connection);
// Both return false when the connection is over.
bool connection_readable(Connection *connection);
bool connection_writable(Connection *connection);

#endif
