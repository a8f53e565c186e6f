/* The frame reader of the monitor: however the bytes are cut, and however little stdin takes, the same comes out. */
#include <stdlib.h>
#include <string.h>

#include "frames.h"

struct seen {
  uint8_t *bytes; /* all that was handed on, types and lengths included */
  size_t size, room;
  size_t stdin_most; /* taken at a time */
};

static void note(struct seen *seen, const void *data, size_t size) {
  if (seen->size + size > seen->room) abort();
  memcpy(seen->bytes + seen->size, data, size);
  seen->size += size;
}

static size_t take_stdin(void *argument, const uint8_t *data, size_t length) {
  struct seen *seen = argument;
  const size_t size = length < seen->stdin_most ? length : seen->stdin_most;
  note(seen, data, size);
  return size;
}

static bool take_frame(void *argument, uint8_t type, const uint8_t *payload, size_t length) {
  const uint8_t head[2] = {type, (uint8_t)length};
  if (length > FRAME_SMALL_BYTES) abort();
  note(argument, head, sizeof head);
  note(argument, payload, length);
  return type != 0x7f;
}

static enum frame_result read_all(struct seen *seen, const uint8_t *data, size_t size, size_t piece) {
  struct frame_reader reader = {0};
  const struct frame_handler handler = {take_stdin, take_frame, seen};
  for (size_t at = 0; at < size;) {
    size_t used = 0;
    const size_t length = size - at < piece ? size - at : piece;
    const enum frame_result result = frame_read(&reader, data + at, length, &used, &handler);
    if (used > length) abort();
    at += used;
    if (result == FRAMES_BAD) return result;
    if (result == FRAMES_ALL && used != length) abort();
  }
  return FRAMES_ALL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct seen whole = {.room = size * 2 + 64, .stdin_most = SIZE_MAX}, pieces = {.room = size * 2 + 64, .stdin_most = 3};
  whole.bytes = malloc(whole.room);
  pieces.bytes = malloc(pieces.room);
  const enum frame_result a = read_all(&whole, data, size, size + 1), b = read_all(&pieces, data, size, 5);
  if (a != b || whole.size != pieces.size || memcmp(whole.bytes, pieces.bytes, whole.size) != 0) abort();
  free(whole.bytes);
  free(pieces.bytes);
  return 0;
}
