#include "escape.h"

#include <stdbool.h>
#include <string.h>

typedef uint8_t block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

/* Copies 16 bytes and answers how many at the front need no escape. '<' and '>', and '"' and '&', differ in one bit. */
static unsigned copy_block(uint8_t *out, const uint8_t *text) {
  block bytes;
  memcpy(&bytes, text, sizeof bytes);
  memcpy(out, &bytes, sizeof bytes);
  const block special = (block)(bytes < 0x20) | (block)(bytes >= 0x80) | (block)((bytes | 2) == '>') |
                        (block)((bytes | 4) == '&') | (block)(bytes == '\\');
  const halves found = (halves)special;
  if (found[0]) return (unsigned)__builtin_ctzll(found[0]) / 8;
  if (found[1]) return 8 + (unsigned)__builtin_ctzll(found[1]) / 8;
  return 16;
}

static bool is_plain(uint8_t byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

static uint8_t *escape_ascii(uint8_t *out, uint8_t byte) {
  static const char hex[] = "0123456789abcdef";
  *out++ = '\\';
  switch (byte) {
    case '"': case '\\': *out++ = byte; break;
    case '\n': *out++ = 'n'; break;
    case '\r': *out++ = 'r'; break;
    default:
      memcpy(out, "u00", 3);
      out[3] = (uint8_t)hex[byte >> 4];
      out[4] = (uint8_t)hex[byte & 15];
      out += 5;
  }
  return out;
}

static bool is_tail(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/* Bytes of the UTF-8 sequence at `text`, 1 where it is none: by the table of Unicode 15, 3-7, as Go reads it. */
static size_t sequence(const uint8_t *text, size_t length) {
  const uint8_t first = text[0];
  if (first < 0xc2 || first > 0xf4 || length < 2) return 1;
  if (first < 0xe0) return is_tail(text[1]) ? 2 : 1;
  const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < least || text[1] > most || length < 3 || !is_tail(text[2])) return 1;
  if (first < 0xf0) return 3;
  return length >= 4 && is_tail(text[3]) ? 4 : 1;
}

static bool is_line_separator(const uint8_t *text) { return text[0] == 0xe2 && text[1] == 0x80 && (text[2] | 1) == 0xa9; }

/* One character of what is not ASCII. */
static uint8_t *escape_sequence(uint8_t *out, const uint8_t *text, size_t size) {
  if (size == 1) return memcpy(out, "\\ufffd", 6), out + 6;
  if (size == 3 && is_line_separator(text)) return memcpy(out, text[2] & 1 ? "\\u2029" : "\\u2028", 6), out + 6;
  memcpy(out, text, size);
  return out + size;
}

size_t escape_json(uint8_t *out, const uint8_t *text, size_t length) {
  uint8_t *const start = out;
  const uint8_t *const end = text + length;
  while (text < end) {
    while (end - text >= 16) {
      const unsigned plain = copy_block(out, text);
      out += plain;
      text += plain;
      if (plain < 16) break;
    }
    while (text < end && is_plain(*text)) *out++ = *text++;
    if (text == end) break;
    if (*text < 0x80) {
      out = escape_ascii(out, *text++);
    } else {
      const size_t size = sequence(text, (size_t)(end - text));
      out = escape_sequence(out, text, size);
      text += size;
    }
  }
  return (size_t)(out - start);
}
