/* The container's log, in the layouts of ARCHITECTURE.md §5.4. `local` is, little-endian and an entry a line:
 *
 *   u32 n · u8 stream (1 stdout, 2 stderr) · u8 flags (1: partial) · u64 ns since 1970 · n bytes · u32 n
 *
 * drivers/log/ has the readers. */
#ifndef GANTRY_LOG_H
#define GANTRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_BYTES = 16384, LOG_CHUNK_BYTES = 65536, LOG_NAME_BYTES = 256 };

enum log_format { LOG_NONE, LOG_JSON_FILE, LOG_LOCAL };

struct log_stream {
  uint8_t *pending; /* the beginning of a line whose end is not there yet */
  size_t size;
};

struct log {
  enum log_format format;
  int folder;
  int fd;
  char name[LOG_NAME_BYTES];
  uint64_t size;
  uint64_t max_size; /* 0: never rotated */
  unsigned max_file;
  bool is_broken; /* the last write failed; told once, tried again with every line */
  int64_t second; /* what `date` is of */
  char date[24];
  uint8_t *out; /* entries on their way, LOG_OUT_BYTES, given back when idle */
  size_t used;
  struct log_stream streams[2];
};

/* 0 or an errno. `path` is absolute. */
int log_open(struct log *log, enum log_format format, const char *path, uint64_t max_size, unsigned max_file);

/* Takes what stream 0 (stdout) or 1 (stderr) gave, at most LOG_CHUNK_BYTES. The LOG_LINE_BYTES in front of `data` are
 * scratch. False when for the first time something could not be written. */
bool log_take(struct log *log, int stream, uint8_t *data, size_t length);

/* The stream has ended: an unterminated line is written. */
bool log_end(struct log *log, int stream);

/* Gives buffers back to the system. */
void log_idle(struct log *log);

#endif
