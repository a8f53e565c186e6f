/* The tree that an archive is unpacked into, and what has to be remembered on the way. Whatever the archive says, nothing
 * outside the tree is reached: a folder is opened by openat2(2) with RESOLVE_IN_ROOT, or name by name without following,
 * and a name in it is never followed. Functions answer 0 or a descriptor, or -errno. */
#ifndef GANTRY_TARGET_H
#define GANTRY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { CACHED_FOLDERS = 256, MAX_TARGET_PATH = 4096, MAX_TARGET_NAME = 255 };

struct cached_folder {
  char *path;
  int fd;
};

/* A folder's times are set when all is in it. */
struct late_time {
  char *path;
  ino_t inode;
  struct timespec mtime;
};

/* Names that this archive has put there itself: a whiteout takes away only what was there before. */
struct name_set {
  uint64_t *keys;
  size_t count, room;
};

struct target {
  int root;
  bool overlay; /* whiteouts become overlayfs' own, else they delete */
  /* Trees below this one in an overlay, nearest first, as paths beneath `lower_root`: what an archive takes for granted
   * (a parent folder, a link such as var/run) is brought up from there. */
  int lower_root;
  char **lowers;
  int lower_count;
  struct cached_folder cached[CACHED_FOLDERS];
  struct late_time *late;
  size_t late_count, late_room;
  struct name_set placed;
};

/* The folder at a clean path, made with its parents where it is missing. Stays the target's, and open until the next call.
 * (walk.c, which stands on lowers.c, which stands on target.c) */
int target_folder(struct target *target, const char *path);

/* What target_folder has found before, or -1. `target_cache` takes over the descriptor: it gives it back, or closes it. */
int target_cached(struct target *target, const char *path);
int target_cache(struct target *target, const char *path, int fd);

/* For a folder just made or met at `path`: keeps a copy of its descriptor for target_folder. */
void target_keep(struct target *target, const char *path, int fd);

/* A link or a folder was replaced: what paths lead to may have changed. */
void target_forget_folders(struct target *target);

int target_set_time_late(struct target *target, const char *path, ino_t inode, struct timespec mtime);
int target_set_late_times(struct target *target);
void target_close(struct target *target);

int target_note(struct target *target, int folder, const char *name);
bool target_has_placed(const struct target *target, int folder, const char *name);

/* Whether it is overlayfs' sign that a name is gone. */
bool is_whiteout(const struct stat *found);
int mark_opaque(int folder);

/* Brings what the lower trees have at `logical`/`name` up into `folder`: a link, or a folder without what is in it. A plain
 * folder of mode 0755 where they have nothing. (lowers.c) */
int bring_up(struct target *target, int folder, const char *logical, const char *name, bool hidden);
bool is_opaque(int folder);

/* Overlayfs merges the roots of all trees whatever they say: an opaque root is one that hides every name below. (lowers.c) */
int hide_lower_roots(struct target *target);

#endif
