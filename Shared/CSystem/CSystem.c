#define _GNU_SOURCE
#include "CSystem.h"

#include <unistd.h>

__thread void *csystem_loop = NULL;

int csystem_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

char **csystem_environment(void) { return environ; }
void csystem_name_thread(pthread_t thread, const char *name) { pthread_setname_np(thread, name); }
