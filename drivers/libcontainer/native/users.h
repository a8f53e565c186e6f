/* Users and groups as a container's own files have them, by the rules of Docker's `user` package. */
#ifndef GANTRY_USERS_H
#define GANTRY_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_USER_FILE_BYTES = 10 * 1024 * 1024, MAX_USER_LINE_BYTES = 1024 * 1024, MAX_GROUPS = 65536, MAX_ID = 0x7fffffff };

/* How a word reads as an id. */
enum number {
  NUMBER_NONE,      /* a name */
  NUMBER_ID,        /* 0 to MAX_ID */
  NUMBER_RANGE,     /* a number out of range */
  NUMBER_LOOKALIKE, /* some other reader might take it for a number; it is neither number nor name */
};
enum number parse_id(const char *word, uint32_t *id);

/* Cuts a line at its colons, in place; answers how many fields there are (at most `most`). */
size_t split_fields(char *line, char **fields, size_t most);

struct passwd_entry {
  const char *name;
  uint32_t uid;
  uint32_t gid;
  const char *home;
};
struct group_entry {
  const char *name;
  uint32_t gid;
  char *members; /* joined by commas */
};
/* False for a line that is no entry. The entries point into the line, which is changed. */
bool parse_passwd_line(char *line, struct passwd_entry *entry);
bool parse_group_line(char *line, struct group_entry *entry);
bool has_member(const struct group_entry *group, const char *user);

/* Lines of a file, bounded in all. */
struct lines {
  int fd;
  char *buffer; /* MAX_USER_LINE_BYTES + 1 */
  size_t start, end, total;
  bool ended;
};
/* 1 and a line without its newline, 0 at the end, -errno (EFBIG: over a bound). */
int next_line(struct lines *lines, char **line);

#endif
