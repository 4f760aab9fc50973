// What the machine itself takes for there and back: two processes, a pair of Unix sockets, blocking reads. Prints the
// mean in microseconds. Usage: load-raw-ping CORE CALLS BYTES (CORE is where the side runs that answers)
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"

enum { BYTES_LIMIT = 4096 };

static void fail(const char *what) {
  fprintf(stderr, "raw-ping: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void answer(int descriptor, int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores)) fail("sched_setaffinity");
  uint8_t bytes[BYTES_LIMIT];
  for (;;) {
    const ssize_t count = read(descriptor, bytes, sizeof bytes);
    if (count == 0) exit(0);
    if (count < 0 || write(descriptor, bytes, (size_t)count) != count) fail("answer");
  }
}

static void ping(int descriptor, int64_t calls, size_t count) {
  uint8_t bytes[BYTES_LIMIT] = {0};
  for (int64_t i = 0; i < calls; i++) {
    if (write(descriptor, bytes, count) != (ssize_t)count) fail("write");
    for (size_t received = 0; received < count;) {
      const ssize_t more = read(descriptor, bytes, count - received);
      if (more <= 0) fail("read");
      received += (size_t)more;
    }
  }
}

int main(int count, char **arguments) {
  const int64_t calls = count == 4 ? atoll(arguments[2]) : 0, bytes = count == 4 ? atoll(arguments[3]) : 0;
  if (calls <= 0 || bytes <= 0 || bytes > BYTES_LIMIT) {
    fprintf(stderr, "usage: load-raw-ping CORE CALLS BYTES (at most %d)\n", BYTES_LIMIT);
    return 2;
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) fail("socketpair");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(ends[0]);
    answer(ends[1], atoi(arguments[1]));
  }
  close(ends[1]);
  ping(ends[0], calls / 10 + 1, (size_t)bytes);  // warms it up
  const double start = clock_seconds();
  ping(ends[0], calls, (size_t)bytes);
  const double seconds = clock_seconds() - start;
  close(ends[0]);
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) fail("the answering side");
  printf("%.3f\n", seconds / (double)calls * 1e6);
  return 0;
}
