#pragma once
// What Swift's Glibc module hides: epoll, accept4, inotify, signalfd, the environment, renameat2, and a thread-local pointer that
// costs one load.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

/// Accepts one connection as non-blocking and close-on-exec; -1 and errno otherwise.
int csystem_accept(int listener);

/// Who is at the other end of a Unix socket, as of its connect; -1 and errno otherwise.
int csystem_peer_credentials(int socket, uint32_t *uid, uint32_t *gid, int32_t *pid);

/// The supplementary groups of the same; their number, or -1 and errno: ERANGE when there are more than `capacity`.
int csystem_peer_groups(int socket, uint32_t *groups, int capacity);

/// Lets two files or directories take each other's place in one step; -1 and errno otherwise.
int csystem_exchange(const char *one, const char *other);

/// Names a thread for `top -H` and debuggers; at most 15 bytes.
void csystem_name_thread(pthread_t thread, const char *name);

/// The event loop that runs on this thread, or NULL.
extern __thread void *csystem_loop;
static inline void *csystem_current_loop(void) { return csystem_loop; }
static inline void csystem_set_current_loop(void *loop) { csystem_loop = loop; }

/// The process's environment: `NAME=VALUE` strings, NULL at the end. A function, because Swift 6 refuses the variable.
char **csystem_environment(void);
