#include "beneath.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "operations.h"
#include "perform.h"

enum { MAX_PATH = 4096, MAX_NAME = 256 };
#define STEP (K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS | K_RESOLVE_NO_MAGICLINKS)

int open_beneath(int root, const char *path, uint64_t flags, mode_t mode) {
  const uint64_t kept_mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0;
  return k_openat2(root, *path ? path : ".", flags | O_CLOEXEC, kept_mode, K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS);
}

static int open_folder(int root, const char *path) { return open_beneath(root, path, O_PATH | O_DIRECTORY, 0); }

/* Cuts the next component off `path` into `name`; empty at the end. */
static int next_name(const char **path, char name[MAX_NAME]) {
  while (**path == '/') (*path)++;
  const size_t length = strcspn(*path, "/");
  if (length >= MAX_NAME) return -ENAMETOOLONG;
  memcpy(name, *path, length);
  name[length] = 0;
  *path += length;
  return 0;
}

/* Makes `name` in `folder` and opens it; a link that is put there meanwhile is not followed. */
static int make_folder(int folder, const char *name) {
  if (mkdirat(folder, name, 0755) < 0 && errno != EEXIST) return -errno;
  return k_openat2(folder, name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, STEP);
}

/* Makes what is missing, component by component below `folder` (which it closes). */
static int make_rest(int folder, const char *rest) {
  char name[MAX_NAME];
  for (;;) {
    const int error = next_name(&rest, name);
    if (error || !*name) return error ? (close(folder), error) : folder;
    if (strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) return close(folder), -EINVAL;
    const int next = make_folder(folder, name);
    close(folder);
    if (next < 0) return next;
    folder = next;
  }
}

int make_folders_beneath(int root, const char *path) {
  const int whole = open_folder(root, path);
  if (whole != -ENOENT) return whole;
  char prefix[MAX_PATH], name[MAX_NAME];
  if (strlen(path) >= sizeof prefix) return -ENAMETOOLONG;
  int folder = open_folder(root, "/");
  const char *rest = path;
  while (folder >= 0) {
    const char *here = rest;
    const int error = next_name(&rest, name);
    if (error || !*name) return error ? (close(folder), error) : folder;
    memcpy(prefix, path, (size_t)(rest - path));
    prefix[rest - path] = 0;
    const int next = open_folder(root, prefix);
    if (next == -ENOENT) return make_rest(folder, here);
    close(folder);
    folder = next;
  }
  return folder;
}

int open_parent_beneath(int root, const char *path, int make, char name[MAX_NAME]) {
  char parent[MAX_PATH];
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  if (end == start || end - start >= MAX_NAME || start >= sizeof parent) return end == start ? -EINVAL : -ENAMETOOLONG;
  memcpy(name, path + start, end - start);
  name[end - start] = 0;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return -EINVAL;
  memcpy(parent, path, start);
  parent[start] = 0;
  return make ? make_folders_beneath(root, parent) : open_folder(root, parent);
}

static int make_file(int root, const char *path) {
  char name[MAX_NAME];
  const int there = open_beneath(root, path, O_PATH, 0);
  if (there != -ENOENT) return there;
  const int parent = open_parent_beneath(root, path, 1, name);
  if (parent < 0) return parent;
  int fd = result_of(openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644));
  if (fd >= 0) close(fd);
  if (fd >= 0 || fd == -EEXIST) fd = k_openat2(parent, name, O_PATH | O_CLOEXEC, 0, STEP);
  close(parent);
  return fd;
}

int open_mount_point(int root, const char *path, uint32_t flags) {
  if (flags & FLAG_CREATE_DIR) return make_folders_beneath(root, path);
  if (flags & FLAG_CREATE_FILE) return make_file(root, path);
  return open_beneath(root, path, O_PATH, 0);
}

bool is_proc(int fd) {
  struct statfs where;
  return fstatfs(fd, &where) == 0 && where.f_type == K_PROC_SUPER_MAGIC;
}

int open_in_proc(int proc, const char *path, uint64_t flags) {
  enum { PROC_ROOT_INODE = 1 };
  struct stat root;
  if (!is_proc(proc) || fstat(proc, &root) < 0 || root.st_ino != PROC_ROOT_INODE) return -EXDEV;
  const int fd = k_openat2(proc, path, flags | O_CLOEXEC, 0, K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS | K_RESOLVE_NO_XDEV);
  if (fd >= 0 && !is_proc(fd)) return close(fd), -EXDEV;
  return fd;
}
