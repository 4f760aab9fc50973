// What a gRPC server has to read of a request's headers (gRPC over HTTP/2, section "Requests").
#ifndef FLOOR_REQUEST_H
#define FLOOR_REQUEST_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METADATA_LIMIT = 64 };

typedef enum { METHOD_UNKNOWN, METHOD_SYNCHRONOUS, METHOD_ASYNCHRONOUS } Method;

typedef struct {
  Method method;
  bool is_post, is_grpc, accepts_trailers, is_malformed;
  // CLOCK_MONOTONIC; UINT64_MAX without a grpc-timeout.
  uint64_t deadline_ns;
  // Everything that is not the protocol's own: names and values, held by reference.
  size_t metadata_count;
  struct { nghttp2_rcbuf *name, *value; } metadata[METADATA_LIMIT];
} Request;

uint64_t monotonic_ns(void);

void request_begin(Request *request);
void request_add_header(Request *request, nghttp2_rcbuf *name, nghttp2_rcbuf *value, uint64_t now_ns);
// Gives the metadata back.
void request_end(Request *request);

#endif
