// The bare program that the gateway's intake is compared with: libmicrohttpd, and one insert per request, which is
// answered when it is durable. It neither checks signatures nor looks at the message.
// Usage: bare-intake DATABASE PRAGMAS CHECKPOINT_PAGES external|pool|connections HOST:PORT; ends at SIGTERM.
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../journal.h"

enum { BODY_LIMIT = 4096, POOL_THREADS = 2, CONNECTION_LIMIT = 512 };

typedef struct {
  Insert insert;  // first, so that an insert is its request
  struct MHD_Connection *connection;
  bool is_submitted, is_durable;
  pthread_cond_t durable;  // of the connection's thread
  char body[BODY_LIMIT];
} Request;

// Who moves the bytes of the connections.
typedef enum {
  EXTERNAL,     // this program's one loop, which the journal's thread wakes
  POOL,         // libmicrohttpd's threads, each with an epoll
  CONNECTIONS,  // a thread for each connection, which waits for the journal
} Mode;

static Mode mode;
static struct MHD_Response *answer;
static pthread_mutex_t durable_mutex = PTHREAD_MUTEX_INITIALIZER;
// In the mode EXTERNAL: what is durable and not yet answered.
static Insert *durable_first, **durable_last = &durable_first;
static int durable_event;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "intake: %s: %s\n", what, why);
  exit(1);
}

static enum MHD_Result submit(Request *request) {
  request->is_submitted = true;
  if (mode != CONNECTIONS) {
    MHD_suspend_connection(request->connection);
    journal_submit(&request->insert);
    return MHD_YES;
  }
  journal_submit(&request->insert);
  pthread_mutex_lock(&durable_mutex);
  while (!request->is_durable) pthread_cond_wait(&request->durable, &durable_mutex);
  pthread_mutex_unlock(&durable_mutex);
  return MHD_queue_response(request->connection, MHD_HTTP_OK, answer);
}

static enum MHD_Result arrives(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *bytes, size_t *count, void **slot) {
  (void)context, (void)url, (void)method, (void)version;
  Request *request = *slot;
  if (!request) {
    *slot = request = malloc(sizeof *request);
    if (!request) return MHD_NO;
    *request = (Request){.insert = {.bytes = request->body}, .connection = connection};
    pthread_cond_init(&request->durable, NULL);
    return MHD_YES;
  }
  if (*count > 0) {
    if (request->insert.count + *count > BODY_LIMIT) return MHD_NO;
    memcpy(request->body + request->insert.count, bytes, *count);
    request->insert.count += *count;
    *count = 0;
    return MHD_YES;
  }
  if (!request->is_submitted) return submit(request);
  return MHD_queue_response(connection, MHD_HTTP_OK, answer);
}

static void completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  free(*slot);
  *slot = NULL;
}

static void resume_all(Insert *first) {
  while (first) {
    // The request may be gone as soon as its connection goes on.
    Insert *next = first->next;
    MHD_resume_connection(((Request *)first)->connection);
    first = next;
  }
}

static void became_durable(Insert *first) {
  if (mode == POOL) {
    resume_all(first);
    return;
  }
  pthread_mutex_lock(&durable_mutex);
  if (mode == EXTERNAL) {
    *durable_last = first;
    while (*durable_last) durable_last = &(*durable_last)->next;
  }
  for (Insert *next; mode == CONNECTIONS && first; first = next) {
    next = first->next;
    ((Request *)first)->is_durable = true;
    pthread_cond_signal(&((Request *)first)->durable);
  }
  pthread_mutex_unlock(&durable_mutex);
  if (mode == EXTERNAL && eventfd_write(durable_event, 1)) fail("eventfd", strerror(errno));
}

static Insert *take_durable(void) {
  eventfd_t ignored;
  eventfd_read(durable_event, &ignored);
  pthread_mutex_lock(&durable_mutex);
  Insert *first = durable_first;
  durable_first = NULL;
  durable_last = &durable_first;
  pthread_mutex_unlock(&durable_mutex);
  return first;
}

static void watch(int poll, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll", strerror(errno));
}

// Works until `stop` is readable.
static void loop(struct MHD_Daemon *daemon, int stop) {
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  watch(poll, stop);
  if (mode == EXTERNAL) {
    watch(poll, durable_event);
    watch(poll, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
  }
  for (;;) {
    unsigned long long timeout_ms = 0;
    const bool is_limited = mode == EXTERNAL && MHD_get_timeout(daemon, &timeout_ms) == MHD_YES;
    struct epoll_event events[4];
    const int ready = epoll_wait(poll, events, 4, is_limited ? (int)timeout_ms : -1);
    if (ready < 0 && errno != EINTR) fail("epoll", strerror(errno));
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == stop) {
        close(poll);
        return;
      }
      if (events[i].data.fd == durable_event) resume_all(take_durable());
    }
    if (mode == EXTERNAL) MHD_run(daemon);
  }
}

static struct MHD_Daemon *start(const char *address) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  const char *colon = strrchr(address, ':');
  if (!colon) fail(address, "not HOST:PORT");
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const unsigned flags[] = {
      [EXTERNAL] = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME,
      [POOL] = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
      [CONNECTIONS] = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
  };
  // Pools of one thread are no pools to libmicrohttpd.
  struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, NULL}, {MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(flags[mode], 0, NULL, NULL, arrives, NULL, MHD_OPTION_SOCK_ADDR, &name,
                          MHD_OPTION_CONNECTION_LIMIT, CONNECTION_LIMIT, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                          MHD_OPTION_ARRAY, mode == POOL ? pool : pool + 1, MHD_OPTION_END);
}

static Mode read_mode(const char *text) {
  if (strcmp(text, "external") == 0) return EXTERNAL;
  if (strcmp(text, "pool") == 0) return POOL;
  if (strcmp(text, "connections") == 0) return CONNECTIONS;
  fail(text, "not one of external, pool, connections");
  return EXTERNAL;
}

int main(int count, char **arguments) {
  if (count != 6) {
    fprintf(stderr, "usage: bare-intake DATABASE PRAGMAS CHECKPOINT_PAGES external|pool|connections HOST:PORT\n");
    return 2;
  }
  mode = read_mode(arguments[4]);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  const int stop = signalfd(-1, &signals, SFD_CLOEXEC);
  durable_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  static char text[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":true}";
  answer = MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(answer, "Content-Type", "application/json");
  journal_open(arguments[1], arguments[2], atoi(arguments[3]), became_durable);
  struct MHD_Daemon *daemon = start(arguments[5]);
  if (!daemon) fail(arguments[5], strerror(errno));
  loop(daemon, stop);
  MHD_stop_daemon(daemon);
  journal_close();
  MHD_destroy_response(answer);
  return 0;
}
