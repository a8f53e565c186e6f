/* Operations that mount. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "beneath.h"
#include "mount-context.h"

int perform_propagation(struct interpreter *interpreter, const struct op_propagation *op) {
  (void)interpreter;
  return result_of(mount(NULL, op->path, NULL, (unsigned long)op->mountFlags, NULL));
}

static int attach_fd(int mount, int target) {
  return k_move_mount(mount, "", target, "", K_MOVE_MOUNT_F_EMPTY_PATH | K_MOVE_MOUNT_T_EMPTY_PATH);
}

static int set_attributes(int mount, uint64_t set, uint64_t clear, uint64_t propagation, uint32_t flags) {
  const struct k_mount_attr attr = {.set = set, .clear = clear, .propagation = propagation};
  return k_mount_setattr(mount, "", K_AT_EMPTY_PATH | (flags & FLAG_RECURSIVE ? K_AT_RECURSIVE : 0), &attr);
}

/* ——— detached mounts */

int perform_clone_tree(struct interpreter *interpreter, const struct op_clone_tree *op) {
  const unsigned recursive = op->flags & FLAG_RECURSIVE ? K_AT_RECURSIVE : 0;
  const int fd = k_open_tree(AT_FDCWD, op->path, K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | recursive);
  if (fd < 0) return fd;
  const int error = op->flags & FLAG_READONLY ? set_attributes(fd, K_MOUNT_ATTR_RDONLY, 0, 0, op->flags) : 0;
  return error ? close(fd), error : slot_put(interpreter, op->slot, fd);
}

int perform_mount_setattr(struct interpreter *interpreter, const struct op_mount_setattr *op) {
  const int fd = slot_get(interpreter, op->slot);
  return fd < 0 ? fd : set_attributes(fd, op->set, op->clear, op->propagation, op->flags);
}

int perform_attach(struct interpreter *interpreter, const struct op_attach *op) {
  const int fd = slot_get(interpreter, op->slot);
  return fd < 0 ? fd : k_move_mount(fd, "", AT_FDCWD, op->target, K_MOVE_MOUNT_F_EMPTY_PATH);
}

/* What is mounted over /proc, or in it, could make the files that confine the container fakes (CVE-2019-16884). Paths that say
 * so have been refused before; this is one that leads there by a link of the image. */
static int open_outside_proc(struct interpreter *interpreter, int root, const char *path, uint32_t flags) {
  const int target = open_mount_point(root, path, flags);
  if (target < 0 || !is_proc(target) || strncmp(path, "/proc/", 6) == 0) return target;
  set_detail(interpreter, "\"%s\" cannot be mounted because it is inside /proc", path);
  close(target);
  return -EPERM;
}

/* With both flags a mount point is made as what will be mounted on it is. */
static uint32_t creation_for(int mount, uint32_t flags) {
  const uint32_t both = FLAG_CREATE_DIR | FLAG_CREATE_FILE;
  struct stat stat;
  if ((flags & both) != both || fstat(mount, &stat) < 0) return flags;
  return flags & ~(S_ISDIR(stat.st_mode) ? FLAG_CREATE_FILE : FLAG_CREATE_DIR);
}

int perform_attach_beneath(struct interpreter *interpreter, const struct op_attach_beneath *op) {
  const int fd = slot_get(interpreter, op->slot), root = slot_get(interpreter, op->root);
  if (fd < 0 || root < 0) return -EBADF;
  const int target = open_outside_proc(interpreter, root, op->target, creation_for(fd, op->flags));
  if (target < 0) return target;
  const int error = attach_fd(fd, target);
  close(target);
  return error;
}

/* ——— new filesystems */

/* proc and sysfs go on folders reached without a link: masks and labels that follow rely on where they are. */
static int open_target(struct interpreter *interpreter, int root, const struct op_mount_beneath *op) {
  const int target = open_outside_proc(interpreter, root, op->target, op->flags);
  const bool is_strict = strcmp(op->fstype, "proc") == 0 || strcmp(op->fstype, "sysfs") == 0;
  if (target < 0 || !is_strict) return target;
  close(target);
  const int strict = k_openat2(root, op->target, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                               K_RESOLVE_IN_ROOT | K_RESOLVE_NO_MAGICLINKS | K_RESOLVE_NO_SYMLINKS);
  if (strict == -ELOOP || strict == -ENOTDIR)
    set_detail(interpreter, "filesystem \"%s\" must be mounted on ordinary directory", op->fstype);
  return strict;
}

static int new_filesystem(struct interpreter *interpreter, const struct op_mount_beneath *op) {
  const int context = k_fsopen(op->fstype);
  if (context < 0) return context;
  int error = *op->source ? mount_option(context, "source", op->source) : 0;
  if (!error) error = mount_options(context, &op->options);
  const int fd = mount_create(interpreter, context, error, (unsigned)op->attributes);
  if (fd < 0 || op->propagation == 0) return fd;
  error = set_attributes(fd, 0, 0, op->propagation, 0);
  return error ? close(fd), error : fd;
}

int perform_mount_beneath(struct interpreter *interpreter, const struct op_mount_beneath *op) {
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int target = open_target(interpreter, root, op);
  if (target < 0) return target;
  const int fd = new_filesystem(interpreter, op);
  const int error = fd < 0 ? fd : attach_fd(fd, target);
  close(target);
  if (error == 0 && strcmp(op->fstype, "proc") == 0) return slot_put(interpreter, SLOT_PROC, fd);
  close_quietly(fd);
  return error;
}

/* ——— binds and masks within the root */

static int clone_fd(int fd, uint32_t flags) {
  const unsigned recursive = flags & FLAG_RECURSIVE ? K_AT_RECURSIVE : 0;
  return k_open_tree(fd, "", K_AT_EMPTY_PATH | K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC | recursive);
}

static int bind_fd(int source, int target, uint32_t flags) {
  const int copy = clone_fd(source, flags);
  if (copy < 0) return copy;
  int error = flags & FLAG_READONLY ? set_attributes(copy, K_MOUNT_ATTR_RDONLY, 0, 0, flags) : 0;
  if (!error) error = attach_fd(copy, target);
  close(copy);
  return error;
}

int perform_bind_beneath(struct interpreter *interpreter, const struct op_bind_beneath *op) {
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int source = open_beneath(root, op->source, O_PATH, 0);
  if (source < 0) return source;
  const int target = open_mount_point(root, op->target, op->flags);
  const int error = target < 0 ? target : bind_fd(source, target, op->flags);
  close_quietly(target);
  close(source);
  return error;
}

/* A descriptor that is proved to be /dev/null, of the container or else of where we are. It is bound by descriptor, so what
 * becomes of the name afterwards does not matter. */
static int null_device(struct interpreter *interpreter, int root) {
  if (interpreter->null >= 0) return interpreter->null;
  for (int attempt = 0; attempt < 2; attempt++) {
    struct stat stat;
    const int fd = attempt == 0 ? open_beneath(root, "dev/null", O_PATH, 0) : open("/dev/null", O_PATH | O_CLOEXEC);
    if (fd < 0) continue;
    if (fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(1, 3)) return interpreter->null = fd;
    close(fd);
  }
  return -ENODEV;
}

/* One read-only tmpfs for all masked folders: mounted the first time, bound from there the next. */
static int mask_folder(struct interpreter *interpreter, int target) {
  if (interpreter->empty_dir >= 0) return bind_fd(interpreter->empty_dir, target, 0);
  const int context = k_fsopen("tmpfs");
  if (context < 0) return context;
  int error = mount_option(context, "source", "tmpfs");
  if (!error) error = mount_option(context, "nr_blocks", "1");
  if (!error) error = k_fsconfig(context, K_FSCONFIG_SET_FLAG, "ro", NULL);
  const unsigned nothing = K_MOUNT_ATTR_RDONLY | K_MOUNT_ATTR_NOSUID | K_MOUNT_ATTR_NODEV | K_MOUNT_ATTR_NOEXEC;
  const int fd = mount_create(interpreter, context, error, nothing);
  error = fd < 0 ? fd : attach_fd(fd, target);
  if (error) return close_quietly(fd), error;
  interpreter->empty_dir = fd;
  return 0;
}

static int mask_file(struct interpreter *interpreter, int root, int target) {
  const int null = null_device(interpreter, root);
  /* Read-only, as its mode and owner are nobody's to change through a mask; what is written to it goes nowhere all the same. */
  return null < 0 ? null : bind_fd(null, target, FLAG_READONLY);
}

int perform_mask_beneath(struct interpreter *interpreter, const struct op_mask_beneath *op) {
  struct stat stat;
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int target = open_beneath(root, op->path, O_PATH, 0);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  if (target < 0) return target;
  int error = result_of(fstat(target, &stat));
  if (!error) error = S_ISDIR(stat.st_mode) ? mask_folder(interpreter, target) : mask_file(interpreter, root, target);
  close(target);
  return error;
}

/* ——— the root */

int perform_pivot_root(struct interpreter *interpreter, const struct op_pivot_root *op) {
  const int fd = slot_get(interpreter, op->slot);
  if (fd < 0) return fd;
  const int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0) return -errno;
  /* pivot_root(2): with both on ".", the old root ends up mounted over the new one, and goes from there. */
  int error = result_of(fchdir(fd));
  if (!error) error = k_pivot_root(".", ".");
  if (!error) error = result_of(fchdir(old));
  if (!error) error = result_of(mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL));
  if (!error) error = result_of(umount2(".", MNT_DETACH));
  if (!error) error = result_of(chdir("/"));
  close(old);
  return error;
}

int perform_remount_root(struct interpreter *interpreter, const struct op_remount_root *op) {
  (void)interpreter;
  const struct k_mount_attr attr = {.set = op->attributes, .propagation = op->propagation};
  return k_mount_setattr(AT_FDCWD, "/", 0, &attr);
}
