/* The program reader: header, operations, every field of every operation. */
#include <stdlib.h>
#include <string.h>

#include "program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct program program;
  uint8_t *copy = malloc(size + 1);
  const uint32_t told = (uint32_t)size;
  memcpy(copy, data, size);
  /* A length that does not fit is refused at once: that much is known. */
  if (size >= PROGRAM_START) memcpy(copy + 4, &told, sizeof told);
  if (program_open(&program, copy, size) != 0) return free(copy), 0;
  struct arena arena = {.size = size * 2 + 4096};
  arena.start = malloc(arena.size);
  size_t at = PROGRAM_START;
  for (uint32_t i = 0; i < program.operations; i++) {
    uint32_t code;
    struct operation operation;
    struct decoder decoder = {.arena = &arena};
    program_next(&program, &at, &code, &decoder);
    arena.used = 0;
    decode_operation(&decoder, code, &operation);
    if (decoder.at > decoder.end || decoder.end > copy + size) abort();
  }
  if (at != size) abort();
  free(arena.start);
  free(copy);
  return 0;
}
