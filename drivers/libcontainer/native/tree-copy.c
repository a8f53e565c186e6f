#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"

enum { MAX_DEPTH = 4096, MAX_PATH = 4096, BUFFER = 256 * 1024, MAX_NAMES = 64 * 1024, MAX_VALUE = 64 * 1024 };

/* A file with several names, by its inode in the source, and its first name in the target. */
struct linked {
  ino_t inode;
  dev_t device;
  char *path;
};

struct copying {
  int target; /* its root */
  struct tree_count *count;
  char path[MAX_PATH]; /* of the folder at hand, below `target` */
  int beyond;          /* levels deeper than that, for which there is no room in a path */
  struct linked *linked;
  size_t linked_count, linked_room;
  char *buffer;
};

static int copy_folder(struct copying *copying, int source, int target, int depth);

static struct linked *find_linked(struct copying *copying, const struct stat *found) {
  size_t room = copying->linked_room;
  if (!room) return NULL;
  size_t at = (found->st_ino * 0x9e3779b97f4a7c15u) % room;
  while (copying->linked[at].path &&
         (copying->linked[at].inode != found->st_ino || copying->linked[at].device != found->st_dev))
    at = (at + 1) % room;
  return &copying->linked[at];
}

static int grow_linked(struct copying *copying) {
  struct linked *old = copying->linked;
  size_t old_room = copying->linked_room;
  struct linked *larger = calloc(old_room * 2 + 256, sizeof *larger);
  if (!larger) return -ENOMEM;
  copying->linked = larger;
  copying->linked_room = old_room * 2 + 256;
  for (size_t i = 0; i < old_room; i++) {
    const struct stat key = {.st_ino = old[i].inode, .st_dev = old[i].device};
    if (old[i].path) *find_linked(copying, &key) = old[i];
  }
  free(old);
  return 0;
}

/* The path of `name` in the folder at hand, or NULL when it would be too long. */
static char *path_of(const struct copying *copying, const char *name) {
  size_t folder = strlen(copying->path), length = strlen(name);
  if (copying->beyond || folder + length + 2 > MAX_PATH) return NULL;
  char *path = malloc(folder + length + 2);
  if (!path) return NULL;
  memcpy(path, copying->path, folder);
  if (folder) path[folder++] = '/';
  memcpy(path + folder, name, length + 1);
  return path;
}

/* 1 when it became another name of a file copied already, 0 when it has to be copied. */
static int link_or_remember(struct copying *copying, int target, const char *name, const struct stat *found) {
  if (found->st_nlink < 2 || S_ISDIR(found->st_mode)) return 0;
  if (copying->linked_count * 2 >= copying->linked_room && grow_linked(copying)) return -ENOMEM;
  struct linked *linked = find_linked(copying, found);
  if (linked->path) return linkat(copying->target, linked->path, target, name, 0) ? -errno : 1;
  *linked = (struct linked){found->st_ino, found->st_dev, path_of(copying, name)};
  copying->linked_count += linked->path != NULL;
  return 0;
}

static int copy_by_hand(struct copying *copying, int from, int to) {
  ssize_t count;
  while ((count = read(from, copying->buffer, BUFFER)) != 0) {
    if (count < 0 && errno != EINTR) return -errno;
    for (ssize_t done = 0; done < count;) {
      ssize_t written = write(to, copying->buffer + done, (size_t)(count - done));
      if (written < 0 && errno != EINTR) return -errno;
      if (written > 0) done += written;
    }
  }
  return 0;
}

/* copy_file_range(2), which shares the blocks where the filesystem can. */
static int copy_data(struct copying *copying, int from, int to) {
  for (;;) {
    long count = syscall(SYS_copy_file_range, from, NULL, to, NULL, (size_t)1 << 30, 0);
    if (count == 0) return 0;
    if (count > 0 || errno == EINTR) continue;
    if (errno == EXDEV || errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP || errno == EPERM)
      return copy_by_hand(copying, from, to);
    return -errno;
  }
}

static int copy_xattrs(int from, int to) {
  static char names[MAX_NAMES], value[MAX_VALUE];
  ssize_t size = flistxattr(from, names, sizeof names);
  if (size < 0) return errno == ENOTSUP ? 0 : -errno;
  for (char *name = names; name < names + size; name += strlen(name) + 1) {
    ssize_t length = fgetxattr(from, name, value, sizeof value);
    if (length < 0 || (fsetxattr(to, name, value, (size_t)length, 0) && errno != ENOTSUP)) return -errno;
  }
  return 0;
}

static int copy_attributes(int from, int to, const struct stat *found) {
  const struct timespec times[2] = {found->st_atim, found->st_mtim};
  if (fchown(to, found->st_uid, found->st_gid) || fchmod(to, found->st_mode & 07777)) return -errno;
  int error = copy_xattrs(from, to);
  return error ? error : futimens(to, times) ? -errno : 0;
}

static int copy_file(struct copying *copying, int source, int target, const char *name) {
  struct stat found;
  int from = openat(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0) return -errno;
  int to = openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int error = to < 0 || fstat(from, &found) ? -errno : 0;
  if (!error) error = copy_data(copying, from, to);
  if (!error) error = copy_attributes(from, to, &found);
  if (!error) copying->count->bytes += (uint64_t)found.st_size;
  if (to >= 0) close(to);
  close(from);
  return error;
}

static int copy_special(int source, int target, const char *name, const struct stat *found) {
  const struct timespec times[2] = {found->st_atim, found->st_mtim};
  char link[MAX_PATH];
  if (S_ISLNK(found->st_mode)) {
    ssize_t length = readlinkat(source, name, link, sizeof link - 1);
    if (length < 0) return -errno;
    link[length] = 0;
    if (symlinkat(link, target, name)) return -errno;
  } else if (mknodat(target, name, found->st_mode, found->st_rdev)) {
    return -errno;
  }
  if (fchownat(target, name, found->st_uid, found->st_gid, AT_SYMLINK_NOFOLLOW) ||
      utimensat(target, name, times, AT_SYMLINK_NOFOLLOW))
    return -errno;
  return 0;
}

static int copy_subfolder(struct copying *copying, int source, int target, const char *name, int depth) {
  size_t length = strlen(copying->path);
  char *path = path_of(copying, name);
  bool beyond = !path;
  if (depth > MAX_DEPTH) return free(path), -ENAMETOOLONG;
  if (path) strcpy(copying->path, path);
  free(path);
  copying->beyond += beyond;
  int from = openat(source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int to = from < 0 || mkdirat(target, name, 0700)
               ? -1
               : openat(target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int error = to < 0 ? -errno : copy_folder(copying, from, to, depth);
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  copying->path[length] = 0;
  copying->beyond -= beyond;
  return error;
}

static int copy_entry(struct copying *copying, int source, int target, const char *name, int depth) {
  struct stat found;
  if (fstatat(source, name, &found, AT_SYMLINK_NOFOLLOW)) return -errno;
  copying->count->entries++;
  int done = link_or_remember(copying, target, name, &found);
  if (done) return done < 0 ? done : 0;
  if (S_ISDIR(found.st_mode)) return copy_subfolder(copying, source, target, name, depth + 1);
  if (S_ISREG(found.st_mode)) return copy_file(copying, source, target, name);
  return copy_special(source, target, name, &found);
}

/* The folder's own attributes last: what is put into it changes its times. */
static int copy_folder(struct copying *copying, int source, int target, int depth) {
  DIR *entries = fdopendir(fcntl(source, F_DUPFD_CLOEXEC, 3));
  struct dirent *entry;
  struct stat found;
  int error = 0;
  if (!entries) return -errno;
  rewinddir(entries);
  while (!error && (entry = readdir(entries)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      error = copy_entry(copying, source, target, entry->d_name, depth);
  closedir(entries);
  if (!error && fstat(source, &found)) error = -errno;
  return error ? error : copy_attributes(source, target, &found);
}

int tree_copy(int source, int target, struct tree_count *count) {
  struct copying copying = {.target = target, .count = count, .buffer = malloc(BUFFER)};
  if (!copying.buffer) return -ENOMEM;
  int error = copy_folder(&copying, source, target, 0);
  for (size_t i = 0; i < copying.linked_room; i++) free(copying.linked[i].path);
  free(copying.linked);
  free(copying.buffer);
  return error;
}
