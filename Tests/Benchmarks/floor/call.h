// One unary echo call, and the nghttp2 callbacks that carry it.
#ifndef FLOOR_CALL_H
#define FLOOR_CALL_H

#include "request.h"

enum { MESSAGE_LIMIT = 4 << 20, PREFIX_LENGTH = 5 };

typedef struct Call {
  int32_t stream_id;
  Request request;
  // The request's length-prefixed message, which is also the answer's.
  uint8_t *message;
  size_t count, capacity, sent;
  bool is_too_large;
  // The pool of finished calls.
  struct Call *next;
} Call;

// What a session's callbacks get as user data.
typedef struct {
  Call *pool;
  // Read once for each batch of input.
  uint64_t now_ns;
} Calls;

void calls_free(Calls *calls);
nghttp2_session_callbacks *call_callbacks(void);

#endif
