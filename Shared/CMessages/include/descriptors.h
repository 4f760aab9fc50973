// What the .proto files say, for reflection and for the gateway, which forwards what it has no code for.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cm_idempotency { CM_IDEMPOTENCY_UNKNOWN, CM_NO_SIDE_EFFECTS, CM_IDEMPOTENT } cm_idempotency;

typedef struct cm_method {
  const char *name;
  const char *path;  // "/package.Service/Method"
  const char *request;
  const char *response;
  cm_idempotency idempotency;
  bool client_streaming;
  bool server_streaming;
} cm_method;

typedef struct cm_service {
  const char *name;  // fully qualified, as all names here
  const cm_method *methods;
  size_t method_count;
} cm_service;

typedef struct cm_file {
  const char *name;
  const uint8_t *bytes;  // a serialized FileDescriptorProto, without comments
  size_t byte_count;
  const char *const *dependencies;
  size_t dependency_count;
  const char *const *symbols;  // messages, fields, oneofs, enums, enum values, services, methods
  size_t symbol_count;
  const cm_service *services;
  size_t service_count;
} cm_file;

extern const cm_file cm_files[];
extern const size_t cm_file_count;

// Swift cannot index an array of unknown length. NULL beyond the end.
static inline const cm_file *cm_file_at(size_t index) { return index < cm_file_count ? &cm_files[index] : NULL; }
