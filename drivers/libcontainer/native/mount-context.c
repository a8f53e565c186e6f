#include "mount-context.h"

#include <string.h>

/* What the filesystem itself says to a failed fsconfig: lines such as "e overlay: …". */
static void tell_of_filesystem(struct interpreter *interpreter, int context) {
  char words[256];
  const ssize_t length = read(context, words, sizeof words - 1);
  if (length <= 2) return;
  words[length] = 0;
  words[strcspn(words, "\n")] = 0;
  set_detail(interpreter, "%s", words + 2);
}

int mount_option(int context, const char *key, const char *value) {
  return k_fsconfig(context, K_FSCONFIG_SET_STRING, key, value);
}

static int set_option(int context, const char *option) {
  char key[64];
  const size_t length = strcspn(option, "=");
  if (length >= sizeof key) return -EINVAL;
  memcpy(key, option, length);
  key[length] = 0;
  if (option[length] == '=') return mount_option(context, key, option + length + 1);
  return k_fsconfig(context, K_FSCONFIG_SET_FLAG, key, NULL);
}

int mount_options(int context, const struct strings *options) {
  int error = 0;
  for (uint32_t i = 0; i < options->count && !error; i++) error = set_option(context, options->items[i]);
  return error;
}

int mount_create(struct interpreter *interpreter, int context, int error, unsigned attributes) {
  int fd = error ? error : k_fsconfig(context, K_FSCONFIG_CMD_CREATE, NULL, NULL);
  if (fd == 0) fd = k_fsmount(context, attributes);
  if (fd < 0) tell_of_filesystem(interpreter, context);
  close(context);
  return fd;
}

