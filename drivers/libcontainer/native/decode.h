/* Reads the fields of an operation, bounds-checked. Nothing is copied: strings and bytes point into the program, and the
 * pointer arrays of `strings` come out of one arena that the caller owns. The format is told in ../encode.ts. */
#ifndef GANTRY_DECODE_H
#define GANTRY_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  const uint8_t *data;
  uint32_t length;
};

/* `items` has a NULL behind the last, as execve(2) wants it. */
struct strings {
  const char **items;
  uint32_t count;
};

/* A stretch of memory that is given out from the front and taken back all at once. */
struct arena {
  uint8_t *start;
  size_t size;
  size_t used;
};

void *arena_take(struct arena *arena, size_t size);

struct decoder {
  const uint8_t *at;
  const uint8_t *end;
  struct arena *arena;
};

/* Each answers false where the bytes end too early or are not what they should be. */
bool decode_u32(struct decoder *decoder, uint32_t *value);
bool decode_i32(struct decoder *decoder, int32_t *value);
bool decode_u64(struct decoder *decoder, uint64_t *value);
bool decode_string(struct decoder *decoder, const char **value);
bool decode_bytes(struct decoder *decoder, struct bytes *value);
bool decode_strings(struct decoder *decoder, struct strings *value);

#endif
