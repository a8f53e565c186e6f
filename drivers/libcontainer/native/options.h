/* The OPTIONS word of a monitor: `key=value` pairs joined by commas, values percent-encoded (ARCHITECTURE.md §2.1). */
#ifndef GANTRY_OPTIONS_H
#define GANTRY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct options {
  bool tty;
  bool stdin_open;
  uint32_t height, width;
  enum log_format log;
  char log_path[4096];
  uint64_t max_size;
  unsigned max_file;
  char oom_path[4096]; /* "" for none */
  int pidfd;           /* -1 for none */
};

/* False for a key that is unknown or a value that does not fit. */
bool options_parse(struct options *options, const char *word);

/* A decimal number up to `most`, and nothing else. */
bool parse_decimal(const char *word, uint64_t most, uint64_t *value);

#endif
