// What came to the simulated OMS of one kind of message: how many different ones, when the last of them, and what they
// were.
#ifndef EXPORT_TALLY_H
#define EXPORT_TALLY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  // Where in a body its number stands: behind this text.
  const char *mark;
  // Numbers are 1 to this; others are not counted.
  int64_t numbers;
  int64_t different, repeated, bytes;
  int64_t pages;
  // Items that the largest page was to have.
  int64_t page_size;
  // CLOCK_MONOTONIC, nanoseconds; 0 for not yet.
  int64_t first_page, last_body;
  // A byte for each number.
  unsigned char *seen;
  // A file that gets each body once, its length in a line before it; NULL for none.
  void *record;
} Tally;

// `record` is the path of a file, or NULL.
Tally tally_make(const char *mark, int64_t numbers, const char *record);
void tally_page(Tally *tally, int64_t page_size);
// `body` ends with a NUL.
void tally_body(Tally *tally, const char *body, size_t bytes);
void tally_close(Tally *tally);

#endif
