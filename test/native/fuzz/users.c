/* etc/passwd and etc/group: lines, fields, ids. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "users.h"

static void try_line(const char *line) {
  char *copy = strdup(line);
  struct passwd_entry user;
  if (parse_passwd_line(copy, &user) && (user.uid > MAX_ID || user.gid > MAX_ID || !*user.name)) abort();
  strcpy(copy, line);
  struct group_entry group;
  if (parse_group_line(copy, &group)) {
    if (group.gid > MAX_ID) abort();
    has_member(&group, "bob");
  }
  uint32_t id = 0;
  if (parse_id(line, &id) == NUMBER_ID && (id > MAX_ID || (id != 0) != (strpbrk(line, "123456789") != NULL))) abort();
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1;
  static char buffer[MAX_USER_LINE_BYTES + 1];
  if (fd < 0) fd = memfd_create("users", 0);
  if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0) abort();
  struct lines lines = {.fd = fd, .buffer = buffer};
  size_t seen = 0;
  for (char *line; next_line(&lines, &line) > 0; seen++) try_line(line);
  if (seen > size) abort();
  return 0;
}
