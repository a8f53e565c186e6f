/* The operation `lookup_user`: etc/passwd and etc/group of the container, read here and by nobody else's code. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "beneath.h"
#include "perform.h"
#include "users.h"

#define RANGE_WORDS "uids and gids must be in range 0-2147483647"

struct lookup {
  struct interpreter *interpreter;
  int root;
  char name[256]; /* the user's, as the file has it; "" for none */
  int error;
};

/* ——— the files */

/* A regular file only: a FIFO or a device that an image has in its place must not be waited for. */
static int open_user_file(int root, const char *path) {
  struct stat stat;
  const int probe = open_beneath(root, path, O_PATH, 0);
  if (probe < 0) return probe;
  const bool is_file = fstat(probe, &stat) == 0 && S_ISREG(stat.st_mode);
  close(probe);
  if (!is_file) return -EINVAL;
  const int fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) return close(fd), -EINVAL;
  return stat.st_size > MAX_USER_FILE_BYTES ? (close(fd), -EFBIG) : fd;
}

typedef bool visitor(void *argument, char *line); /* true: found, no further */

/* Shows every line to `visit`. A file that is missing has no lines. */
static int each_line(struct lookup *lookup, const char *path, visitor *visit, void *argument) {
  const int fd = open_user_file(lookup->root, path);
  if (fd == -ENOENT || fd == -ENOTDIR) return 0;
  if (fd < 0) return set_detail(lookup->interpreter, "unable to read /%s", path), fd;
  struct lines lines = {.fd = fd};
  lines.buffer = mmap(NULL, MAX_USER_LINE_BYTES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int result = lines.buffer == MAP_FAILED ? -ENOMEM : 1;
  for (char *line; result > 0 && (result = next_line(&lines, &line)) > 0;)
    if (visit(argument, line)) break;
  if (lines.buffer != MAP_FAILED) munmap(lines.buffer, MAX_USER_LINE_BYTES + 1);
  close(fd);
  if (result < 0) set_detail(lookup->interpreter, "unable to read /%s", path);
  return result < 0 ? result : 0;
}

/* ——— the user */

struct user_search {
  struct lookup *lookup;
  const char *word;
  bool by_id;
  uint32_t uid;
  bool found;
};

static void copy_text(char *to, size_t size, const char *from) {
  const size_t length = strlen(from) < size ? strlen(from) : size - 1;
  memcpy(to, from, length);
  to[length] = 0;
}

static bool match_user(void *argument, char *line) {
  struct user_search *search = argument;
  struct passwd_entry entry;
  struct user *user = &search->lookup->interpreter->user;
  if (!parse_passwd_line(line, &entry)) return false;
  if (search->by_id ? entry.uid != search->uid : strcmp(entry.name, search->word) != 0) return false;
  user->uid = entry.uid;
  user->gid = entry.gid;
  copy_text(user->home, sizeof user->home, entry.home);
  copy_text(search->lookup->name, sizeof search->lookup->name, entry.name);
  return search->found = true;
}

static int find_user(struct lookup *lookup, const char *word) {
  struct user_search search = {.lookup = lookup, .word = word};
  const enum number number = *word ? parse_id(word, &search.uid) : NUMBER_ID;
  if (number == NUMBER_RANGE) return set_detail(lookup->interpreter, RANGE_WORDS), -EINVAL;
  search.by_id = number == NUMBER_ID;
  if (number != NUMBER_LOOKALIKE) {
    const int error = each_line(lookup, "etc/passwd", match_user, &search);
    /* A number needs no file: a container that has spoiled its own keeps nobody out. */
    if (error && !search.by_id) return error;
    if (error) lookup->interpreter->report->detail[0] = 0;
  }
  if (!search.found && !search.by_id) {
    set_detail(lookup->interpreter, "unable to find user %s: no matching entries in passwd file", word);
    return -EINVAL;
  }
  if (!search.found) lookup->interpreter->user.uid = search.uid;
  return 0;
}

/* ——— its groups */

/* As often as a file says so, which is bounded: `settle_groups` has the last word. */
static int add_group(struct user *user, uint32_t gid) {
  /* Doubles at every power of two. */
  if ((user->group_count & (user->group_count - 1)) == 0) {
    uint32_t *more = realloc(user->groups, (user->group_count ? user->group_count * 2 : 1) * sizeof *more);
    if (!more) return -ENOMEM;
    user->groups = more;
  }
  user->groups[user->group_count++] = gid;
  return 0;
}

static int compare_groups(const void *a, const void *b) {
  const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

/* Each once. None is left out for being one too many: a file may be closed to a group. */
static int settle_groups(struct lookup *lookup) {
  struct user *user = &lookup->interpreter->user;
  size_t kept = 0;
  qsort(user->groups, user->group_count, sizeof *user->groups, compare_groups);
  for (size_t i = 0; i < user->group_count; i++)
    if (kept == 0 || user->groups[kept - 1] != user->groups[i]) user->groups[kept++] = user->groups[i];
  user->group_count = kept;
  if (kept <= MAX_GROUPS) return 0;
  set_detail(lookup->interpreter, "unable to be in %zu groups: at most %d are possible", kept, MAX_GROUPS);
  return -EINVAL;
}

static bool match_membership(void *argument, char *line) {
  struct lookup *lookup = argument;
  struct group_entry entry;
  if (parse_group_line(line, &entry) && has_member(&entry, lookup->name))
    lookup->error = add_group(&lookup->interpreter->user, entry.gid);
  return lookup->error != 0;
}

struct group_search {
  const char *word;
  uint32_t gid;
  bool found;
};

static bool match_group(void *argument, char *line) {
  struct group_search *search = argument;
  struct group_entry entry;
  if (!parse_group_line(line, &entry) || strcmp(entry.name, search->word) != 0) return false;
  search->gid = entry.gid;
  return search->found = true;
}

/* A number stands for itself, a name is looked up. `unable`: Docker tells of additional groups with a capital. */
static int find_group(struct lookup *lookup, const char *word, uint32_t *gid, const char *unable) {
  struct group_search search = {.word = word};
  const enum number number = parse_id(word, gid);
  if (number == NUMBER_ID) return 0;
  if (number == NUMBER_RANGE) return set_detail(lookup->interpreter, RANGE_WORDS), -EINVAL;
  const int error = number == NUMBER_LOOKALIKE ? 0 : each_line(lookup, "etc/group", match_group, &search);
  if (error) return error;
  if (!search.found) {
    set_detail(lookup->interpreter, "%s to find group %s: no matching entries in group file", unable, word);
    return -EINVAL;
  }
  *gid = search.gid;
  return 0;
}

static int add_groups(struct lookup *lookup, const struct strings *words) {
  int error = 0;
  for (uint32_t i = 0; i < words->count && !error; i++) {
    uint32_t gid;
    error = find_group(lookup, words->items[i], &gid, "Unable");
    if (!error) error = add_group(&lookup->interpreter->user, gid);
  }
  return error;
}

int perform_lookup_user(struct interpreter *interpreter, const struct op_lookup_user *op) {
  struct lookup lookup = {.interpreter = interpreter, .root = slot_get(interpreter, op->root)};
  struct user *user = &interpreter->user;
  if (lookup.root < 0) return lookup.root;
  char *spec = arena_take(&interpreter->arena, strlen(op->user) + 2), *fields[3];
  if (!spec) return -ENOMEM;
  strcat(strcpy(spec, op->user), ":"); /* so that there always is a second field */
  split_fields(spec, fields, 3);
  int error = find_user(&lookup, fields[0]);
  if (!error && *fields[1]) error = find_group(&lookup, fields[1], &user->gid, "unable");
  if (!error) error = add_group(user, user->gid);
  if (!error && !*fields[1] && lookup.name[0]) error = each_line(&lookup, "etc/group", match_membership, &lookup);
  if (!error) error = lookup.error;
  if (!error) error = add_groups(&lookup, &op->groups);
  if (!error) error = add_groups(&lookup, &op->gids);
  if (!error) error = settle_groups(&lookup);
  user->known = !error;
  return error;
}
