/* Paths beneath a folder that somebody else may be changing. Every step is an openat2(2) with RESOLVE_IN_ROOT |
 * RESOLVE_NO_MAGICLINKS, and what was opened is what is used. All answer a descriptor or -errno. */
#ifndef GANTRY_BENEATH_H
#define GANTRY_BENEATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int open_beneath(int root, const char *path, uint64_t flags, mode_t mode);

/* As mkdir -p; an O_PATH descriptor of the last folder. Folders that are made have mode 0755 and belong to us. */
int make_folders_beneath(int root, const char *path);

/* The folder that holds `path`, made if `make`, and the last component of it copied to `name` (256 bytes). */
int open_parent_beneath(int root, const char *path, int make, char name[256]);

/* An O_PATH descriptor to mount on; made beforehand as FLAG_CREATE_DIR or FLAG_CREATE_FILE of `flags` say. */
int open_mount_point(int root, const char *path, uint32_t flags);

/* Whether it lies in a procfs. */
bool is_proc(int fd);

/* Opens for a write to procfs: `proc` is the root of a procfs, and what is opened lies in it, not in something mounted over. */
int open_in_proc(int proc, const char *path, uint64_t flags);

#endif
