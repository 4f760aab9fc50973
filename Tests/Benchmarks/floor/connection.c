#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// There is one thread, so all connections share the buffers.
static uint8_t input[64 << 10], output[64 << 10];

Connection *connection_open(int descriptor, const nghttp2_session_callbacks *callbacks, const nghttp2_option *option) {
  static const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 4096},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20},
  };
  Connection *connection = calloc(1, sizeof *connection);
  if (!connection) return NULL;
  connection->descriptor = descriptor;
  if (nghttp2_session_server_new2(&connection->session, callbacks, &connection->calls, option) ||
      nghttp2_submit_settings(connection->session, 0, settings, 2) ||
      nghttp2_session_set_local_window_size(connection->session, 0, 0, 1 << 20)) {
    connection_close(connection);
    return NULL;
  }
  return connection;
}

void connection_close(Connection *connection) {
  // Deleting a session does not close its streams one by one, so their calls are freed with the process.
  nghttp2_session_del(connection->session);
  calls_free(&connection->calls);
  close(connection->descriptor);
  free(connection->unsent);
  free(connection);
}

// Writes what the socket takes and keeps the rest. False when the peer is gone.
static bool write_or_keep(Connection *connection, const uint8_t *bytes, size_t count) {
  const ssize_t written = send(connection->descriptor, bytes, count, MSG_NOSIGNAL);
  if (written < 0 && errno != EAGAIN && errno != EINTR) return false;
  const size_t taken = written < 0 ? 0 : (size_t)written;
  if (taken == count) return true;
  connection->unsent = malloc(count - taken);
  if (!connection->unsent) return false;
  connection->unsent_count = count - taken;
  connection->unsent_sent = 0;
  memcpy(connection->unsent, bytes + taken, count - taken);
  return true;
}

static bool send_pending(Connection *connection) {
  size_t count = 0;
  while (!connection->unsent) {
    const uint8_t *frames;
    const ssize_t length = nghttp2_session_mem_send(connection->session, &frames);
    if (length < 0) return false;
    if (length == 0 || count + (size_t)length > sizeof output) {
      if (count && !write_or_keep(connection, output, count)) return false;
      count = 0;
      if (length == 0) break;
      if (connection->unsent) {
        // The socket is full and these frames are already out of the session: they follow the kept ones.
        uint8_t *grown = realloc(connection->unsent, connection->unsent_count + (size_t)length);
        if (!grown) return false;
        memcpy(grown + connection->unsent_count, frames, (size_t)length);
        connection->unsent = grown;
        connection->unsent_count += (size_t)length;
        break;
      }
    }
    memcpy(output + count, frames, (size_t)length);
    count += (size_t)length;
  }
  return nghttp2_session_want_read(connection->session) || nghttp2_session_want_write(connection->session) ||
         connection->unsent;
}

bool connection_readable(Connection *connection) {
  if (connection->unsent) return true;
  const ssize_t count = read(connection->descriptor, input, sizeof input);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  connection->calls.now_ns = monotonic_ns();
  if (nghttp2_session_mem_recv(connection->session, input, (size_t)count) < 0) return false;
  return send_pending(connection);
}

bool connection_writable(Connection *connection) {
  if (!connection->unsent) return true;
  const ssize_t written = send(connection->descriptor, connection->unsent + connection->unsent_sent,
                               connection->unsent_count - connection->unsent_sent, MSG_NOSIGNAL);
  if (written < 0) return errno == EAGAIN || errno == EINTR;
  connection->unsent_sent += (size_t)written;
  if (connection->unsent_sent < connection->unsent_count) return true;
  free(connection->unsent);
  connection->unsent = NULL;
  return send_pending(connection);
}
