#include "options.h"

#include <string.h>

#include "outbox.h"

enum { SPOOL_BYTES = 1 << 30, PATIENCE_MS = 10000 };

bool parse_decimal(const char *word, uint64_t most, uint64_t *value) {
  *value = 0;
  if (!*word) return false;
  for (; *word; word++) {
    if (*word < '0' || *word > '9' || *value > (most - (uint64_t)(*word - '0')) / 10) return false;
    *value = *value * 10 + (uint64_t)(*word - '0');
  }
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place: what is decoded is never longer. */
static bool percent_decode(char *word) {
  char *to = word;
  for (const char *from = word; *from; from++) {
    if (*from != '%') {
      *to++ = *from;
      continue;
    }
    const int high = hex_digit(from[1]), low = high >= 0 ? hex_digit(from[2]) : -1;
    if (low < 0 || (high == 0 && low == 0)) return false;
    *to++ = (char)(high << 4 | low);
    from += 2;
  }
  *to = 0;
  return true;
}

static bool parse_format(const char *value, enum log_format *format) {
  *format = strcmp(value, "json-file") == 0 ? LOG_JSON_FILE : strcmp(value, "local") == 0 ? LOG_LOCAL : LOG_NONE;
  return *format != LOG_NONE || strcmp(value, "none") == 0;
}

static bool set(struct options *options, const char *key, const char *value) {
  uint64_t number = 0;
  if (strcmp(key, "log") == 0) return parse_format(value, &options->log);
  if (strcmp(key, "log_path") == 0) return options->log_path = value, true;
  if (strcmp(key, "oom") == 0) return options->oom_path = value, true;
  const bool is_number = parse_decimal(value, INT64_MAX, &number), is_small = is_number && number <= UINT16_MAX;
  if (strcmp(key, "max_size") == 0) return options->max_size = number, is_number;
  if (strcmp(key, "tty") == 0) return options->tty = number == 1, is_number && number <= 1;
  if (strcmp(key, "stdin") == 0) return options->stdin_open = number == 1, is_number && number <= 1;
  if (strcmp(key, "height") == 0) return options->height = (uint32_t)number, is_small;
  if (strcmp(key, "width") == 0) return options->width = (uint32_t)number, is_small;
  if (strcmp(key, "max_file") == 0) return options->max_file = (unsigned)number, is_small && number > 0;
  if (strcmp(key, "spool") == 0) return options->spool_bytes = number, is_number && number >= SPOOL_LEAST;
  if (strcmp(key, "patience") == 0) return options->patience_ms = (uint32_t)number, is_number && number <= INT32_MAX;
  if (strcmp(key, "pidfd") == 0) return options->pidfd = (int)number, is_number && number <= INT32_MAX;
  return false;
}

bool options_parse(struct options *options, char *word) {
  *options = (struct options){
      .max_file = 1, .pidfd = -1, .log_path = "", .oom_path = "", .spool_bytes = SPOOL_BYTES, .patience_ms = PATIENCE_MS};
  while (*word) {
    char *key = word, *end = word + strcspn(word, ",");
    word = *end ? end + 1 : end;
    *end = 0;
    char *value = strchr(key, '=');
    if (!value) return false;
    *value++ = 0;
    if (!percent_decode(value) || !set(options, key, value)) return false;
  }
  return true;
}
