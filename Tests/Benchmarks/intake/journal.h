// A journal as bare as it can be: a table of bodies in SQLite, and a thread that commits all that wait together.
#ifndef INTAKE_JOURNAL_H
#define INTAKE_JOURNAL_H

#include <stddef.h>

// One waiting insert, embedded in whatever waits for it.
typedef struct Insert {
  const void *bytes;
  size_t count;
  struct Insert *next;
} Insert;

// Called on the journal's thread with what has just become durable, a list in order. Who is told owns it again.
typedef void (*Durable)(Insert *first);

// `pragmas` is a file. The log is checkpointed from `checkpoint_pages` on. Ends the process when SQLite refuses.
void journal_open(const char *path, const char *pragmas, int checkpoint_pages, Durable durable);
// Hands over one insert; from any thread.
void journal_submit(Insert *insert);
// Commits what waits, and closes the file.
void journal_close(void);

#endif
