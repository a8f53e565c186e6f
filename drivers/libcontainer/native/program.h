/* A kernel program in memory: ../encode.ts tells the layout. */
#ifndef GANTRY_PROGRAM_H
#define GANTRY_PROGRAM_H

#include "operations.h"

enum { MAX_PROGRAM_BYTES = 16 * 1024 * 1024, MAX_OPERATIONS = 8192, PROGRAM_START = 12 };

struct program {
  const uint8_t *data; /* the whole program, header and all */
  size_t size;
  uint32_t operations;
  bool has_clone;
};

/* Checks the header and that the operations fill the program; their payloads are looked at one by one as they run.
 * Answers 0 or EINVAL. */
int program_open(struct program *program, const void *data, size_t size);

/* Steps over the operation at `*at`, which begins as PROGRAM_START: its code, and `decoder` set to its payload. To be called
 * `operations` times for a program that program_open found good. */
void program_next(const struct program *program, size_t *at, uint32_t *code, struct decoder *decoder);

#endif
