#include "options.h"

#include <string.h>

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

static bool percent_decode(char *to, size_t size, const char *from, size_t length) {
  size_t at = 0;
  for (size_t i = 0; i < length; i++) {
    if (at + 1 >= size) return false;
    if (from[i] != '%') {
      to[at++] = from[i];
      continue;
    }
    const int high = i + 2 < length ? hex_digit(from[i + 1]) : -1, low = high >= 0 ? hex_digit(from[i + 2]) : -1;
    if (low < 0 || high + low == 0) return false;
    to[at++] = (char)(high << 4 | low);
    i += 2;
  }
  to[at] = 0;
  return true;
}

static bool parse_format(const char *value, enum log_format *format) {
  *format = strcmp(value, "json-file") == 0 ? LOG_JSON_FILE : strcmp(value, "local") == 0 ? LOG_LOCAL : LOG_NONE;
  return *format != LOG_NONE || strcmp(value, "none") == 0;
}

static bool is_key(const char *pair, size_t length, const char *key) {
  return strlen(key) == length && memcmp(pair, key, length) == 0;
}

static bool set(struct options *options, const char *key, size_t length, const char *value) {
  uint64_t number = 0;
  if (is_key(key, length, "log")) return parse_format(value, &options->log);
  if (is_key(key, length, "log_path")) return strcpy(options->log_path, value) != NULL;
  if (is_key(key, length, "oom")) return strcpy(options->oom_path, value) != NULL;
  const bool is_number = parse_decimal(value, INT64_MAX, &number), is_small = is_number && number <= UINT16_MAX;
  if (is_key(key, length, "max_size")) return options->max_size = number, is_number;
  if (is_key(key, length, "tty")) return options->tty = number == 1, is_number && number <= 1;
  if (is_key(key, length, "stdin")) return options->stdin_open = number == 1, is_number && number <= 1;
  if (is_key(key, length, "height")) return options->height = (uint32_t)number, is_small;
  if (is_key(key, length, "width")) return options->width = (uint32_t)number, is_small;
  if (is_key(key, length, "max_file")) return options->max_file = (unsigned)number, is_small && number > 0;
  if (is_key(key, length, "pidfd")) return options->pidfd = (int)number, is_number && number <= INT32_MAX;
  return false;
}

bool options_parse(struct options *options, const char *word) {
  char value[4096];
  *options = (struct options){.max_file = 1, .pidfd = -1};
  while (*word) {
    const size_t length = strcspn(word, ","), key = strcspn(word, "=,");
    if (key == length || !percent_decode(value, sizeof value, word + key + 1, length - key - 1)) return false;
    if (!set(options, word, key, value)) return false;
    word += length + (word[length] == ',');
  }
  return true;
}
