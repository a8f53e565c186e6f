/* treeSizeBeneath: the bytes that a tree's files hold, each file once however many names it has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"
#include "beneath.h"

enum { MAX_DEPTH = 1024 };

struct tally {
  int64_t bytes;
  ino_t *seen; /* inodes with several names, a hash table */
  size_t count, room;
};

static bool put(ino_t *seen, size_t room, ino_t inode) {
  size_t at = (inode * 0x9e3779b97f4a7c15u) % room;
  while (seen[at] && seen[at] != inode) at = (at + 1) % room;
  bool is_new = !seen[at];
  seen[at] = inode;
  return is_new;
}

/* 1 the first time, 0 later, or -ENOMEM. */
static int first_time(struct tally *tally, ino_t inode) {
  if (tally->count * 2 >= tally->room) {
    size_t room = tally->room * 2 + 256;
    ino_t *larger = calloc(room, sizeof *larger);
    if (!larger) return -ENOMEM;
    for (size_t i = 0; i < tally->room; i++)
      if (tally->seen[i]) put(larger, room, tally->seen[i]);
    free(tally->seen);
    tally->seen = larger;
    tally->room = room;
  }
  bool is_new = put(tally->seen, tally->room, inode);
  tally->count += is_new;
  return is_new;
}

static int add_folder(struct tally *tally, int folder, int depth);

/* What went away meanwhile counts nothing: containers go on writing. */
static int add_entry(struct tally *tally, int folder, const char *name, int depth) {
  struct stat found;
  if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW)) return errno == ENOENT ? 0 : -errno;
  if (S_ISDIR(found.st_mode)) {
    int inside = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inside < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
    return add_folder(tally, inside, depth + 1);
  }
  int counts = found.st_nlink > 1 ? first_time(tally, found.st_ino) : 1;
  if (counts > 0) tally->bytes += found.st_size;
  return counts < 0 ? counts : 0;
}

/* Takes over the descriptor. */
static int add_folder(struct tally *tally, int folder, int depth) {
  DIR *entries = depth > MAX_DEPTH ? NULL : fdopendir(folder);
  struct dirent *entry;
  int error = 0;
  if (!entries) {
    error = depth > MAX_DEPTH ? -ENAMETOOLONG : -errno;
    close(folder);
    return error;
  }
  while (!error && (entry = readdir(entries)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      error = add_entry(tally, folder, entry->d_name, depth);
  closedir(entries);
  return error;
}

/* treeSizeBeneath(root, path) */
static int64_t tree_size(struct request *r) {
  struct tally tally = {0};
  int folder = open_beneath((int)r->number[0], r->string[0], O_RDONLY | O_DIRECTORY, 0);
  if (folder < 0) return folder;
  int error = add_folder(&tally, folder, 0);
  free(tally.seen);
  return error ? error : tally.bytes;
}

const struct call tree_calls[] = {
  {"treeSizeBeneath", "is", tree_size, POOL_ONLY},
  {NULL, NULL, NULL, ANYWHERE},
};
