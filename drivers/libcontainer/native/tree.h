/* Whole trees, below open folders: no path is ever followed. Functions answer 0 or -errno. */
#ifndef GANTRY_TREE_H
#define GANTRY_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Removes `name` in `parent`, whatever it is and however deep: below 64 levels it needs no more descriptors or stack. What is
 * not there is no error. */
int tree_remove(int parent, const char *name);

struct tree_count {
  uint64_t entries, bytes;
};

/* Copies what is in folder `source` into the empty folder `target`, and `source`'s own attributes: owner, mode, times,
 * xattrs, hard links among the copied, devices. File content by reflink where the filesystem can. A level of depth takes
 * three descriptors: EMFILE where there are not enough, ENAMETOOLONG below 4096 levels. */
int tree_copy(int source, int target, struct tree_count *count);

#endif
