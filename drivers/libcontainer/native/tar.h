/* Reads tar archives: ustar (POSIX.1-1988), GNU long names and base-256 numbers, PAX (POSIX.1-2001). A pure parser: it
 * touches no file, every length in the archive is checked against a bound, and memory does not grow with the archive. */
#ifndef GANTRY_TAR_H
#define GANTRY_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  TAR_MAX_PATH = 4095,        /* bytes of a path or of a link's target */
  TAR_MAX_EXTENDED = 1 << 20, /* bytes of one PAX or long-name record block */
  TAR_MAX_RECORDS = 4096,     /* PAX records of one entry */
  TAR_MAX_XATTRS = 256,
  TAR_BUFFER = 1 << 20,
};

struct tar_xattr {
  const char *name;
  const uint8_t *value;
  size_t length;
};

struct tar_entry {
  char type; /* '0' file, '1' hard link, '2' symlink, '3' character, '4' block, '5' folder, '6' fifo */
  char path[TAR_MAX_PATH + 1];
  char link[TAR_MAX_PATH + 1];
  uint32_t mode, uid, gid, major, minor;
  uint64_t size;
  int64_t mtime;
  uint32_t mtime_ns;
  struct tar_xattr xattrs[TAR_MAX_XATTRS]; /* valid until the next entry is read */
  size_t xattr_count;
};

struct tar {
  /* As read(2), -errno on failure. */
  ssize_t (*read)(void *context, void *buffer, size_t size);
  void *context;
  uint8_t *buffer; /* of TAR_BUFFER bytes */
  size_t start, end;
  uint64_t data_left; /* of the present entry */
  uint32_t padding;
  uint8_t *extended; /* PAX records of the present entry */
  const char *error; /* what is wrong, in the words Docker has from Go's archive/tar where there are such */
};

enum tar_result { TAR_BAD = -1, TAR_END = 0, TAR_ENTRY = 1 };

/* 0 or -ENOMEM. */
int tar_open(struct tar *tar, ssize_t (*read)(void *, void *, size_t), void *context);
void tar_close(struct tar *tar);

/* The next entry; what is left of the last one's data is passed over. `entry->path` is set as far as it is known, for
 * the message, also when the answer is TAR_BAD. */
enum tar_result tar_next(struct tar *tar, struct tar_entry *entry);

/* The next stretch of the entry's data, in the reader's own buffer: its length, 0 at the end, -1 with `error`. */
ssize_t tar_data(struct tar *tar, const uint8_t **data);

#endif
