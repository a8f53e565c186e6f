/* Operations that open and make files beneath a root. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "beneath.h"
#include "perform.h"

int perform_open_beneath(struct interpreter *interpreter, const struct op_open_beneath *op) {
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int fd = op->root == SLOT_PROC ? open_in_proc(root, op->path, op->openFlags)
                                       : open_beneath(root, op->path, op->openFlags, 0600);
  return fd < 0 ? fd : slot_put(interpreter, op->slot, fd);
}

/* Is what stands under that name the very device that was asked for? */
static bool is_same_node(int parent, const char *name, mode_t mode, dev_t device) {
  struct stat stat;
  if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) return false;
  return (stat.st_mode & S_IFMT) == (mode & S_IFMT) && stat.st_rdev == device;
}

int perform_mknod_beneath(struct interpreter *interpreter, const struct op_mknod_beneath *op) {
  char name[256];
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int parent = open_parent_beneath(root, op->path, op->flags & FLAG_CREATE_DIR, name);
  if (parent < 0) return parent;
  const dev_t device = makedev(op->major, op->minor);
  int error = result_of(mknodat(parent, name, op->mode, device));
  if (error == -EEXIST && is_same_node(parent, name, op->mode, device)) error = 0;
  else if (!error && (op->uid || op->gid)) error = result_of(fchownat(parent, name, op->uid, op->gid, AT_SYMLINK_NOFOLLOW));
  close(parent);
  return error;
}

int perform_symlink_beneath(struct interpreter *interpreter, const struct op_symlink_beneath *op) {
  char name[256];
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int parent = open_parent_beneath(root, op->path, op->flags & FLAG_CREATE_DIR, name);
  if (parent < 0) return parent;
  const int error = result_of(symlinkat(op->target, parent, name));
  close(parent);
  return error == -EEXIST ? 0 : error;
}

/* O_NONBLOCK: a FIFO must not make us wait, and is no place to write to. */
static int open_to_write(int root, const char *path, mode_t mode) {
  struct stat stat;
  const int fd = open_beneath(root, path, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, mode);
  if (fd < 0) return fd;
  const int error = fstat(fd, &stat) < 0 ? -errno : S_ISREG(stat.st_mode) ? result_of(ftruncate(fd, 0)) : -EINVAL;
  return error ? close(fd), error : fd;
}

int perform_write_beneath(struct interpreter *interpreter, const struct op_write_beneath *op) {
  const int root = slot_get(interpreter, op->root);
  if (root < 0) return root;
  const int fd = op->root == SLOT_PROC ? open_in_proc(root, op->path, O_WRONLY) : open_to_write(root, op->path, op->mode);
  if (fd < 0) return fd;
  const int error = write_once(fd, op->data, strlen(op->data));
  close(fd);
  return error;
}
