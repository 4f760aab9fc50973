// The messages of an export, as they were recorded (tally.h): what the bare loop writes and posts.
#ifndef EXPORT_BODIES_H
#define EXPORT_BODIES_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *text;
  size_t bytes;
} Body;

// Ends the process when the file is no record.
Body *bodies_read(const char *path, int64_t *count);

#endif
