/*
 * Calls on a tree that is not ours, below the descriptor of its root: openat2(2) with RESOLVE_IN_ROOT, so that no link in
 * it, however absolute, leads outside. Where a name is made, removed or read, the last component is never followed.
 */
#include "addon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"

static int open_in(const struct request *r, int flags, mode_t mode) {
  return open_beneath((int)r->number[0], r->string[0], (uint64_t)flags, mode & 07777);
}

/* The folder that holds the path, and its last name. */
static int open_parent(int root, const char *path, char name[256]) { return open_parent_beneath(root, path, 0, name); }

static int64_t open_file(struct request *r) { return open_in(r, (int)r->number[1], (mode_t)r->number[2]); }

static int64_t read_all(int fd, size_t limit, struct request *r) {
  size_t length = 0, room = 4096;
  uint8_t *bytes = malloc(room);
  for (;;) {
    if (length == room) {
      room *= 2;
      uint8_t *larger = realloc(bytes, room);
      if (!larger) {
        free(bytes);
        return -ENOMEM;
      }
      bytes = larger;
    }
    ssize_t count = bytes ? read(fd, bytes + length, room - length) : -1;
    if (count < 0 && errno == EINTR) continue;
    int64_t error = count < 0 ? -errno : length + (size_t)count > limit ? -EFBIG : 0;
    if (error) {
      free(bytes);
      return error;
    }
    if (!count) break;
    length += (size_t)count;
  }
  r->answer = bytes;
  r->answer_length = length;
  return 0;
}

/* readFileBeneath(root, path, limit): a regular file only, and without waiting for whatever else it may be. */
static int64_t read_beneath(struct request *r) {
  struct stat found;
  int fd = open_in(r, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  int64_t result = fstat(fd, &found) ? -errno : 0;
  if (!result && !S_ISREG(found.st_mode))
    result = S_ISDIR(found.st_mode) ? -EISDIR : -EINVAL;
  if (!result)
    result = read_all(fd, (size_t)r->number[1], r);
  close(fd);
  return result;
}

/* statBeneath(root, path, follow) → 13 numbers of 64 bits */
static int64_t stat_beneath(struct request *r) {
  struct stat s;
  int flags = O_PATH | (r->number[1] ? 0 : O_NOFOLLOW);
  int fd = open_in(r, flags, 0);
  if (fd < 0) return fd;
  int64_t error = fstat(fd, &s) ? -errno : 0;
  close(fd);
  if (error) return error;
  int64_t answer[] = {
    (int64_t)s.st_dev, (int64_t)s.st_ino, s.st_mode, (int64_t)s.st_nlink, s.st_uid, s.st_gid,
    (int64_t)s.st_rdev, s.st_size, s.st_blocks, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_sec,
    s.st_ctim.tv_nsec,
  };
  return answer_bytes(r, answer, sizeof answer);
}

static int64_t mkdir_beneath(struct request *r) {
  char name[256];
  int parent = open_parent((int)r->number[0], r->string[0], name);
  if (parent < 0) return parent;
  int64_t result = mkdirat(parent, name, (mode_t)r->number[1]) ? -errno : 0;
  close(parent);
  return result;
}

/* unlinkBeneath(root, path, AT_REMOVEDIR or 0) */
static int64_t unlink_beneath(struct request *r) {
  char name[256];
  int parent = open_parent((int)r->number[0], r->string[0], name);
  if (parent < 0) return parent;
  int64_t result = unlinkat(parent, name, (int)r->number[1]) ? -errno : 0;
  close(parent);
  return result;
}

/* renameBeneath(root, from, root of to, to, flags of renameat2) */
static int64_t rename_beneath(struct request *r) {
  char from[256], to[256];
  int old_parent = open_parent((int)r->number[0], r->string[0], from);
  if (old_parent < 0) return old_parent;
  int64_t result = 0;
  int new_parent = open_parent((int)r->number[1], r->string[1], to);
  if (new_parent < 0)
    result = new_parent;
  else if (renameat2(old_parent, from, new_parent, to, (unsigned)r->number[2]))
    result = -errno;
  if (new_parent >= 0) close(new_parent);
  close(old_parent);
  return result;
}

static int64_t readlink_beneath(struct request *r) {
  char target[PATH_MAX];
  int fd = open_in(r, O_PATH | O_NOFOLLOW, 0);
  if (fd < 0) return fd;
  ssize_t length = readlinkat(fd, "", target, sizeof target);
  int64_t result = length < 0 ? (errno == ENOENT ? -EINVAL : -errno) : answer_bytes(r, target, (size_t)length);
  close(fd);
  return result;
}

/* readdirBeneath(root, path, limit of entries) → per entry: the letter of its kind, its name, NUL */
static int64_t readdir_beneath(struct request *r) {
  static const char kinds[16] = {[DT_FIFO] = 'p', [DT_CHR] = 'c', [DT_DIR] = 'd', [DT_BLK] = 'b',
               [DT_REG] = 'f', [DT_LNK] = 'l', [DT_SOCK] = 's'};
  char *text = NULL;
  size_t length = 0;
  int64_t count = 0, error = 0;
  int fd = open_in(r, O_RDONLY | O_DIRECTORY, 0);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  FILE *out = folder ? open_memstream(&text, &length) : NULL;
  if (!out) {
    error = fd < 0 ? fd : -errno;
    if (folder) closedir(folder);
    else if (fd >= 0)
      close(fd);
    return error;
  }
  for (struct dirent *entry; !error && (entry = readdir(folder));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char kind = kinds[entry->d_type & 15];
    fprintf(out, "%c%s%c", kind ? kind : '?', entry->d_name, 0);
    if (++count > r->number[1])
      error = -EFBIG;
  }
  fclose(out);
  closedir(folder);
  if (error) {
    free(text);
    return error;
  }
  r->answer = (uint8_t *)text;
  r->answer_length = length;
  return 0;
}

const struct call beneath_calls[] = {
  {"openBeneath", "isii", open_file, ANYWHERE},
  {"readFileBeneath", "isi", read_beneath, ANYWHERE},
  {"statBeneath", "isi", stat_beneath, ANYWHERE},
  {"mkdirBeneath", "isi", mkdir_beneath, ANYWHERE},
  {"unlinkBeneath", "isi", unlink_beneath, ANYWHERE},
  {"renameBeneath", "isisi", rename_beneath, ANYWHERE},
  {"readlinkBeneath", "is", readlink_beneath, ANYWHERE},
  {"readdirBeneath", "isi", readdir_beneath, ANYWHERE},
  {NULL, NULL, NULL, ANYWHERE},
};
