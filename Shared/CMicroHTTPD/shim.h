#pragma once
#include <microhttpd.h>
// Swift cannot call variadic functions: these are the two that the server needs.

/// The daemon on `listener`, which it owns from now on; NULL and errno when it can't start. `options` ends with
/// MHD_OPTION_END.
static inline struct MHD_Daemon *mhd_start(unsigned flags, MHD_AccessHandlerCallback handler, void *context,
                                           struct MHD_OptionItem *options) {
  return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/// The connection's socket, or -1.
static inline int mhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

/// A function as an option's value.
static inline intptr_t mhd_option_completed(MHD_RequestCompletedCallback callback) { return (intptr_t)callback; }
static inline intptr_t mhd_option_connection(MHD_NotifyConnectionCallback callback) { return (intptr_t)callback; }
