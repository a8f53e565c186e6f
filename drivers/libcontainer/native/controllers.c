/* The operation `enable_controllers`: cgroup v2's cgroup.subtree_control. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "perform.h"

/* Whether `name` is one of the words of `list`. */
static bool has_word(const char *list, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = list; *at;) {
    const size_t word = strcspn(at, " \n");
    if (word == length && memcmp(at, name, length) == 0) return true;
    at += word + (at[word] != 0);
  }
  return false;
}

static int enable(int control, const char *name) {
  char word[64];
  const int length = snprintf(word, sizeof word, "+%s", name);
  return length < (int)sizeof word ? write_once(control, word, (size_t)length) : -EINVAL;
}

int perform_enable_controllers(struct interpreter *interpreter, const struct op_enable_controllers *op) {
  char path[4096], enabled[512];
  if (snprintf(path, sizeof path, "%s/cgroup.subtree_control", op->path) >= (int)sizeof path) return -ENAMETOOLONG;
  const int control = open(path, O_RDWR | O_CLOEXEC);
  if (control < 0) return -errno;
  const ssize_t length = read(control, enabled, sizeof enabled - 1);
  int result = length < 0 ? -errno : 0;
  enabled[length < 0 ? 0 : length] = 0;
  for (uint32_t i = 0; i < op->controllers.count && length >= 0; i++) {
    const char *const name = op->controllers.items[i];
    const int error = has_word(enabled, name) ? 0 : enable(control, name);
    if (!error || result) continue;
    set_detail(interpreter, "controller %s", name);
    result = error;
  }
  close(control);
  return result;
}
