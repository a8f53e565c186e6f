#include "descriptors.h"

#include <stdlib.h>
#include <unistd.h>

#include "kernel.h"

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

void close_all_but(int *kept, size_t count) {
  unsigned next = STDERR_FILENO + 1;
  qsort(kept, count, sizeof *kept, by_number);
  for (size_t i = 0; i < count; i++) {
    if (kept[i] < (int)next) continue;
    if ((unsigned)kept[i] > next) k_close_range(next, (unsigned)kept[i] - 1, 0);
    next = (unsigned)kept[i] + 1;
  }
  k_close_range(next, ~0u, 0);
}
