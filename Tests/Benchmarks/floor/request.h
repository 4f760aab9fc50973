// What a gRPC server has to read of a request's headers (gRPC over HTTP/2, section "Requests").
#ifndef FLOOR_REQUEST_H
#define FLOOR_REQUEST_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METADATA_LIMIT = 64, METADATA_BYTES_LIMIT = 8 << 10 };

typedef enum { METHOD_UNKNOWN, METHOD_SYNCHRONOUS, METHOD_ASYNCHRONOUS } Method;

typedef struct {
  Method method;
  bool is_post, is_grpc, accepts_trailers, is_malformed;
  // CLOCK_MONOTONIC; UINT64_MAX without a grpc-timeout.
  uint64_t deadline_ns;
  // Everything that is not the protocol's own, copied as a handler needs it: in nghttp2's memory it is gone as soon as
  // the next header block has been read, unless each name and value is counted and given back.
  size_t metadata_count, metadata_bytes_count;
  struct { const char *name, *value; size_t name_count, value_count; } metadata[METADATA_LIMIT];
  char metadata_bytes[METADATA_BYTES_LIMIT];
} Request;

uint64_t monotonic_ns(void);

void request_begin(Request *request);
void request_add_header(Request *request, nghttp2_vec name, nghttp2_vec value, uint64_t now_ns);

#endif
