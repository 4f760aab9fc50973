#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "whole_file.h"

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

Tally tally_make(const char *mark, int64_t numbers, const char *record) {
  Tally tally = {.mark = mark, .numbers = numbers, .seen = allocate((size_t)numbers + 1)};
  memset(tally.seen, 0, (size_t)numbers + 1);
  if (record && !(tally.record = fopen(record, "w"))) fail(record, strerror(errno));
  return tally;
}

void tally_page(Tally *tally, int64_t page_size) {
  tally->pages++;
  if (page_size > tally->page_size) tally->page_size = page_size;
  if (tally->first_page == 0) tally->first_page = now();
}

void tally_body(Tally *tally, const char *body, size_t bytes) {
  const char *mark = strstr(body, tally->mark);
  const int64_t number = mark ? strtoll(mark + strlen(tally->mark), NULL, 10) : 0;
  if (number < 1 || number > tally->numbers) return;
  if (tally->seen[number]) {
    tally->repeated++;
    return;
  }
  tally->seen[number] = 1;
  tally->different++;
  tally->bytes += (int64_t)bytes;
  tally->last_body = now();
  if (tally->record && fprintf(tally->record, "%zu\n%s\n", bytes, body) < 0) fail("record", strerror(errno));
}

void tally_close(Tally *tally) {
  if (tally->record && fclose(tally->record)) fail("record", strerror(errno));
}
