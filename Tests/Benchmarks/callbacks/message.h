// The messages of every measurement of the OMS link: small stock deltas, as a shop's warehouses send them all day.
#ifndef CALLBACKS_MESSAGE_H
#define CALLBACKS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum {
  // A message of its own has an id of its own; so many aggregates, which are the keys that messages are ordered by.
  MESSAGE_KEYS = 1000,
  REQUEST_LIMIT = 1024,
};

// Writes an HTTP request with message number `index`, signed with `secret`, and returns its length. All of a message
// follows from its number, so that two servers can be sent the same ones.
size_t write_request(char request[REQUEST_LIMIT], const char *host, const char *secret, int64_t index);

#endif
