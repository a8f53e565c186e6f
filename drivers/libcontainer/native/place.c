#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel.h"
#include "tree.h"
#include "whiteout.h"

/* Where an entry goes. */
struct spot {
  struct target *target;
  const struct tar_entry *entry;
  const char *path; /* clean, "" for the root */
  const char *name; /* the last of it */
  int folder;
  bool over_whiteout; /* this archive has said that what was there is gone */
};

/*
 * A path without `.`, `..`, double or outer slashes, worked out as text: "a/../b" is b whatever a may be. False when it
 * climbs out; above an absolute path is the root again.
 */
static bool clean_path(char *path) {
  bool absolute = *path == '/';
  char *out = path;
  for (const char *at = path; *at;) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') {
      if (out == path && !absolute) return false;
      while (out > path && *--out != '/') continue;
    } else if (length && !(length == 1 && *at == '.')) {
      if (out > path) *out++ = '/';
      memmove(out, at, length);
      out += length;
    }
    at += length;
    at += *at == '/';
  }
  *out = 0;
  return true;
}

/* Splits a clean path and finds the folder. `name` points into `path`. */
static int find_folder(struct target *target, char *path, const char **name) {
  char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  if (strlen(*name) > MAX_TARGET_NAME) return -ENAMETOOLONG;
  if (!slash) return target->root;
  *slash = 0;
  int folder = target_folder(target, path);
  *slash = '/';
  return folder;
}

/* Takes away what is in the way. The descriptor in `spot` is of no use then. */
static int make_room(struct spot *spot) {
  struct stat was;
  if (fstatat(spot->folder, spot->name, &was, AT_SYMLINK_NOFOLLOW)) return -errno;
  spot->over_whiteout = spot->target->overlay && is_whiteout(&was);
  int error = tree_remove(spot->folder, spot->name);
  if (S_ISDIR(was.st_mode) || S_ISLNK(was.st_mode)) target_forget_folders(spot->target);
  return error;
}

/* Labels of other systems and overlayfs' own are not an archive's to give. */
static bool may_set(const char *name) {
  if (!strncmp(name, "user.", 5)) return strncmp(name, "user.overlay.", 13) != 0;
  return !strcmp(name, "security.capability") || !strcmp(name, "system.posix_acl_access") ||
         !strcmp(name, "system.posix_acl_default");
}

static int set_xattrs(int fd, const struct tar_entry *entry) {
  for (size_t i = 0; i < entry->xattr_count; i++) {
    const struct tar_xattr *xattr = &entry->xattrs[i];
    if (may_set(xattr->name) && fsetxattr(fd, xattr->name, xattr->value, xattr->length, 0) && errno != ENOTSUP)
      return -errno;
  }
  return 0;
}

/* Owner first: a change of it takes set-id bits and capabilities away. */
static int set_attributes(int fd, const struct tar_entry *entry) {
  if (fchown(fd, entry->uid, entry->gid) || fchmod(fd, entry->mode)) return -errno;
  return set_xattrs(fd, entry);
}

static void times_of(const struct tar_entry *entry, struct timespec times[2]) {
  times[0] = times[1] = (struct timespec){.tv_sec = entry->mtime, .tv_nsec = entry->mtime_ns};
}

static int write_data(int fd, struct tar *tar) {
  const uint8_t *data;
  ssize_t length;
  while ((length = tar_data(tar, &data)) > 0)
    while (length > 0) {
      ssize_t count = write(fd, data, (size_t)length);
      if (count < 0 && errno != EINTR) return -errno;
      if (count > 0) data += count, length -= count;
    }
  return length < 0 ? -EILSEQ : 0;
}

static int place_file(const struct spot *spot, struct tar *tar) {
  struct timespec times[2];
  int fd = openat(spot->folder, spot->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  int error = write_data(fd, tar);
  if (!error) error = set_attributes(fd, spot->entry);
  times_of(spot->entry, times);
  if (!error && futimens(fd, times)) error = -errno;
  if (close(fd) && !error) error = -errno;
  return error;
}

static int dress_folder(const struct spot *spot, int fd) {
  struct timespec times[2];
  struct stat made;
  int error = set_attributes(fd, spot->entry);
  if (!error && fstat(fd, &made)) error = -errno;
  times_of(spot->entry, times);
  return error ? error : target_set_time_late(spot->target, spot->path, made.st_ino, times[0]);
}

/* A folder that is there already stays, with what is in it. */
static int place_folder(const struct spot *spot) {
  int error = mkdirat(spot->folder, spot->name, 0700) ? -errno : 0;
  if (error && error != -EEXIST) return error;
  int fd = openat(spot->folder, spot->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOTDIR || errno == ELOOP ? -EEXIST : -errno;
  error = spot->over_whiteout ? mark_opaque(fd) : 0;
  if (!error) error = dress_folder(spot, fd);
  if (!error) target_keep(spot->target, spot->path, fd);
  close(fd);
  return error;
}

static int place_symlink(const struct spot *spot) {
  struct timespec times[2];
  times_of(spot->entry, times);
  if (symlinkat(spot->entry->link, spot->folder, spot->name) ||
      fchownat(spot->folder, spot->name, spot->entry->uid, spot->entry->gid, AT_SYMLINK_NOFOLLOW) ||
      utimensat(spot->folder, spot->name, times, AT_SYMLINK_NOFOLLOW))
    return -errno;
  return 0;
}

static int place_node(const struct spot *spot) {
  const struct tar_entry *entry = spot->entry;
  struct timespec times[2];
  mode_t kind = entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO;
  dev_t device = entry->type == '6' ? 0 : makedev(entry->major, entry->minor);
  times_of(entry, times);
  if (mknodat(spot->folder, spot->name, kind | entry->mode, device) ||
      fchownat(spot->folder, spot->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) ||
      utimensat(spot->folder, spot->name, times, AT_SYMLINK_NOFOLLOW))
    return -errno;
  return 0;
}

/* The source as it is, a symlink too; found inside the target only. */
static int place_hard_link(const struct spot *spot) {
  char source[TAR_MAX_PATH + 1];
  const char *name;
  struct stat from, to;
  strcpy(source, spot->entry->link);
  if (!clean_path(source) || !*source) return -EXDEV;
  /* looking for the source may take our folder out of the cache */
  int folder = fcntl(spot->folder, F_DUPFD_CLOEXEC, 3);
  if (folder < 0) return -errno;
  int holder = find_folder(spot->target, source, &name);
  int error = holder < 0 ? holder : fstatat(holder, name, &from, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
  if (!error && S_ISDIR(from.st_mode)) error = -EPERM;
  bool same = !error && !fstatat(folder, spot->name, &to, AT_SYMLINK_NOFOLLOW) && from.st_ino == to.st_ino;
  if (!error && !same && linkat(holder, name, folder, spot->name, 0)) error = -errno;
  close(folder);
  return error;
}

static int place_once(const struct spot *spot, struct tar *tar) {
  switch (spot->entry->type) {
    case '0': return place_file(spot, tar);
    case '1': return place_hard_link(spot);
    case '2': return place_symlink(spot);
    case '5': return place_folder(spot);
    default: return place_node(spot);
  }
}

static int place(struct spot *spot, char *path, struct tar *tar) {
  int error = place_once(spot, tar);
  if (error == -EEXIST) {
    error = make_room(spot);
    if (!error) spot->folder = find_folder(spot->target, path, &spot->name);
    if (!error) error = spot->folder < 0 ? spot->folder : place_once(spot, tar);
  }
  if (error || spot->target->overlay) return error;
  spot->folder = find_folder(spot->target, path, &spot->name);
  return spot->folder < 0 ? spot->folder : target_note(spot->target, spot->folder, spot->name);
}

int place_entry(struct target *target, struct tar *tar, struct tar_entry *entry, const char **why) {
  struct spot spot = {.target = target, .entry = entry, .path = entry->path};
  char shown[TAR_MAX_PATH + 1];
  strcpy(shown, entry->path);
  if (!clean_path(entry->path)) {
    strcpy(entry->path, shown);
    return *why = "path leads outside of the archive's root", -1;
  }
  if (!*entry->path) {
    if (entry->type == '5') return dress_folder(&spot, target->root);
    strcpy(entry->path, shown);
    return *why = "only a folder can be the root", -1;
  }
  switch (whiteout_kind(entry->path, why)) {
    case WHITEOUT_BAD: return -1;
    case WHITEOUT_IGNORED: return 0;
    case WHITEOUT_NONE: break;
    default:
      spot.folder = find_folder(target, entry->path, &spot.name);
      return spot.folder < 0 ? spot.folder : apply_whiteout(target, spot.folder, spot.name);
  }
  spot.folder = find_folder(target, entry->path, &spot.name);
  if (spot.folder < 0) return spot.folder;
  return place(&spot, entry->path, tar);
}
