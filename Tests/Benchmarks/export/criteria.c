#include "criteria.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void criteria_add(Criteria *criteria, const char *name, const char *value) {
  if (strcmp(name, "searchCriteria[pageSize]") == 0) {
    criteria->page_size = atoll(value);
    if (criteria->page_size > LARGEST_PAGE) criteria->problem = "Maximum SearchCriteria pageSize is 300";
    return;
  }
  unsigned group;
  int end = 0;
  if (sscanf(name, "searchCriteria[filter_groups][%u][filters][0][%n", &group, &end) != 1 || end == 0) {
    // Items are always in the order of their ids, on the first page, with the same fields.
    if (strstr(name, "[filters]")) criteria->problem = "only one filter a group is known here";
    return;
  }
  if (group >= FILTERS) {
    criteria->problem = "too many groups of filters";
    return;
  }
  const char *part = name + end;
  if (strcmp(part, "field]") == 0) criteria->filters[group].field = value;
  if (strcmp(part, "condition_type]") == 0) criteria->filters[group].condition = value;
  if (strcmp(part, "value]") == 0) criteria->filters[group].value = value;
}

void criteria_conclude(Criteria *criteria) {
  for (int i = 0; i < FILTERS && criteria->filters[i].field; i++) {
    const char *field = criteria->filters[i].field, *condition = criteria->filters[i].condition;
    const char *value = criteria->filters[i].value;
    if (!condition || !value) {
      criteria->problem = "a filter without a condition or a value";
    } else if (strcmp(field, "entity_id") == 0 && strcmp(condition, "gt") == 0) {
      criteria->after = atoll(value);
    } else if (strcmp(field, "updated_at") == 0 && strcmp(condition, "lteq") == 0) {
      criteria->has_until = true;
    } else if ((strcmp(field, "updated_at") == 0 || strcmp(field, "created_at") == 0) &&
               strcmp(condition, "gteq") == 0) {
      criteria->has_since = true;
    } else if (strcmp(field, "state") == 0 && strcmp(condition, "in") == 0 && strstr(value, "new")) {
      // All orders are new.
    } else {
      criteria->problem = "a filter that is not known here";
    }
  }
}
