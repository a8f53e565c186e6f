/* gantry-init extract: tar on stdin → tree. One line of JSON on stdout says what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "confine.h"
#include "options.h"
#include "place.h"
#include "report.h"
#include "tar.h"
#include "target.h"

/* What one archive may hold, where the caller does not say. */
#define MAX_ENTRIES 4000000u
#define MAX_BYTES (UINT64_C(1) << 40)

struct extraction {
  struct target target;
  struct tar tar;
  uint64_t read, entries, bytes;
  uint64_t max_entries, max_bytes;
  struct tar_entry entry;
};

static ssize_t read_stdin(void *context, void *buffer, size_t size) {
  struct extraction *extraction = context;
  ssize_t count;
  do count = read(STDIN_FILENO, buffer, size);
  while (count < 0 && errno == EINTR);
  if (count > 0) extraction->read += (uint64_t)count;
  return count < 0 ? -errno : count;
}

/* What stands behind the archive's end is somebody's padding; whoever writes it should not meet a closed pipe. */
static void drain(struct extraction *extraction) {
  ssize_t count;
  do count = read_stdin(extraction, extraction->tar.buffer, TAR_BUFFER);
  while (count > 0 && extraction->read <= extraction->max_bytes);
}

/* NULL, or what is wrong. */
static const char *over_bound(struct extraction *extraction) {
  static char text[80];
  const struct tar_entry *entry = &extraction->entry;
  if (++extraction->entries > extraction->max_entries) {
    snprintf(text, sizeof text, "archive of more than %" PRIu64 " entries", extraction->max_entries);
    return text;
  }
  if (entry->size > extraction->max_bytes - extraction->bytes) {
    snprintf(text, sizeof text, "archive of more than %" PRIu64 " bytes", extraction->max_bytes);
    return text;
  }
  extraction->bytes += entry->size;
  return NULL;
}

/* 0; or -errno, or -1 with `*why` set to what is wrong in words. */
static int extract_entry(struct extraction *extraction, const char **why) {
  if ((*why = over_bound(extraction))) return -1;
  int error = place_entry(&extraction->target, &extraction->tar, &extraction->entry, why);
  if (error && !*why) *why = extraction->tar.error;
  return error;
}

static int extract_all(struct extraction *extraction, const char **why) {
  for (;;) {
    enum tar_result next = tar_next(&extraction->tar, &extraction->entry);
    if (next == TAR_END) break;
    if (next == TAR_BAD) return *why = extraction->tar.error, -1;
    int error = extract_entry(extraction, why);
    if (error) return error;
  }
  *extraction->entry.path = 0;
  drain(extraction);
  int error = is_opaque(extraction->target.root) ? hide_lower_roots(&extraction->target) : 0;
  if (!error) error = target_set_late_times(&extraction->target);
  /* Whoever is told that the tree is there writes so on disk: a power cut must not leave that word without the tree. */
  if (!error && syncfs(extraction->target.root)) error = -errno;
  return error;
}

static bool read_option(struct extraction *extraction, char *option) {
  uint64_t number;
  char *value = strchr(option, '=');
  if (!value) return false;
  *value++ = 0;
  if (!strcmp(option, "whiteouts")) {
    extraction->target.overlay = !strcmp(value, "overlay");
    return extraction->target.overlay || !strcmp(value, "delete");
  }
  if (!parse_decimal(value, UINT64_MAX, &number)) return false;
  if (!strcmp(option, "max_entries")) return extraction->max_entries = number, true;
  if (!strcmp(option, "max_bytes")) return extraction->max_bytes = number, true;
  return false;
}

static bool read_options(struct extraction *extraction, char *options) {
  for (char *option = strtok(options, ","); option; option = strtok(NULL, ","))
    if (!read_option(extraction, option)) return false;
  return true;
}

static int usage(void) {
  fprintf(stderr, "usage: gantry-init extract %s\n", command_extract.usage);
  return 2;
}

static int run(int argc, char **argv) {
  static struct extraction extraction; /* zeros: initialised it would lie in every monitor's memory */
  extraction.max_entries = MAX_ENTRIES;
  extraction.max_bytes = MAX_BYTES;
  if (argc < 2 || !read_options(&extraction, argv[1])) return usage();
  extraction.target.root = atoi(argv[0]);
  extraction.target.lower_root = argc > 2 ? atoi(argv[2]) : -1;
  extraction.target.lowers = argv + 3;
  extraction.target.lower_count = argc > 3 ? argc - 3 : 0;
  umask(0);
  const struct confinement confinement = {
      .writable = &extraction.target.root,
      .readable = argc > 2 ? &extraction.target.lower_root : NULL,
      .without_network = true,
  };
  int error = confine(&confinement);
  if (!error) error = tar_open(&extraction.tar, read_stdin, &extraction);
  const char *why = NULL;
  if (!error) error = extract_all(&extraction, &why);
  if (error)
    report_failure(why ? why : "", why ? 0 : -error, extraction.entry.path);
  else
    report_success(extraction.entries, extraction.bytes);
  target_close(&extraction.target);
  tar_close(&extraction.tar);
  return error ? 1 : 0;
}

const struct command command_extract = {
    .name = "extract",
    .usage = "TARGET_FD whiteouts=overlay|delete[,max_entries=N][,max_bytes=N] [LOWER_ROOT_FD LOWER...]",
    .run = run,
};
