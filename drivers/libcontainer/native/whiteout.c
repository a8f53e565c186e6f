#include "whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define PREFIX ".wh."
#define BOOKKEEPING ".wh..wh."
#define OPAQUE ".wh..wh..opq"

enum { PREFIX_LENGTH = sizeof PREFIX - 1, MAX_DEPTH = 512 };

static bool starts(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }

enum whiteout whiteout_kind(const char *path, const char **why) {
  const char *slash;
  for (; (slash = strchr(path, '/')); path = slash + 1) {
    if (starts(path, BOOKKEEPING)) return WHITEOUT_IGNORED;
    if (starts(path, PREFIX)) return *why = "whiteout with something in it", WHITEOUT_BAD;
  }
  if (!starts(path, PREFIX)) return WHITEOUT_NONE;
  if (!strcmp(path, OPAQUE)) return WHITEOUT_OPAQUE;
  if (starts(path, BOOKKEEPING)) return WHITEOUT_IGNORED;
  path += PREFIX_LENGTH;
  if (!*path || !strcmp(path, ".") || !strcmp(path, "..")) return *why = "invalid whiteout name", WHITEOUT_BAD;
  return WHITEOUT_NAME;
}

static int remove_old(struct target *target, int folder, const char *name, int depth);

/* Takes away what in a folder was there before this archive. */
static int empty_of_old(struct target *target, int folder, int depth) {
  DIR *entries = depth > MAX_DEPTH ? NULL : fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
  struct dirent *entry;
  int error = 0;
  if (!entries) return depth > MAX_DEPTH ? -ENAMETOOLONG : -errno;
  rewinddir(entries);
  while (!error && (entry = readdir(entries)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      error = remove_old(target, folder, entry->d_name, depth + 1);
  closedir(entries);
  return error;
}

/* A folder goes when nothing new is left in it. */
static int remove_old(struct target *target, int folder, const char *name, int depth) {
  bool is_new = target_has_placed(target, folder, name);
  int inside = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (inside < 0) return is_new ? 0 : tree_remove(folder, name);
  int error = empty_of_old(target, inside, depth);
  close(inside);
  if (!error && !is_new && unlinkat(folder, name, AT_REMOVEDIR) && errno != ENOTEMPTY) error = -errno;
  return error;
}

/* Over a name that this very archive has put there, a whiteout only hides what is below. */
static int hide_below(int folder, const char *name) {
  int inside = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (inside < 0) return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
  int error = mark_opaque(inside);
  close(inside);
  return error;
}

int apply_whiteout(struct target *target, int folder, const char *name) {
  bool opaque = !strcmp(name, OPAQUE);
  if (!target->overlay) {
    int kept = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    if (kept < 0) return -errno;
    int error = opaque ? empty_of_old(target, kept, 0) : remove_old(target, kept, name + PREFIX_LENGTH, 0);
    target_forget_folders(target);
    close(kept);
    return error;
  }
  if (opaque) return mark_opaque(folder);
  if (!mknodat(folder, name + PREFIX_LENGTH, S_IFCHR, 0)) return 0;
  return errno == EEXIST ? hide_below(folder, name + PREFIX_LENGTH) : -errno;
}
