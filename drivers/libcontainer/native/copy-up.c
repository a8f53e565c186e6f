/* The operation `copy_up`: what an image has at a volume's mount point becomes the new volume's content. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "beneath.h"
#include "perform.h"
#include "tree.h"

/* 1 when there is nothing in the folder, 0 when there is. */
static int is_empty(int folder) {
  const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  DIR *entries = fdopendir(fd);
  if (!entries) return close(fd), -ENOMEM;
  int empty = 1;
  for (const struct dirent *entry; empty && (entry = readdir(entries));)
    empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
  closedir(entries);
  return empty;
}

static int copy(int source, int slot) {
  struct tree_count count = {0};
  const int empty = is_empty(slot);
  if (empty <= 0) return empty;
  const int target = openat(slot, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (target < 0) return -errno;
  const int error = tree_copy(source, target, &count);
  close(target);
  return error;
}

/* An image that has no such folder has nothing to copy. */
int perform_copy_up(struct interpreter *interpreter, const struct op_copy_up *op) {
  const int root = slot_get(interpreter, op->root), slot = slot_get(interpreter, op->slot);
  if (root < 0 || slot < 0) return -EBADF;
  const int source = open_beneath(root, op->path, O_RDONLY | O_DIRECTORY, 0);
  if (source == -ENOENT || source == -ENOTDIR) return 0;
  if (source < 0) return source;
  const int error = copy(source, slot);
  close(source);
  return error;
}
