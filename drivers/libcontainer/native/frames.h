/* The frames of ARCHITECTURE.md §5.1, read as they come: a header of 8 bytes (type, three zeros, length big-endian), then the
 * payload. stdin's payload passes through in pieces; all others are small and given whole. */
#ifndef GANTRY_FRAMES_H
#define GANTRY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type {
  FRAME_STDIN = 0x00,
  FRAME_STDOUT = 0x01,
  FRAME_STDERR = 0x02,
  FRAME_SYSTEM_ERROR = 0x03,
  FRAME_STARTED = 0x10,
  FRAME_FAILED = 0x11,
  FRAME_EXITED = 0x12,
  FRAME_STATE = 0x13,
  FRAME_SIGNAL = 0x20,
  FRAME_RESIZE = 0x21,
  FRAME_CLOSE_STDIN = 0x24,
  FRAME_HELLO_CONTROL = 0x40,
  FRAME_HELLO_ATTACH = 0x41,
};

enum { FRAME_HEADER_BYTES = 8, FRAME_SMALL_BYTES = 16 };

struct frame_reader {
  uint8_t header[FRAME_HEADER_BYTES];
  uint8_t have; /* bytes of the header that are there */
  uint32_t left; /* bytes of the payload that are not there yet */
  uint8_t small[FRAME_SMALL_BYTES];
  uint8_t small_size;
};

/* What the reader hands on. `stdin_bytes` answers how many it took: fewer means not now, and the reader stops there. `frame`
 * is for all else; false means that the peer does not speak our words. */
struct frame_handler {
  size_t (*stdin_bytes)(void *argument, const uint8_t *data, size_t length);
  bool (*frame)(void *argument, uint8_t type, const uint8_t *payload, size_t length);
  void *argument;
};

enum frame_result { FRAMES_ALL, FRAMES_WAIT, FRAMES_BAD };

/* Reads from `data`; `*used` says how many bytes are done with. */
enum frame_result frame_read(struct frame_reader *reader, const uint8_t *data, size_t length, size_t *used,
                             const struct frame_handler *handler);

void frame_header(uint8_t header[FRAME_HEADER_BYTES], uint8_t type, uint32_t length);
uint32_t read_u32_be(const uint8_t *bytes);

#endif
