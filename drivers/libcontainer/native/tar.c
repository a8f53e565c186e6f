#include "tar.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

static const char truncated[] = "unexpected EOF";
static const char invalid[] = "archive/tar: invalid tar header";

/* pax(1), "ustar Interchange Format" */
struct header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
  char magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};

/* What PAX records and GNU long names say of the next entry, over its own header. */
struct overrides {
  bool path, link, size, uid, gid, mtime;
};

static int bad(struct tar *tar, const char *error) {
  if (!tar->error) tar->error = error;
  return -1;
}

int tar_open(struct tar *tar, ssize_t (*read)(void *, void *, size_t), void *context) {
  memset(tar, 0, sizeof *tar);
  tar->read = read;
  tar->context = context;
  tar->buffer = malloc(TAR_BUFFER);
  return tar->buffer ? 0 : -ENOMEM;
}

void tar_close(struct tar *tar) {
  free(tar->buffer);
  free(tar->extended);
}

/* Reads on when nothing is buffered. The number of buffered bytes, 0 at the end, -1 with `error`. */
static ssize_t fill(struct tar *tar) {
  if (tar->start < tar->end) return (ssize_t)(tar->end - tar->start);
  ssize_t count = tar->read(tar->context, tar->buffer, TAR_BUFFER);
  if (count < 0) return bad(tar, "cannot read the archive");
  tar->start = 0;
  tar->end = (size_t)count;
  return count;
}

/* The number of bytes got: less than `size` only at the end of the archive; -1 with `error`. */
static ssize_t take(struct tar *tar, void *to, size_t size) {
  size_t got = 0;
  while (got < size) {
    ssize_t there = fill(tar);
    if (there < 0) return -1;
    if (!there) break;
    size_t step = size - got < (size_t)there ? size - got : (size_t)there;
    if (to) memcpy((uint8_t *)to + got, tar->buffer + tar->start, step);
    tar->start += step;
    got += step;
  }
  return (ssize_t)got;
}

static int skip(struct tar *tar, uint64_t size) {
  while (size) {
    ssize_t there = fill(tar);
    if (there < 0) return -1;
    if (!there) return bad(tar, truncated);
    size_t step = size < (uint64_t)there ? (size_t)size : (size_t)there;
    tar->start += step;
    size -= step;
  }
  return 0;
}

ssize_t tar_data(struct tar *tar, const uint8_t **data) {
  if (!tar->data_left) return 0;
  ssize_t there = fill(tar);
  if (there < 0) return -1;
  if (!there) return bad(tar, truncated);
  size_t step = tar->data_left < (uint64_t)there ? (size_t)tar->data_left : (size_t)there;
  *data = tar->buffer + tar->start;
  tar->start += step;
  tar->data_left -= step;
  return (ssize_t)step;
}

/* Octal digits between spaces and NULs, or base-256 when the top bit is set (GNU). */
static bool read_number(const char *field, size_t size, int64_t *value) {
  const uint8_t *at = (const uint8_t *)field, *end = at + size;
  if (*at & 0x80) {
    uint64_t number = *at & 0x40 ? UINT64_MAX : 0;
    number = (number << 6) | (*at++ & 0x3f);
    for (; at < end; at++) {
      if ((int64_t)number > INT64_MAX >> 8 || (int64_t)number < INT64_MIN >> 8) return false;
      number = (number << 8) | *at;
    }
    *value = (int64_t)number;
    return true;
  }
  uint64_t number = 0;
  while (at < end && (*at == ' ' || !*at)) at++;
  for (; at < end && *at >= '0' && *at <= '7'; at++) {
    if (number > INT64_MAX >> 3) return false;
    number = (number << 3) | (uint64_t)(*at - '0');
  }
  while (at < end && (*at == ' ' || !*at)) at++;
  *value = (int64_t)number;
  return at == end;
}

static bool checksum_fits(const struct header *header) {
  const uint8_t *bytes = (const uint8_t *)header;
  int64_t said, plain = 0, with_signs = 0;
  size_t from = offsetof(struct header, checksum), to = from + sizeof header->checksum;
  for (size_t i = 0; i < BLOCK; i++) {
    uint8_t byte = i >= from && i < to ? ' ' : bytes[i];
    plain += byte;
    with_signs += (int8_t)byte;
  }
  return read_number(header->checksum, sizeof header->checksum, &said) && (said == plain || said == with_signs);
}

static bool is_zero(const struct header *header) {
  const uint8_t *bytes = (const uint8_t *)header;
  return !bytes[0] && !memcmp(bytes, bytes + 1, BLOCK - 1);
}

/* A header that is not all zero: 1; the end of the archive: 0; -1 with `error`. */
static int next_header(struct tar *tar, struct header *header) {
  ssize_t got = take(tar, header, BLOCK);
  if (got < 0) return -1;
  if (!got) return 0;
  if (got < BLOCK) return bad(tar, truncated);
  if (!is_zero(header)) return checksum_fits(header) ? 1 : bad(tar, invalid);
  got = take(tar, header, BLOCK);
  if (got < 0) return -1;
  if (got && (got < BLOCK || !is_zero(header))) return bad(tar, invalid);
  return 0;
}

/* Reads a block of records into memory of its own, NUL behind it. */
static int take_extended(struct tar *tar, int64_t size, uint8_t **out) {
  if (size < 0 || size > TAR_MAX_EXTENDED) return bad(tar, "extended header of more than 1048576 bytes");
  size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
  uint8_t *bytes = malloc(padded + 1);
  if (!bytes) return bad(tar, "out of memory");
  ssize_t got = take(tar, bytes, padded);
  if (got < (ssize_t)padded) {
    free(bytes);
    return got < 0 ? -1 : bad(tar, truncated);
  }
  bytes[size] = 0;
  *out = bytes;
  return 0;
}

/* Copies a path out of `size` bytes that may end in NULs. */
static int set_path(struct tar *tar, char *to, const void *from, size_t size, const char *too_long) {
  size_t length = strnlen(from, size);
  if (length > TAR_MAX_PATH) {
    memcpy(to, from, 200);
    memcpy(to + 200, "...", 4);
    return bad(tar, too_long);
  }
  memcpy(to, from, length);
  to[length] = 0;
  return 0;
}

static int set_name(struct tar *tar, char *to, const void *from, size_t size) {
  return set_path(tar, to, from, size, "path of more than 4095 bytes");
}

/* GNU 'L' and 'K': the data is the next entry's name or link. */
static int long_name(struct tar *tar, int64_t size, char *to) {
  uint8_t *bytes;
  if (take_extended(tar, size, &bytes)) return -1;
  int result = set_name(tar, to, bytes, (size_t)size);
  free(bytes);
  return result;
}

static bool whole_number(const char *text, uint64_t most, uint64_t *value) {
  uint64_t number = 0;
  if (!*text) return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    uint64_t digit = (uint64_t)(*text - '0');
    if (number > (UINT64_MAX - digit) / 10) return false;
    number = number * 10 + digit;
  }
  *value = number;
  return !*text && number <= most;
}

/* Seconds and a fraction, such as -1.5: half a second after second -2. */
static bool pax_time(const char *text, struct tar_entry *entry) {
  char whole[24];
  uint64_t seconds;
  uint32_t nanos = 0;
  bool negative = *text == '-';
  text += negative;
  size_t length = strcspn(text, ".");
  if (length >= sizeof whole) return false;
  memcpy(whole, text, length);
  whole[length] = 0;
  if (!whole_number(whole, INT64_MAX / 2, &seconds)) return false;
  const char *digit = text + length + (text[length] == '.');
  for (uint32_t unit = 100000000; *digit >= '0' && *digit <= '9'; digit++, unit /= 10)
    nanos += unit * (uint32_t)(*digit - '0');
  if (*digit) return false;
  entry->mtime = negative ? -(int64_t)seconds - (nanos > 0) : (int64_t)seconds;
  entry->mtime_ns = negative && nanos ? 1000000000 - nanos : nanos;
  return true;
}

static int pax_xattr(struct tar *tar, struct tar_entry *entry, const char *name, const char *value, size_t length) {
  if (entry->xattr_count == TAR_MAX_XATTRS) return bad(tar, "more than 256 extended attributes");
  entry->xattrs[entry->xattr_count++] = (struct tar_xattr){name, (const uint8_t *)value, length};
  return 0;
}

/* One `key=value`, NUL behind both. An empty value takes an override back. */
static int pax_record(struct tar *tar, struct tar_entry *entry, struct overrides *over, const char *key,
                      const char *value, size_t length) {
  static const char xattr[] = "SCHILY.xattr.";
  uint64_t number = 0;
  if (!strncmp(key, xattr, sizeof xattr - 1)) return pax_xattr(tar, entry, key + sizeof xattr - 1, value, length);
  if (!strncmp(key, "GNU.sparse.", 11)) return bad(tar, "sparse files are not supported");
  bool is_path = !strcmp(key, "path"), is_link = !strcmp(key, "linkpath");
  if (is_path || is_link) {
    if (strlen(value) != length) return bad(tar, invalid);
    *(is_path ? &over->path : &over->link) = length > 0;
    return set_name(tar, is_path ? entry->path : entry->link, value, length);
  }
  if (!strcmp(key, "size")) {
    if ((over->size = length > 0) && !whole_number(value, INT64_MAX, &entry->size)) return bad(tar, invalid);
  } else if (!strcmp(key, "uid") || !strcmp(key, "gid")) {
    if (length && !whole_number(value, UINT32_MAX - 1, &number)) return bad(tar, invalid);
    *(*key == 'u' ? &over->uid : &over->gid) = length > 0;
    *(*key == 'u' ? &entry->uid : &entry->gid) = (uint32_t)number;
  } else if (!strcmp(key, "mtime")) {
    if ((over->mtime = length > 0) && !pax_time(value, entry)) return bad(tar, invalid);
  }
  return 0;
}

/* Records of the form "length key=value\n". */
static int pax_records(struct tar *tar, struct tar_entry *entry, struct overrides *over, char *at, size_t left) {
  for (int count = 0; left; count++) {
    char *space = memchr(at, ' ', left < 10 ? left : 10), *equals;
    uint64_t length;
    if (count == TAR_MAX_RECORDS) return bad(tar, "more than 4096 PAX records");
    if (!space) return bad(tar, invalid);
    *space = 0;
    if (!whole_number(at, left, &length) || length <= (uint64_t)(space + 1 - at)) return bad(tar, invalid);
    char *end = at + length - 1;
    equals = memchr(space + 1, '=', (size_t)(end - space - 1));
    if (*end != '\n' || !equals) return bad(tar, invalid);
    *end = *equals = 0;
    if (strlen(space + 1) != (size_t)(equals - space - 1) || equals == space + 1) return bad(tar, invalid);
    if (pax_record(tar, entry, over, space + 1, equals + 1, (size_t)(end - equals - 1))) return -1;
    at += length;
    left -= (size_t)length;
  }
  return 0;
}

static int pax(struct tar *tar, struct tar_entry *entry, struct overrides *over, int64_t size) {
  free(tar->extended);
  tar->extended = NULL;
  entry->xattr_count = 0;
  if (take_extended(tar, size, &tar->extended)) return -1;
  return pax_records(tar, entry, over, (char *)tar->extended, (size_t)size);
}

static int header_names(struct tar *tar, const struct header *header, const struct overrides *over,
                        struct tar_entry *entry) {
  char whole[sizeof header->prefix + 1 + sizeof header->name + 1] = "";
  size_t length = 0;
  if (!memcmp(header->magic, "ustar", 6) && header->prefix[0]) {
    length = strnlen(header->prefix, sizeof header->prefix);
    memcpy(whole, header->prefix, length);
    whole[length++] = '/';
  }
  memcpy(whole + length, header->name, sizeof header->name);
  if (!over->path && set_name(tar, entry->path, whole, sizeof whole)) return -1;
  if (!over->link && set_name(tar, entry->link, header->link, sizeof header->link)) return -1;
  return 0;
}

static bool fits_u32(int64_t value) { return value >= 0 && value < UINT32_MAX; }

static int header_numbers(struct tar *tar, const struct header *header, const struct overrides *over, int64_t size,
                          struct tar_entry *entry) {
  int64_t mode, uid, gid, mtime, major = 0, minor = 0;
  bool is_device = header->type == '3' || header->type == '4';
  if (!read_number(header->mode, sizeof header->mode, &mode) || !read_number(header->uid, sizeof header->uid, &uid) ||
      !read_number(header->gid, sizeof header->gid, &gid) ||
      !read_number(header->mtime, sizeof header->mtime, &mtime))
    return bad(tar, invalid);
  if (is_device && (!read_number(header->major, sizeof header->major, &major) ||
                    !read_number(header->minor, sizeof header->minor, &minor)))
    return bad(tar, invalid);
  if ((!over->uid && !fits_u32(uid)) || (!over->gid && !fits_u32(gid)) || !fits_u32(major) || !fits_u32(minor))
    return bad(tar, invalid);
  entry->mode = (uint32_t)mode & 07777;
  entry->major = (uint32_t)major;
  entry->minor = (uint32_t)minor;
  if (!over->uid) entry->uid = (uint32_t)uid;
  if (!over->gid) entry->gid = (uint32_t)gid;
  if (!over->size) entry->size = (uint64_t)size;
  if (!over->mtime) {
    entry->mtime = mtime;
    entry->mtime_ns = 0;
  }
  return 0;
}

/* What is known of an entry once its own header has come. */
static enum tar_result finish(struct tar *tar, const struct header *header, const struct overrides *over, int64_t size,
                              struct tar_entry *entry) {
  char type = header->type == 0 || header->type == '7' ? '0' : header->type;
  if (header_names(tar, header, over, entry)) return TAR_BAD;
  if (type == 'S') return bad(tar, "sparse files are not supported");
  if (type < '0' || type > '6') return bad(tar, "unhandled tar header type");
  if (header_numbers(tar, header, over, size, entry)) return TAR_BAD;
  size_t length = strlen(entry->path);
  if (type == '0' && length && entry->path[length - 1] == '/') type = '5'; /* before POSIX, a folder was this */
  entry->type = type;
  if (type != '0') entry->size = 0; /* what some writers put there for links has no data behind it */
  tar->data_left = entry->size;
  tar->padding = (uint32_t)(-entry->size & (BLOCK - 1));
  return TAR_ENTRY;
}

enum tar_result tar_next(struct tar *tar, struct tar_entry *entry) {
  struct overrides over = {0};
  struct header header;
  if (skip(tar, tar->data_left) || skip(tar, tar->padding)) return TAR_BAD;
  tar->data_left = 0;
  tar->padding = 0;
  *entry->path = *entry->link = 0;
  entry->xattr_count = 0;
  for (int headers = 0;; headers++) {
    int64_t size;
    bool any = over.path || over.link || headers > 0;
    int found = next_header(tar, &header);
    if (found < 0) return TAR_BAD;
    if (!found) return any ? bad(tar, truncated) : TAR_END;
    if (headers == 16) return bad(tar, "too many extended headers before one entry");
    if (!read_number(header.size, sizeof header.size, &size) || size < 0) {
      header_names(tar, &header, &over, entry);
      return bad(tar, invalid);
    }
    if (header.type == 'x') {
      if (pax(tar, entry, &over, size)) return TAR_BAD;
    } else if (header.type == 'g') {
      uint8_t *unused; /* global records, such as a commit id by git: nothing of ours */
      if (take_extended(tar, size, &unused)) return TAR_BAD;
      free(unused);
      headers--;
    } else if (header.type == 'L' || header.type == 'K') {
      bool *which = header.type == 'L' ? &over.path : &over.link;
      char *to = header.type == 'L' ? entry->path : entry->link;
      char dropped[TAR_MAX_PATH + 1];
      if (long_name(tar, size, *which ? dropped : to)) return TAR_BAD;
      *which = true;
    } else {
      return finish(tar, &header, &over, size, entry);
    }
  }
}
