#pragma once
#include <microhttpd.h>
// Swift cannot call variadic functions: these are the ones that the server needs.

/// The daemon on `listener`, which it owns from now on; NULL and errno when it can't start. `options` ends with
/// MHD_OPTION_END.
static inline struct MHD_Daemon *mhd_start(unsigned flags, MHD_AccessHandlerCallback handler, void *context,
                                           struct MHD_OptionItem *options) {
  return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/// Driven by a loop of ours, through its epoll descriptor. Of MHD_ALLOW_SUSPEND_RESUME only what allows it: its other bit has
/// every connection that is resumed wake the loop by a system call, but ours resumes them itself and runs the daemon then.
static const unsigned mhd_flags = MHD_USE_EPOLL | (MHD_ALLOW_SUSPEND_RESUME & ~MHD_USE_ITC);

/// The connection's socket, or -1.
static inline int mhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

/// What the daemon waits on, or -1.
static inline int mhd_poller(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info ? info->epoll_fd : -1;
}

/// A function as an option's value.
static inline intptr_t mhd_option_completed(MHD_RequestCompletedCallback callback) { return (intptr_t)callback; }
static inline intptr_t mhd_option_connection(MHD_NotifyConnectionCallback callback) { return (intptr_t)callback; }
