// Memory of one message: taken piece by piece, given back as a whole. A thread keeps one arena for its next message.
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct cm_chunk;

typedef struct cm_arena {
  // First, so that the arena's address is that of an allocator for protobuf_c_message_unpack.
  ProtobufCAllocator allocator;
  uint8_t *next;
  uint8_t *end;
  struct cm_chunk *chunks;  // the newest first; `next` and `end` lie in it
} cm_arena;

// What a thread keeps at most between two messages, bytes.
#define CM_ARENA_IDLE_BYTES ((size_t)1 << 20)

// This thread's idle arena, or a new one when there is none (the first, or one in use further up the stack).
// NULL when memory is out.
cm_arena *cm_arena_acquire(void);

// Empties the arena and keeps it as this thread's idle one, cut down to CM_ARENA_IDLE_BYTES; frees it when there is one
// already.
void cm_arena_release(cm_arena *arena);

// Bytes that the arena holds now, used or not.
size_t cm_arena_capacity(const cm_arena *arena);

// A further chunk for at least `size` bytes; NULL when memory is out. Only for cm_arena_allocate.
void *cm_arena_grow(cm_arena *arena, size_t size);

// `size` bytes, aligned to 8, uninitialised, valid until the release; NULL when memory is out.
static inline void *cm_arena_allocate(cm_arena *arena, size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  size = size == 0 ? 8 : (size + 7) & ~(size_t)7;
  if ((size_t)(arena->end - arena->next) < size) return cm_arena_grow(arena, size);
  void *result = arena->next;
  arena->next += size;
  return result;
}
