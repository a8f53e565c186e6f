/* Runs kernel programs (../program.ts tells what they are, ../encode.ts how they are written).
 *
 * A library without globals and without exit(), for two callers: gantry-init, where a program may `clone` and end in
 * `execve`; and the daemon's pool threads (`threaded`), where only operations are allowed that change nothing of a thread. */
#ifndef GANTRY_INTERPRETER_H
#define GANTRY_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

enum { MAX_WARNINGS = 64, MAX_DETAIL = 512 };

/* How far a process got. */
enum stage { STAGE_RUNNING, STAGE_FAILED, STAGE_DONE, STAGE_EXECUTING };

struct warning {
  uint32_t operation;
  int32_t error;
};

/* What came of it. gantry-init has it in shared memory, so that the child's words reach the monitor. */
struct report {
  int32_t stage;           /* enum stage */
  int32_t failed;          /* index of the operation, -1 for none */
  int32_t error;           /* its errno */
  int32_t pid;             /* of the process that goes on, when it forked a second time; else 0 */
  uint32_t done;           /* operations that ran, with the times of as many in `ns` */
  uint32_t warning_count;
  struct warning warnings[MAX_WARNINGS];
  char detail[MAX_DETAIL]; /* what errno cannot say, or "" */
  uint64_t ns[];           /* one an operation */
};

size_t report_size(const struct program *program);

struct user {
  bool known;
  uint32_t uid;
  uint32_t gid;
  uint32_t *groups; /* supplementary, `gid` among them */
  size_t group_count;
  char home[4096];  /* "" for none */
};

struct interpreter {
  int slots[SLOT_COUNT]; /* -1 for empty; interpreter_init() empties them, interpreter_close() closes them */
  struct arena arena;
  struct report *report;

  bool threaded; /* the caller has other threads, and made us one with a working folder of its own (CLONE_FS): no
                  * clone, setns, unshare, chdir, pivot_root, execve and so on */
  /* Called in the new process right after `clone`, in the new namespaces. 0 or an errno. */
  int (*cloned)(struct interpreter *interpreter, void *argument);
  void *argument;

  bool in_child;       /* we are the process that the program makes */
  bool creates;        /* the program has a `clone`: it makes a container rather than joins one */
  pid_t child;         /* in the parent, after `clone` */
  int child_pidfd;     /* in the parent, after `clone`; else -1 */
  int mount_namespace; /* in the parent, after a `clone` with CLONE_NEWNS: the child's, or -1 */
  int console;         /* socket to the monitor for the pty's master, or -1 */
  char *title;         /* memory of our argv that may be overwritten with another title, and its size */
  size_t title_size;

  bool ended; /* see OUTCOME_ENDED */
  int exit_status;

  bool reaper; /* `init` was seen */
  bool umask_set;
  int null;      /* the container's /dev/null, verified, for masks; or -1 */
  int empty_dir; /* the shared empty tmpfs of masks, or -1 */
  struct user user;
};

/* 0 or ENOMEM. `report` is of report_size() bytes, zeroed. */
int interpreter_init(struct interpreter *interpreter, const struct program *program, struct report *report);

/* Closes all slots and gives the memory back. */
void interpreter_close(struct interpreter *interpreter);

/* Puts a descriptor into a slot, which closes what was there. Owns `fd` also when it fails. 0 or -EBADF. */
int slot_put(struct interpreter *interpreter, uint32_t slot, int fd);

enum outcome {
  OUTCOME_FAILED, /* told in the report */
  OUTCOME_DONE,   /* every operation ran */
  OUTCOME_PARENT, /* we are the parent of the `clone`; the child goes on with the program */
  OUTCOME_ENDED,  /* we are a process that has done its part: _exit(interpreter->exit_status) at once */
};

enum outcome interpreter_run(struct interpreter *interpreter, const struct program *program);

#endif
