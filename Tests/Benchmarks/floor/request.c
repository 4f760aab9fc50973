#include "request.h"

#include <string.h>
#include <time.h>

uint64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void request_begin(Request *request) {
  request->method = METHOD_UNKNOWN;
  request->is_post = request->is_grpc = request->accepts_trailers = request->is_malformed = false;
  request->deadline_ns = UINT64_MAX;
  request->metadata_count = request->metadata_bytes_count = 0;
}

#define EQUALS(vec, text) ((vec).len == sizeof(text) - 1 && memcmp((vec).base, text, sizeof(text) - 1) == 0)

static Method method_at(nghttp2_vec path) {
  if (EQUALS(path, "/benchmark.Echo/Synchronous")) return METHOD_SYNCHRONOUS;
  if (EQUALS(path, "/benchmark.Echo/Asynchronous")) return METHOD_ASYNCHRONOUS;
  return METHOD_UNKNOWN;
}

// application/grpc, or that with a suffix (+proto) or a parameter (;charset=…).
static bool is_grpc_content_type(nghttp2_vec value) {
  static const char type[] = "application/grpc";
  const size_t length = sizeof type - 1;
  if (value.len < length || memcmp(value.base, type, length) != 0) return false;
  return value.len == length || value.base[length] == '+' || value.base[length] == ';';
}

// grpc-timeout: at most eight digits and a unit. False when it is neither.
static bool parse_timeout(nghttp2_vec value, uint64_t *timeout_ns) {
  if (value.len < 2 || value.len > 9) return false;
  uint64_t amount = 0;
  for (size_t i = 0; i + 1 < value.len; i++) {
    if (value.base[i] < '0' || value.base[i] > '9') return false;
    amount = amount * 10 + (uint64_t)(value.base[i] - '0');
  }
  uint64_t unit_ns;
  switch (value.base[value.len - 1]) {
    case 'H': unit_ns = 3600000000000u; break;
    case 'M': unit_ns = 60000000000u; break;
    case 'S': unit_ns = 1000000000u; break;
    case 'm': unit_ns = 1000000u; break;
    case 'u': unit_ns = 1000u; break;
    case 'n': unit_ns = 1u; break;
    default: return false;
  }
  // Eight digits of hours overflow: that deadline is never reached.
  *timeout_ns = amount > INT64_MAX / unit_ns ? INT64_MAX : amount * unit_ns;
  return true;
}

static void keep_metadata(Request *request, nghttp2_vec name, nghttp2_vec value) {
  const size_t left = METADATA_BYTES_LIMIT - request->metadata_bytes_count;
  if (request->metadata_count == METADATA_LIMIT || name.len > left || value.len > left - name.len) {
    request->is_malformed = true;
    return;
  }
  char *bytes = request->metadata_bytes + request->metadata_bytes_count;
  memcpy(bytes, name.base, name.len);
  memcpy(bytes + name.len, value.base, value.len);
  request->metadata_bytes_count += name.len + value.len;
  request->metadata[request->metadata_count].name = bytes;
  request->metadata[request->metadata_count].name_count = name.len;
  request->metadata[request->metadata_count].value = bytes + name.len;
  request->metadata[request->metadata_count].value_count = value.len;
  request->metadata_count++;
}

void request_add_header(Request *request, nghttp2_vec name, nghttp2_vec value, uint64_t now_ns) {
  switch (name.len) {
    case 2:
      if (!EQUALS(name, "te")) break;
      request->accepts_trailers = EQUALS(value, "trailers");
      return;
    case 5:
      if (!EQUALS(name, ":path")) break;
      request->method = method_at(value);
      return;
    case 7:
      if (EQUALS(name, ":scheme")) return;
      if (!EQUALS(name, ":method")) break;
      request->is_post = EQUALS(value, "POST");
      return;
    case 10:
      if (EQUALS(name, ":authority")) return;
      break;
    case 12:
      if (EQUALS(name, "content-type")) {
        request->is_grpc = is_grpc_content_type(value);
        return;
      }
      if (EQUALS(name, "grpc-timeout")) {
        uint64_t timeout_ns = 0;
        if (parse_timeout(value, &timeout_ns)) request->deadline_ns = now_ns + timeout_ns;
        else request->is_malformed = true;
        return;
      }
      break;
    default:
      break;
  }
  keep_metadata(request, name, value);
}
