#include "decode.h"

#include <string.h>

void *arena_take(struct arena *arena, size_t size) {
  const size_t aligned = (arena->used + 15) & ~(size_t)15;
  if (aligned > arena->size || size > arena->size - aligned) return NULL;
  arena->used = aligned + size;
  return arena->start + aligned;
}

static bool take(struct decoder *decoder, void *into, size_t size) {
  if ((size_t)(decoder->end - decoder->at) < size) return false;
  memcpy(into, decoder->at, size);
  decoder->at += size;
  return true;
}

/* The format is little-endian, and so is every machine that this is built for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "programs are little-endian");

bool decode_u32(struct decoder *decoder, uint32_t *value) { return take(decoder, value, sizeof *value); }
bool decode_i32(struct decoder *decoder, int32_t *value) { return take(decoder, value, sizeof *value); }
bool decode_u64(struct decoder *decoder, uint64_t *value) { return take(decoder, value, sizeof *value); }

bool decode_string(struct decoder *decoder, const char **value) {
  uint32_t length;
  if (!decode_u32(decoder, &length)) return false;
  if ((size_t)(decoder->end - decoder->at) <= length) return false;
  if (memchr(decoder->at, 0, (size_t)length + 1) != decoder->at + length) return false;
  *value = (const char *)decoder->at;
  decoder->at += (size_t)length + 1;
  return true;
}

bool decode_bytes(struct decoder *decoder, struct bytes *value) {
  if (!decode_u32(decoder, &value->length)) return false;
  if ((size_t)(decoder->end - decoder->at) < value->length) return false;
  value->data = decoder->at;
  decoder->at += value->length;
  return true;
}

bool decode_strings(struct decoder *decoder, struct strings *value) {
  enum { LEAST_BYTES_A_STRING = 5 };
  if (!decode_u32(decoder, &value->count)) return false;
  if (value->count > (size_t)(decoder->end - decoder->at) / LEAST_BYTES_A_STRING) return false;
  value->items = arena_take(decoder->arena, ((size_t)value->count + 1) * sizeof *value->items);
  if (!value->items) return false;
  for (uint32_t i = 0; i < value->count; i++)
    if (!decode_string(decoder, &value->items[i])) return false;
  value->items[value->count] = NULL;
  return true;
}
