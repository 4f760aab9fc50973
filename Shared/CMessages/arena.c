#include "arena.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct cm_chunk {
  struct cm_chunk *older;
  size_t size;  // of what follows
} cm_chunk;

// Small at first: an idle service has an arena on every thread that ever decoded something.
enum { first_chunk_bytes = 8 * 1024 };

static _Thread_local cm_arena *idle;
static _Thread_local cm_arena *freed_at_exit;  // the one that the thread's exit key names

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

static void free_arena(cm_arena *arena) {
  for (cm_chunk *chunk = arena->chunks; chunk != NULL;) {
    cm_chunk *older = chunk->older;
    free(chunk);
    chunk = older;
  }
  free(arena);
}

static void thread_exits(void *arena) {
  idle = freed_at_exit = NULL;
  free_arena(arena);
}

static void make_exit_key(void) {
  // Without a key (the process has used all of them) a thread that ends leaks its idle arena, and nothing else.
  (void)pthread_key_create(&exit_key, thread_exits);
}

static void *allocate(void *arena, size_t size) { return cm_arena_allocate(arena, size); }

static void ignore(void *arena, void *pointer) {
  (void)arena;
  (void)pointer;
}

cm_arena *cm_arena_acquire(void) {
  cm_arena *arena = idle;
  if (arena != NULL) {
    idle = NULL;
    return arena;
  }
  arena = calloc(1, sizeof *arena);
  if (arena == NULL) return NULL;
  arena->allocator = (ProtobufCAllocator){.alloc = allocate, .free = ignore, .allocator_data = arena};
  return arena;
}

void *cm_arena_grow(cm_arena *arena, size_t size) {
  size_t wanted = arena->chunks == NULL ? first_chunk_bytes : arena->chunks->size * 2;
  if (wanted > CM_ARENA_IDLE_BYTES) wanted = CM_ARENA_IDLE_BYTES;
  if (wanted < size) wanted = size;
  cm_chunk *chunk = malloc(sizeof *chunk + wanted);
  if (chunk == NULL) return NULL;
  chunk->size = wanted;
  chunk->older = arena->chunks;
  arena->chunks = chunk;
  uint8_t *memory = (uint8_t *)(chunk + 1);
  arena->next = memory + size;
  arena->end = memory + wanted;
  return memory;
}

size_t cm_arena_capacity(const cm_arena *arena) {
  size_t total = 0;
  for (const cm_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->older) total += chunk->size;
  return total;
}

// The largest chunk that may stay, so that a stream of equal messages soon runs in one chunk.
static void trim(cm_arena *arena) {
  cm_chunk *kept = NULL;
  for (cm_chunk *chunk = arena->chunks; chunk != NULL;) {
    cm_chunk *older = chunk->older;
    if (chunk->size <= CM_ARENA_IDLE_BYTES && (kept == NULL || chunk->size > kept->size)) {
      free(kept);
      kept = chunk;
    } else {
      free(chunk);
    }
    chunk = older;
  }
  arena->chunks = kept;
  if (kept != NULL) kept->older = NULL;
  arena->next = kept == NULL ? NULL : (uint8_t *)(kept + 1);
  arena->end = kept == NULL ? NULL : arena->next + kept->size;
}

void cm_arena_release(cm_arena *arena) {
  if (idle != NULL) {
    free_arena(arena);
    return;
  }
  trim(arena);
  idle = arena;
  if (freed_at_exit == arena) return;
  (void)pthread_once(&exit_key_once, make_exit_key);
  (void)pthread_setspecific(exit_key, arena);
  freed_at_exit = arena;
}
