/* gantry-init copy and remove: whole trees, in a process of their own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "commands.h"
#include "confine.h"
#include "report.h"
#include "tree.h"

static int usage(const struct command *command) {
  fprintf(stderr, "usage: gantry-init %s %s\n", command->name, command->usage);
  return 2;
}

static int answer(int error, const char *entry, const struct tree_count *count) {
  if (error)
    report_failure("", -error, entry);
  else
    report_success(count->entries, count->bytes);
  return error ? 1 : 0;
}

static int run_copy(int argc, char **argv) {
  struct tree_count count = {0};
  if (argc != 2) return usage(&command_copy);
  umask(0);
  int source = atoi(argv[0]), target = atoi(argv[1]);
  int error = confine(&(struct confinement){.writable = &target, .readable = &source});
  return answer(error ? error : tree_copy(source, target, &count), "", &count);
}

static int run_remove(int argc, char **argv) {
  const struct tree_count none = {0};
  const char *failed = "";
  if (argc < 2) return usage(&command_remove);
  int parent = atoi(argv[0]);
  int error = confine(&(struct confinement){.writable = &parent});
  if (error) return answer(error, failed, &none);
  /* One that cannot go keeps no other; the first of them is told. */
  for (int i = 1; i < argc; i++) {
    int why = tree_remove(parent, argv[i]);
    if (!why || error) continue;
    error = why;
    failed = argv[i];
  }
  return answer(error, failed, &none);
}

const struct command command_copy = {.name = "copy", .usage = "SOURCE_FD TARGET_FD", .run = run_copy};
const struct command command_remove = {.name = "remove", .usage = "PARENT_FD NAME...", .run = run_remove};
