#include "frames.h"

#include <string.h>

uint32_t read_u32_be(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void frame_header(uint8_t header[FRAME_HEADER_BYTES], uint8_t type, uint32_t length) {
  const uint32_t words[2] = {__builtin_bswap32((uint32_t)type << 24), __builtin_bswap32(length)};
  memcpy(header, words, sizeof words);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* One step: a piece of the header or of the payload. 0 used means that stdin does not take more now. */
static enum frame_result step(struct frame_reader *reader, const uint8_t *data, size_t length, size_t *used,
                              const struct frame_handler *handler) {
  if (reader->have < FRAME_HEADER_BYTES) {
    *used = least(length, (size_t)(FRAME_HEADER_BYTES - reader->have));
    memcpy(reader->header + reader->have, data, *used);
    reader->have += (uint8_t)*used;
    if (reader->have < FRAME_HEADER_BYTES) return FRAMES_ALL;
    reader->left = read_u32_be(reader->header + 4);
    reader->small_size = 0;
    if (reader->header[0] != FRAME_STDIN && reader->left > FRAME_SMALL_BYTES) return FRAMES_BAD;
  } else if (reader->header[0] == FRAME_STDIN) {
    const size_t size = least(length, reader->left);
    *used = handler->stdin_bytes(handler->argument, data, size);
    reader->left -= (uint32_t)*used;
    if (*used < size) return FRAMES_WAIT;
  } else {
    *used = least(length, reader->left);
    memcpy(reader->small + reader->small_size, data, *used);
    reader->small_size += (uint8_t)*used;
    reader->left -= (uint32_t)*used;
  }
  if (reader->left > 0) return FRAMES_ALL;
  reader->have = 0;
  if (reader->header[0] == FRAME_STDIN) return FRAMES_ALL;
  const bool is_known = handler->frame(handler->argument, reader->header[0], reader->small, reader->small_size);
  return is_known ? FRAMES_ALL : FRAMES_BAD;
}

enum frame_result frame_read(struct frame_reader *reader, const uint8_t *data, size_t length, size_t *used,
                             const struct frame_handler *handler) {
  enum frame_result result = FRAMES_ALL;
  *used = 0;
  while (*used < length && result == FRAMES_ALL) {
    size_t piece = 0;
    result = step(reader, data + *used, length - *used, &piece, handler);
    *used += piece;
  }
  return result;
}
