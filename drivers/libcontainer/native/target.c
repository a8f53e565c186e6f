#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel.h"

enum { MAX_LINKS = 40, FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

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

/* Takes over the descriptor. */
static int cache(struct target *target, const char *path, int fd) {
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
  if (copy >= 0) cache(target, path, copy);
}

/* One step of a path that is being walked name by name. */
struct walk {
  struct target *target;
  int fd;                         /* where we are */
  char logical[MAX_TARGET_PATH];  /* the same as a path without links */
  char rest[2 * MAX_TARGET_PATH]; /* what is still to go */
  int links;
  bool hidden; /* the lower trees do not show here */
};

static int walk_to_root(struct walk *walk) {
  close(walk->fd);
  walk->fd = fcntl(walk->target->root, F_DUPFD_CLOEXEC, 3);
  *walk->logical = 0;
  walk->hidden = is_opaque(walk->target->root);
  return walk->fd < 0 ? -errno : 0;
}

static int walk_up(struct walk *walk) {
  char *slash = strrchr(walk->logical, '/');
  if (!slash) return walk_to_root(walk);
  *slash = 0;
  int up = k_openat2(walk->target->root, walk->logical, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                     K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS);
  if (up < 0) return up;
  close(walk->fd);
  walk->fd = up; /* `hidden` may be true for too much here, never for too little */
  return 0;
}

static int walk_into(struct walk *walk, const char *name) {
  int next = openat(walk->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (next < 0) return -errno;
  close(walk->fd);
  walk->fd = next;
  size_t length = strlen(walk->logical);
  if (length + strlen(name) + 2 > sizeof walk->logical) return -ENAMETOOLONG;
  if (length) walk->logical[length++] = '/';
  strcpy(walk->logical + length, name);
  walk->hidden = walk->hidden || is_opaque(next);
  return 0;
}

static int walk_link(struct walk *walk, const char *name) {
  char link[MAX_TARGET_PATH];
  ssize_t length = readlinkat(walk->fd, name, link, sizeof link - 1);
  size_t rest = strlen(walk->rest);
  if (length < 0) return -errno;
  if (++walk->links > MAX_LINKS) return -ELOOP;
  if ((size_t)length + 1 + rest >= sizeof walk->rest) return -ENAMETOOLONG;
  memmove(walk->rest + length + 1, walk->rest, rest + 1);
  memcpy(walk->rest, link, (size_t)length);
  walk->rest[length] = '/';
  return *link == '/' ? walk_to_root(walk) : 0;
}

/* A whiteout of this very archive where a folder is needed: the folder is new, and hides what is below. */
static int walk_over_whiteout(struct walk *walk, const char *name) {
  if (unlinkat(walk->fd, name, 0) || mkdirat(walk->fd, name, 0755)) return -errno;
  int error = walk_into(walk, name);
  if (error) return error;
  walk->hidden = true;
  return mark_opaque(walk->fd);
}

static int walk_step(struct walk *walk, const char *name) {
  struct stat found;
  if (!*name || !strcmp(name, ".")) return 0;
  if (!strcmp(name, "..")) return walk_up(walk);
  if (strlen(name) > MAX_TARGET_NAME) return -ENAMETOOLONG;
  int error = fstatat(walk->fd, name, &found, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
  if (error == -ENOENT) {
    error = bring_up(walk->target, walk->fd, walk->logical, name, walk->hidden);
    if (!error && fstatat(walk->fd, name, &found, AT_SYMLINK_NOFOLLOW)) error = -errno;
  }
  if (error) return error;
  if (S_ISDIR(found.st_mode)) return walk_into(walk, name);
  if (S_ISLNK(found.st_mode)) return walk_link(walk, name);
  if (walk->target->overlay && is_whiteout(&found)) return walk_over_whiteout(walk, name);
  return -ENOTDIR;
}

static int walk_folder(struct target *target, const char *path) {
  struct walk walk = {.target = target, .fd = -1};
  if (strlen(path) >= MAX_TARGET_PATH) return -ENAMETOOLONG;
  int error = walk_to_root(&walk);
  strcpy(walk.rest, path);
  while (!error && *walk.rest) {
    char name[sizeof walk.rest];
    size_t length = strcspn(walk.rest, "/");
    memcpy(name, walk.rest, length);
    name[length] = 0;
    length += walk.rest[length] == '/';
    memmove(walk.rest, walk.rest + length, strlen(walk.rest + length) + 1);
    error = walk_step(&walk, name);
  }
  if (!error) return walk.fd;
  if (walk.fd >= 0) close(walk.fd);
  return error;
}

int target_folder(struct target *target, const char *path) {
  if (!*path) return target->root;
  struct cached_folder *cached = place_of(target, path);
  if (cached->path && !strcmp(cached->path, path)) return cached->fd;
  int fd = k_openat2(target->root, path, FOLDER, 0, K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS);
  if (fd == -ENOENT || fd == -ENOTDIR) fd = walk_folder(target, path);
  return fd < 0 ? fd : cache(target, path, fd);
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
