// Files that are read whole before the clock starts. What goes wrong ends the process with a message.
#ifndef EXPORT_WHOLE_FILE_H
#define EXPORT_WHOLE_FILE_H

#include <stddef.h>

_Noreturn void fail(const char *what, const char *why);
void *allocate(size_t bytes);
// The bytes, with a NUL behind them.
char *whole_file(const char *path, size_t *bytes);

#endif
