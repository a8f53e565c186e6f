#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tree.h"

/* A folder this deep is moved up to the top of what is being removed, which is then gone through once more. */
enum { MAX_DEPTH = 64, NO_REPLACE = 1 };

struct removal {
  int top;
  unsigned moved;
};

static int remove_inside(struct removal *removal, int folder, int depth);

static bool is_dots(const char *name) { return !strcmp(name, ".") || !strcmp(name, ".."); }

static int move_up(struct removal *removal, int folder, const char *name) {
  char up[32];
  for (;;) {
    snprintf(up, sizeof up, ".gantry-moved-%u", removal->moved++);
    if (!syscall(SYS_renameat2, folder, name, removal->top, up, NO_REPLACE)) return 0;
    if (errno != EEXIST) return errno == ENOENT ? 0 : -errno;
  }
}

static int remove_folder(struct removal *removal, int parent, const char *name, int depth) {
  if (depth > MAX_DEPTH) return move_up(removal, parent, name);
  int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return errno == ENOENT ? 0 : -errno;
  int error = remove_inside(removal, folder, depth);
  close(folder);
  if (!error && unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT) error = -errno;
  return error;
}

static int remove_entry(struct removal *removal, int folder, const struct dirent *entry, int depth) {
  bool may_be_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
  if (entry->d_type != DT_DIR && !unlinkat(folder, entry->d_name, 0)) return 0;
  if (!may_be_folder && errno != EISDIR) return errno == ENOENT ? 0 : -errno;
  return remove_folder(removal, folder, entry->d_name, depth + 1);
}

/* Reading again from the start after a change is what readdir(3) promises least about; so until nothing is left. */
static int remove_inside(struct removal *removal, int folder, int depth) {
  DIR *entries = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
  struct dirent *entry;
  int error = 0;
  bool any = true;
  if (!entries) return -errno;
  while (any && !error) {
    any = false;
    rewinddir(entries);
    while (!error && (entry = readdir(entries))) {
      if (is_dots(entry->d_name)) continue;
      any = true;
      error = remove_entry(removal, folder, entry, depth);
    }
  }
  closedir(entries);
  return error;
}

int tree_remove(int parent, const char *name) {
  if (!unlinkat(parent, name, 0) || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return -errno;
  struct removal removal = {.top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (removal.top < 0) return errno == ENOENT ? 0 : -errno;
  int error = remove_inside(&removal, removal.top, 0);
  close(removal.top);
  if (!error && unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT) error = -errno;
  return error;
}
