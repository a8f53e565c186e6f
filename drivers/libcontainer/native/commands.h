/* The sub-commands of gantry-init. Each takes the words behind its name (so
 * argv[-2] is the program's) and answers the exit status. */
#ifndef GANTRY_COMMANDS_H
#define GANTRY_COMMANDS_H

struct command {
  const char *name;
  const char *usage;
  int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_exec;
extern const struct command command_extract;
extern const struct command command_copy;
extern const struct command command_remove;

#endif
