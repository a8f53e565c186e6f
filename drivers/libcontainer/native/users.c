#include "users.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Spaces, a sign, then digits or 0x…: what one parser takes for a number and another for a name is neither to us, or an
 * image's passwd file could give a number another meaning (CVE-2024-40635 and its kin). */
static bool looks_like_number(const char *word) {
  size_t length = strlen(word);
  while (length > 0 && is_space(word[length - 1])) length--;
  size_t at = 0;
  while (at < length && is_space(word[at])) at++;
  if (at < length && (word[at] == '+' || word[at] == '-')) at++;
  if (at == length || !is_digit(word[at])) return false;
  if (word[at] == '0' && at + 1 < length && strchr("xXoObB", word[at + 1])) return true;
  while (at < length && (is_digit(word[at]) || word[at] == '_')) at++;
  return at == length;
}

enum number parse_id(const char *word, uint32_t *id) {
  if (!looks_like_number(word)) return NUMBER_NONE;
  const bool is_negative = *word == '-';
  const char *digits = word + (*word == '+' || is_negative);
  uint64_t value = 0;
  for (const char *at = digits; *at; at++) {
    if (!is_digit(*at)) return NUMBER_LOOKALIKE;
    if (value <= MAX_ID) value = value * 10 + (uint64_t)(*at - '0');
  }
  if (value > MAX_ID || (is_negative && value > 0)) return NUMBER_RANGE;
  *id = (uint32_t)value;
  return NUMBER_ID;
}

size_t split_fields(char *line, char **fields, size_t most) {
  size_t count = 0;
  while (count < most) {
    fields[count++] = line;
    line = strchr(line, ':');
    if (!line) break;
    *line++ = 0;
  }
  return count;
}

/* In a file only plain digits are an id; a line without one is no entry, rather than an entry of root. */
static bool field_id(const char *field, uint32_t *id) { return is_digit(*field) && parse_id(field, id) == NUMBER_ID; }

bool parse_passwd_line(char *line, struct passwd_entry *entry) {
  char *fields[7];
  const size_t count = split_fields(line, fields, 7);
  if (count < 4 || !*fields[0] || !field_id(fields[2], &entry->uid) || !field_id(fields[3], &entry->gid)) return false;
  entry->name = fields[0];
  entry->home = count > 5 ? fields[5] : "";
  return true;
}

bool parse_group_line(char *line, struct group_entry *entry) {
  char *fields[4];
  static char nobody[1];
  const size_t count = split_fields(line, fields, 4);
  if (count < 3 || !*fields[0] || !field_id(fields[2], &entry->gid)) return false;
  entry->name = fields[0];
  entry->members = count > 3 ? fields[3] : nobody;
  return true;
}

bool has_member(const struct group_entry *group, const char *user) {
  const size_t length = strlen(user);
  for (const char *at = group->members; *at;) {
    const size_t size = strcspn(at, ",");
    if (size == length && memcmp(at, user, length) == 0) return true;
    at += size + (at[size] == ',');
  }
  return false;
}

static int fill(struct lines *lines) {
  memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
  lines->end -= lines->start;
  lines->start = 0;
  if (lines->end == MAX_USER_LINE_BYTES || lines->total > MAX_USER_FILE_BYTES) return -EFBIG;
  const size_t space = MAX_USER_LINE_BYTES - lines->end;
  const ssize_t size = read(lines->fd, lines->buffer + lines->end, space < 16384 ? space : 16384);
  if (size < 0) return -errno;
  lines->ended = size == 0;
  lines->end += (size_t)size;
  lines->total += (size_t)size;
  return 0;
}

static char *trim(char *line, char *end) {
  while (end > line && is_space(end[-1])) end--;
  *end = 0;
  while (is_space(*line)) line++;
  return line;
}

int next_line(struct lines *lines, char **line) {
  size_t seen = lines->start;
  for (;;) {
    char *newline = memchr(lines->buffer + seen, '\n', lines->end - seen);
    if (!newline && lines->ended && lines->start < lines->end) newline = lines->buffer + lines->end;
    if (newline) {
      *line = trim(lines->buffer + lines->start, newline);
      const size_t next = (size_t)(newline - lines->buffer) + 1;
      lines->start = next < lines->end ? next : lines->end;
      return 1;
    }
    if (lines->ended) return 0;
    seen = lines->end - lines->start;
    const int error = fill(lines);
    if (error) return error;
  }
}
