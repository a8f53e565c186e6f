/* The operation `overlay`. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "mount-context.h"

/* More than overlay takes, 500 lower folders; their names would not fit into a page either. */
enum { MAX_FOLDERS = 256 };

static int overlay_lowers(int context, const struct op_overlay *op) {
  int error = mount_option(context, "source", "overlay");
  for (uint32_t i = 0; i < op->lowers.count && !error; i++) error = mount_option(context, "lowerdir+", op->lowers.items[i]);
  return error;
}

/* fsopen(2) with a call a layer (6.5 and later): no limit by a page of options. Closes the context. */
static int overlay_by_calls(struct interpreter *interpreter, int context, const struct op_overlay *op) {
  int error = overlay_lowers(context, op);
  if (!error && *op->upper) error = mount_option(context, "upperdir", op->upper);
  if (!error && *op->work) error = mount_option(context, "workdir", op->work);
  if (!error) error = mount_options(context, &op->options);
  const int fd = mount_create(interpreter, context, error, 0);
  if (fd < 0) return fd;
  error = k_move_mount(fd, "", AT_FDCWD, op->target, K_MOVE_MOUNT_F_EMPTY_PATH);
  return error ? close(fd), error : fd;
}

/* Before 6.5 overlay takes every option, and at the end tells the kernel's log of those that it does not know. */
static bool knows_its_options(int context) {
  char words[256];
  if (mount_option(context, "no-such-option", "") == 0) return false;
  /* What it has to say to that is not for whoever reads of the next error. */
  return read(context, words, sizeof words) != 0;
}

/* Folders by descriptors: their names in /proc are short, and have nothing in them that options would have to escape. */
struct folders {
  int fds[MAX_FOLDERS];
  uint32_t count;
};

static void close_folders(struct folders *folders) {
  while (folders->count > 0) close(folders->fds[--folders->count]);
}

/* Appends `before` and the name of a folder to the options that end at `at`; NULL when they have no room. */
static char *append_folder(struct folders *folders, char *at, const char *end, const char *before, const char *path) {
  if (folders->count == MAX_FOLDERS) return errno = E2BIG, NULL;
  const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return NULL;
  folders->fds[folders->count++] = fd;
  const int length = snprintf(at, (size_t)(end - at), "%s/proc/self/fd/%d", before, fd);
  return length < end - at ? at + length : (errno = E2BIG, NULL);
}

static int overlay_options(struct folders *folders, const struct op_overlay *op, char *at, const char *end) {
  for (uint32_t i = 0; i < op->lowers.count && at; i++)
    at = append_folder(folders, at, end, i == 0 ? "lowerdir=" : ":", op->lowers.items[i]);
  if (at && *op->upper) at = append_folder(folders, at, end, ",upperdir=", op->upper);
  if (at && *op->work) at = append_folder(folders, at, end, ",workdir=", op->work);
  for (uint32_t i = 0; i < op->options.count && at; i++) {
    const int length = snprintf(at, (size_t)(end - at), ",%s", op->options.items[i]);
    at = length < end - at ? at + length : (errno = E2BIG, NULL);
  }
  return at ? 0 : -errno;
}

/* mount(2) with one page of options: enough for the layers that an image may have. */
static int overlay_by_options(const struct op_overlay *op) {
  char page[4096];
  struct folders folders = {.count = 0};
  int error = overlay_options(&folders, op, page, page + sizeof page);
  if (!error) error = result_of(mount("overlay", op->target, "overlay", 0, page));
  close_folders(&folders);
  return error ? error : result_of(open(op->target, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int overlay(struct interpreter *interpreter, const struct op_overlay *op) {
  const int context = k_fsopen("overlay");
  if (context < 0) return context;
  if (knows_its_options(context)) return overlay_by_calls(interpreter, context, op);
  close(context);
  return overlay_by_options(op);
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
