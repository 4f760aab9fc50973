// A store as bare as it can be: a table of bodies in SQLite, written a page at a time.
#ifndef EXPORT_ROWS_H
#define EXPORT_ROWS_H

#include <stdint.h>

#include "bodies.h"

// `pragmas` is a file. The log is checkpointed from `checkpoint_pages` on. Ends the process when SQLite refuses.
void rows_open(const char *path, const char *pragmas, int checkpoint_pages);
// A row for each of these bodies, in one transaction; durable when it returns.
void rows_write(const Body *bodies, int64_t count);
void rows_close(void);

#endif
