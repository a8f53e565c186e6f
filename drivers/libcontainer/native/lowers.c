/* What an archive takes for granted of the layers below its own. A layer may hold var/run/x and no var/run: with the layers
 * kept apart, that has to be the link var/run -> /run that a lower one has, not a folder that hides it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel.h"
#include "target.h"

enum { MAX_XATTR_LIST = 64 * 1024, MAX_XATTR_VALUE = 64 * 1024 };

/* How a lower tree answers for a path. */
enum sight { ABSENT, FOUND, HIDES_THE_REST };

/* Goes down `path` in one tree. FOUND gives the folder that holds the last name, and what the name is. */
static enum sight look(int tree, const char *path, int *holder, struct stat *found) {
  char name[MAX_TARGET_NAME + 1];
  bool opaque = false;
  int fd = fcntl(tree, F_DUPFD_CLOEXEC, 3);
  while (fd >= 0) {
    size_t length = strcspn(path, "/");
    if (length > MAX_TARGET_NAME) break;
    memcpy(name, path, length);
    name[length] = 0;
    opaque = opaque || is_opaque(fd);
    if (fstatat(fd, name, found, AT_SYMLINK_NOFOLLOW)) break;
    if (is_whiteout(found)) return close(fd), HIDES_THE_REST;
    if (!path[length]) return *holder = fd, FOUND;
    if (!S_ISDIR(found->st_mode)) return close(fd), HIDES_THE_REST;
    int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(fd);
    fd = next;
    path += length + 1;
  }
  if (fd >= 0) close(fd);
  return opaque ? HIDES_THE_REST : ABSENT;
}

static int open_lower(const struct target *target, int i) {
  return k_openat2(target->lower_root, target->lowers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                   K_RESOLVE_BENEATH | K_RESOLVE_NO_SYMLINKS);
}

static enum sight look_down(struct target *target, const char *path, int *holder, struct stat *found) {
  for (int i = 0; i < target->lower_count; i++) {
    int tree = open_lower(target, i);
    if (tree < 0) continue;
    enum sight sight = look(tree, path, holder, found);
    close(tree);
    if (sight != ABSENT) return sight;
  }
  return ABSENT;
}

static int copy_xattrs(int from, int to) {
  char names[MAX_XATTR_LIST], value[MAX_XATTR_VALUE];
  ssize_t size = flistxattr(from, names, sizeof names);
  for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
    if (!strncmp(name, "trusted.overlay.", 16)) continue;
    ssize_t length = fgetxattr(from, name, value, sizeof value);
    if (length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) && errno != ENOTSUP) return -errno;
  }
  return 0;
}

static int copy_folder(struct target *target, int holder, const struct stat *found, int folder, const char *name,
                       const char *path) {
  int from = openat(holder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0) return -errno;
  int to = mkdirat(folder, name, 0700) ? -1 : openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat made;
  int error = 0;
  if (to < 0 || fchown(to, found->st_uid, found->st_gid) || fchmod(to, found->st_mode & 07777) || fstat(to, &made))
    error = -errno;
  if (!error) error = copy_xattrs(from, to);
  if (!error) error = target_set_time_late(target, path, made.st_ino, found->st_mtim);
  if (to >= 0) close(to);
  close(from);
  return error;
}

static int copy_link(int holder, const struct stat *found, int folder, const char *name) {
  char link[MAX_TARGET_PATH];
  const struct timespec times[2] = {found->st_mtim, found->st_mtim};
  ssize_t length = readlinkat(holder, name, link, sizeof link - 1);
  if (length < 0) return -errno;
  link[length] = 0;
  if (symlinkat(link, folder, name) || fchownat(folder, name, found->st_uid, found->st_gid, AT_SYMLINK_NOFOLLOW) ||
      utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW))
    return -errno;
  return 0;
}

int bring_up(struct target *target, int folder, const char *logical, const char *name, bool hidden) {
  char path[2 * MAX_TARGET_PATH];
  struct stat found;
  int holder = -1;
  size_t length = strlen(logical);
  memcpy(path, logical, length);
  if (length) path[length++] = '/';
  strcpy(path + length, name);
  enum sight sight = hidden ? ABSENT : look_down(target, path, &holder, &found);
  int error = -ENOTDIR;
  if (sight != FOUND)
    error = mkdirat(folder, name, 0755) ? -errno : 0;
  else if (S_ISDIR(found.st_mode))
    error = copy_folder(target, holder, &found, folder, name, path);
  else if (S_ISLNK(found.st_mode))
    error = copy_link(holder, &found, folder, name);
  else /* a file: the archive means to have a folder there now */
    error = mkdirat(folder, name, 0755) ? -errno : 0;
  if (holder >= 0) close(holder);
  return error ? error : target_note(target, folder, name);
}

static int hide(int root, const char *name) {
  if (!mknodat(root, name, S_IFCHR, 0)) return 0;
  if (errno != EEXIST) return -errno;
  int folder = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (folder < 0) return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
  int error = mark_opaque(folder);
  close(folder);
  return error;
}

static int hide_names(struct target *target, int tree) {
  DIR *entries = fdopendir(tree);
  struct dirent *entry;
  int error = 0;
  if (!entries) return close(tree), -errno;
  while (!error && (entry = readdir(entries)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) error = hide(target->root, entry->d_name);
  closedir(entries);
  return error;
}

int hide_lower_roots(struct target *target) {
  int error = 0;
  for (int i = 0; i < target->lower_count && !error; i++) {
    int tree = open_lower(target, i);
    if (tree >= 0) error = hide_names(target, tree);
  }
  return error;
}
