// What a request for a page asks for, as far as the simulated shop understands it.
#ifndef EXPORT_CRITERIA_H
#define EXPORT_CRITERIA_H

#include <stdbool.h>
#include <stdint.h>

enum { FILTERS = 4, LARGEST_PAGE = 300 };

typedef struct {
  struct {
    const char *field, *condition, *value;
  } filters[FILTERS];
  int64_t page_size;
  // The first thing that was not understood.
  const char *problem;

  // What the filters say, after criteria_conclude.
  int64_t after;
  // updated_at has an upper bound: what polling sends. Then, also: a lower bound, of it or of created_at.
  bool has_until, has_since;
} Criteria;

// One argument of the URL, decoded; its strings have to stay.
void criteria_add(Criteria *criteria, const char *name, const char *value);
void criteria_conclude(Criteria *criteria);

#endif
