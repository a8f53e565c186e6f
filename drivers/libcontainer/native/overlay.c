/* The operation `overlay`. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "mount-context.h"

static int overlay_lowers(int context, const struct op_overlay *op) {
  int error = mount_option(context, "source", "overlay");
  for (uint32_t i = 0; i < op->lowers.count && !error; i++) error = mount_option(context, "lowerdir+", op->lowers.items[i]);
  return error;
}

/* fsopen(2) with a call a layer (6.5 and later): no limit by a page of options. An older kernel says EINVAL, at the latest
 * when the filesystem is to be created. */
static int overlay_by_calls(struct interpreter *interpreter, const struct op_overlay *op) {
  const int context = k_fsopen("overlay");
  if (context < 0) return context;
  int error = overlay_lowers(context, op);
  if (!error && *op->upper) error = mount_option(context, "upperdir", op->upper);
  if (!error && *op->work) error = mount_option(context, "workdir", op->work);
  if (!error) error = mount_options(context, &op->options);
  return mount_create(interpreter, context, error, 0);
}

static char *append(char *at, const char *end, const char *word) {
  const size_t length = at ? strlen(word) : 0;
  if (!at || (size_t)(end - at) <= length) return NULL;
  memcpy(at, word, length + 1);
  return at + length;
}

/* mount(2) with one page of options: short relative lower folders make the page go far. */
static int overlay_by_options(const struct op_overlay *op) {
  char page[4096], *at = page;
  const char *const end = page + sizeof page;
  for (uint32_t i = 0; i < op->lowers.count; i++) {
    if (strpbrk(op->lowers.items[i], ":,\\")) return -EINVAL;
    at = append(append(at, end, i == 0 ? "lowerdir=" : ":"), end, op->lowers.items[i]);
  }
  if (*op->upper) at = append(append(at, end, ",upperdir="), end, op->upper);
  if (*op->work) at = append(append(at, end, ",workdir="), end, op->work);
  for (uint32_t i = 0; i < op->options.count; i++) at = append(append(at, end, ","), end, op->options.items[i]);
  if (!at) return -E2BIG;
  if (mount("overlay", op->target, "overlay", 0, page) < 0) return -errno;
  return result_of(open(op->target, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int overlay(struct interpreter *interpreter, const struct op_overlay *op) {
  const int fd = overlay_by_calls(interpreter, op);
  if (fd == -EINVAL) {
    const int mounted = overlay_by_options(op);
    if (mounted >= 0) interpreter->report->detail[0] = 0;
    return mounted;
  }
  if (fd < 0) return fd;
  const int error = k_move_mount(fd, "", AT_FDCWD, op->target, K_MOVE_MOUNT_F_EMPTY_PATH);
  return error ? close(fd), error : fd;
}

int perform_overlay(struct interpreter *interpreter, const struct op_overlay *op) {
  const int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (here < 0) return -errno;
  int fd = result_of(chdir(op->base));
  if (fd == 0) fd = overlay(interpreter, op);
  if (fchdir(here) < 0 && fd >= 0) fd = (close(fd), -errno);
  close(here);
  return fd < 0 ? fd : slot_put(interpreter, op->slot, fd);
}
