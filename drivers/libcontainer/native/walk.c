/* The way to a folder of the target, name by name where it is not there yet: what is missing is made, or brought up. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "target.h"

enum { MAX_LINKS = 40 };

/* How far we are on a path. */
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
  int fd = target_cached(target, path);
  if (fd >= 0) return fd;
  fd = k_openat2(target->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS);
  if (fd == -ENOENT || fd == -ENOTDIR) fd = walk_folder(target, path);
  return fd < 0 ? fd : target_cache(target, path, fd);
}
