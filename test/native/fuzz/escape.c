/* The escaper of the log against a plain transcription of what Go does, and its bound. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

/* unicode/utf8.DecodeRune: the size, or 1 with *rune 0xFFFD for what is no character. */
static size_t decode_rune(const uint8_t *text, size_t length, uint32_t *rune) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  const uint8_t first = text[0];
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  *rune = 0xfffd;
  if (size == 0 || first > 0xf7 || size > length) return 1;
  uint32_t value = first & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    if ((text[i] & 0xc0) != 0x80) return 1;
    value = value << 6 | (text[i] & 0x3f);
  }
  if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 1;
  *rune = value;
  return size;
}

static size_t reference(char *out, const uint8_t *text, size_t length) {
  char *const start = out;
  for (size_t i = 0; i < length;) {
    uint32_t rune = text[i];
    const size_t size = rune < 0x80 ? 1 : decode_rune(text + i, length - i, &rune);
    if (rune == 0xfffd && size == 1) out += sprintf(out, "\\ufffd");
    else if (rune == 0x2028 || rune == 0x2029) out += sprintf(out, "\\u%04x", rune);
    else if (rune == '"' || rune == '\\') out += sprintf(out, "\\%c", (int)rune);
    else if (rune == '\n') out += sprintf(out, "\\n");
    else if (rune == '\r') out += sprintf(out, "\\r");
    else if (rune < 0x20 || rune == '<' || rune == '>' || rune == '&') out += sprintf(out, "\\u%04x", rune);
    else out = (char *)memcpy(out, text + i, size) + size;
    i += size;
  }
  return (size_t)(out - start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *out = malloc(size * ESCAPE_MOST + ESCAPE_SLACK);
  char *expected = malloc(size * ESCAPE_MOST + 8);
  const size_t length = escape_json(out, data, size);
  if (length > size * ESCAPE_MOST) abort();
  if (length != reference(expected, data, size) || memcmp(out, expected, length) != 0) abort();
  free(out);
  free(expected);
  return 0;
}
