/* gantry-init: one static program, one sub-command a task that must not happen inside the daemon. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* One line a sub-command; its source stands in the Makefile's INIT_SOURCES. */
static const struct command *const commands[] = {
    &command_extract,
    &command_copy,
    &command_remove,
    &command_run,
    &command_exec,
    NULL,
};

static int usage(void) {
  for (const struct command *const *each = commands; *each; each++)
    fprintf(stderr, "usage: gantry-init %s %s\n", (*each)->name, (*each)->usage);
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 2) return usage();
  for (const struct command *const *each = commands; *each; each++)
    if (strcmp(argv[1], (*each)->name) == 0) return (*each)->run(argc - 2, argv + 2);
  return usage();
}
