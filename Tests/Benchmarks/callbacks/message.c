#include "message.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_LIMIT = 512, SKUS_PER_KEY = 1000 };

// SplitMix64: ids in no order, as the bus's are, so that an index over them gains nothing from theirs.
static uint64_t scattered(uint64_t value) {
  value += UINT64_C(0x9e3779b97f4a7c15);
  value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
  return value ^ (value >> 31);
}

static size_t write_body(char body[BODY_LIMIT], int64_t index) {
  const uint64_t high = scattered((uint64_t)index * 2), low = scattered((uint64_t)index * 2 + 1);
  // Each is newer than those before it: a service that leaves out what is old has to write them all.
  const time_t created_on = (time_t)(INT64_C(1700000000) + index);
  struct tm when;
  gmtime_r(&created_on, &when);
  char date[32];
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S+00:00", &when);
  const unsigned key = (unsigned)(high % MESSAGE_KEYS), sku = (unsigned)(low % SKUS_PER_KEY);
  const int length = snprintf(
      body, BODY_LIMIT,
      "{\"jsonrpc\":\"2.0\",\"id\":\"%08x-%04x-%04x-%04x-%012llx\","
      "\"method\":\"magento.inventory.aggregate_stock_management.updated\","
      "\"params\":{\"snapshot\":{\"aggregate_id\":\"STOCK-%04u\",\"mode\":\"DELTA\",\"created_on\":\"%s\","
      "\"stock\":[{\"sku\":\"SKU-%08u\",\"quantity\":%u},{\"sku\":\"SKU-%08u\",\"quantity\":%u}]}}}",
      (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
      (unsigned long long)(low & UINT64_C(0xffffffffffff)), key, date, sku, (unsigned)(low >> 20 & 0xff),
      (sku + 1) % SKUS_PER_KEY, (unsigned)(low >> 28 & 0xff));
  if (length < 0 || length >= BODY_LIMIT) abort();
  return (size_t)length;
}

static void write_signature(char hex[41], const char *secret, const char *body, size_t count) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!HMAC(EVP_sha1(), secret, (int)strlen(secret), (const unsigned char *)body, count, digest, &length)) abort();
  for (unsigned i = 0; i < length; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[2 * length] = 0;
}

size_t write_request(char request[REQUEST_LIMIT], const char *host, const char *secret, int64_t index) {
  char body[BODY_LIMIT], signature[41];
  const size_t count = write_body(body, index);
  write_signature(signature, secret, body, count);
  const int length = snprintf(request, REQUEST_LIMIT,
                              "POST /service-bus HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                              "X-Signature: sha1=%s\r\nContent-Length: %zu\r\n\r\n%.*s",
                              host, signature, count, (int)count, body);
  if (length < 0 || length >= REQUEST_LIMIT) abort();
  return (size_t)length;
}
