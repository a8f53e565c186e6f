/* The OPTIONS word of a monitor: `key=value` pairs joined by commas, values percent-encoded (ARCHITECTURE.md §5.1). */
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
  const char *log_path; /* "" for none, as `oom_path` */
  uint64_t max_size;
  unsigned max_file;
  const char *oom_path;
  int pidfd; /* -1 for none */
  /* Of an attachment that does not read. */
  uint64_t spool_bytes;
  uint32_t patience_ms;
};

/* False for a key that is unknown or a value that does not fit. Values are decoded in `word`, and stay there. */
bool options_parse(struct options *options, char *word);

/* A decimal number up to `most`, and nothing else. */
bool parse_decimal(const char *word, uint64_t most, uint64_t *value);

#endif
