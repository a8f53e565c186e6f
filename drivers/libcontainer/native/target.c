#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel.h"

static const char opaque_name[] = "trusted.overlay.opaque";

bool is_whiteout(const struct stat *found) { return S_ISCHR(found->st_mode) && found->st_rdev == 0; }

int mark_opaque(int folder) { return fsetxattr(folder, opaque_name, "y", 1, 0) ? -errno : 0; }

bool is_opaque(int folder) {
  char value;
  return fgetxattr(folder, opaque_name, &value, 1) == 1 && value == 'y';
}

static uint64_t hash_text(uint64_t hash, const char *text) {
  for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
  return hash;
}

static struct cached_folder *place_of(struct target *target, const char *path) {
  return &target->cached[hash_text(0xcbf29ce484222325u, path) % CACHED_FOLDERS];
}

static void forget(struct cached_folder *cached) {
  if (!cached->path) return;
  free(cached->path);
  close(cached->fd);
  cached->path = NULL;
}

void target_forget_folders(struct target *target) {
  for (int i = 0; i < CACHED_FOLDERS; i++) forget(&target->cached[i]);
}

int target_cached(struct target *target, const char *path) {
  const struct cached_folder *cached = place_of(target, path);
  return cached->path && !strcmp(cached->path, path) ? cached->fd : -1;
}

int target_cache(struct target *target, const char *path, int fd) {
  struct cached_folder *cached = place_of(target, path);
  forget(cached);
  cached->path = strdup(path);
  cached->fd = fd;
  if (cached->path) return fd;
  close(fd);
  return -ENOMEM;
}

void target_keep(struct target *target, const char *path, int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy >= 0) target_cache(target, path, copy);
}

int target_set_time_late(struct target *target, const char *path, ino_t inode, struct timespec mtime) {
  if (target->late_count == target->late_room) {
    size_t room = target->late_room * 2 + 256;
    struct late_time *more = realloc(target->late, room * sizeof *more);
    if (!more) return -ENOMEM;
    target->late = more;
    target->late_room = room;
  }
  char *copy = strdup(path);
  if (!copy) return -ENOMEM;
  target->late[target->late_count++] = (struct late_time){copy, inode, mtime};
  return 0;
}

/* The path may lead elsewhere by now: only the very folder meant is touched. */
static int set_late_time(struct target *target, const struct late_time *late) {
  const struct timespec times[2] = {late->mtime, late->mtime};
  struct stat found;
  int fd = *late->path ? k_openat2(target->root, late->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                                   K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS)
                       : fcntl(target->root, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
  int error = 0;
  if (fstat(fd, &found) || (found.st_ino == late->inode && futimens(fd, times))) error = -errno;
  close(fd);
  return error;
}

int target_set_late_times(struct target *target) {
  for (size_t i = 0; i < target->late_count; i++) {
    int error = set_late_time(target, &target->late[i]);
    if (error) return error;
  }
  return 0;
}

void target_close(struct target *target) {
  target_forget_folders(target);
  for (size_t i = 0; i < target->late_count; i++) free(target->late[i].path);
  free(target->late);
  free(target->placed.keys);
}

static uint64_t name_key(int folder, const char *name) {
  struct stat found;
  uint64_t inode = fstat(folder, &found) ? 0 : found.st_ino;
  uint64_t key = hash_text(0xcbf29ce484222325u ^ (inode * 0x9e3779b97f4a7c15u), name);
  return key ? key : 1;
}

static void put_key(uint64_t *keys, size_t room, uint64_t key) {
  size_t at = key % room;
  while (keys[at] && keys[at] != key) at = (at + 1) % room;
  keys[at] = key;
}

int target_note(struct target *target, int folder, const char *name) {
  struct name_set *set = &target->placed;
  if (target->overlay) return 0;
  if (set->count * 2 >= set->room) {
    size_t room = set->room * 2 + 1024;
    uint64_t *keys = calloc(room, sizeof *keys);
    if (!keys) return -ENOMEM;
    for (size_t i = 0; i < set->room; i++)
      if (set->keys[i]) put_key(keys, room, set->keys[i]);
    free(set->keys);
    set->keys = keys;
    set->room = room;
  }
  put_key(set->keys, set->room, name_key(folder, name));
  set->count++;
  return 0;
}

bool target_has_placed(const struct target *target, int folder, const char *name) {
  const struct name_set *set = &target->placed;
  if (!set->room) return false;
  uint64_t key = name_key(folder, name);
  size_t at = key % set->room;
  while (set->keys[at] && set->keys[at] != key) at = (at + 1) % set->room;
  return set->keys[at] == key;
}
