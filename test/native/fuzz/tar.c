/* libFuzzer target: any bytes through the tar parser, in reads of uneven length. What it gives out must keep its promises:
 * paths within their bounds, no more data than the archive has. */
#include <stdlib.h>
#include <string.h>

#include "tar.h"

struct source {
  const uint8_t *at;
  size_t left;
  size_t step;
};

static ssize_t read_source(void *context, void *buffer, size_t size) {
  struct source *source = context;
  size_t count = source->left < source->step ? source->left : source->step;
  if (count > size) count = size;
  memcpy(buffer, source->at, count);
  source->at += count;
  source->left -= count;
  source->step = source->step % 700 + 1;
  return (ssize_t)count;
}

static void check(int holds) {
  if (!holds) abort();
}

/* Makes the sanitizer look at memory that is said to be there. */
static volatile uint8_t sink;
static void touch(const uint8_t *bytes, size_t length) {
  if (!length) return;
  sink = bytes[0];
  sink = bytes[length - 1];
}

static size_t read_data(struct tar *tar) {
  const uint8_t *data;
  ssize_t count;
  size_t total = 0;
  while ((count = tar_data(tar, &data)) > 0) {
    total += (size_t)count;
    touch(data, (size_t)count);
  }
  return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct tar_entry entry;
  struct source source = {data, size, size ? data[0] + 1u : 1};
  struct tar tar;
  size_t total = 0;
  if (tar_open(&tar, read_source, &source)) return 0;
  while (tar_next(&tar, &entry) == TAR_ENTRY) {
    check(strlen(entry.path) <= TAR_MAX_PATH && strlen(entry.link) <= TAR_MAX_PATH);
    check(entry.type >= '0' && entry.type <= '6' && entry.xattr_count <= TAR_MAX_XATTRS && !(entry.mode & ~07777u));
    check(entry.mtime_ns < 1000000000u);
    for (size_t i = 0; i < entry.xattr_count; i++) {
      const struct tar_xattr *xattr = &entry.xattrs[i];
      check(strlen(xattr->name) + xattr->length <= TAR_MAX_EXTENDED);
      touch(xattr->value, xattr->length);
    }
    if (size & 1) total += read_data(&tar);
    check(total <= size);
  }
  tar_close(&tar);
  return 0;
}
