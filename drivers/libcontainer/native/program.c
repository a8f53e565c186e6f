#include "program.h"

#include <errno.h>
#include <string.h>

struct header {
  char magic[4];
  uint32_t size;
  uint32_t operations;
};
struct operation_header {
  uint16_t code;
  uint16_t zero;
  uint32_t size;
};
_Static_assert(sizeof(struct header) == PROGRAM_START, "the first operation stands behind the header");

int program_open(struct program *program, const void *data, size_t size) {
  struct header header;
  if (size < sizeof header || size > MAX_PROGRAM_BYTES) return EINVAL;
  memcpy(&header, data, sizeof header);
  if (memcmp(header.magic, "GKP1", 4) != 0 || header.size != size || header.operations > MAX_OPERATIONS) return EINVAL;
  *program = (struct program){.data = data, .size = size, .operations = header.operations};
  size_t at = sizeof header;
  for (uint32_t i = 0; i < header.operations; i++) {
    struct operation_header operation;
    if (size - at < sizeof operation) return EINVAL;
    memcpy(&operation, program->data + at, sizeof operation);
    at += sizeof operation;
    if (operation.zero != 0 || size - at < operation.size) return EINVAL;
    at += operation.size;
    if (operation.code == OP_CLONE) program->has_clone = true;
  }
  return at == size ? 0 : EINVAL;
}

void program_next(const struct program *program, size_t *at, uint32_t *code, struct decoder *decoder) {
  struct operation_header header;
  memcpy(&header, program->data + *at, sizeof header);
  *code = header.code;
  decoder->at = program->data + *at + sizeof header;
  decoder->end = decoder->at + header.size;
  *at += sizeof header + header.size;
}
