/* Runs a kernel program in the daemon's own namespaces, on a thread with working folder and umask of its own. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "addon.h"
#include "interpreter.h"

static int64_t run_opened(struct request *r, const struct program *program) {
  struct interpreter interpreter;
  struct report *report = calloc(1, report_size(program));
  if (!report) return -ENOMEM;
  int error = interpreter_init(&interpreter, program, report);
  if (error) {
    free(report);
    return -error;
  }
  interpreter.threaded = true;
  interpreter_run(&interpreter, program);
  interpreter_close(&interpreter);
  r->answer = (uint8_t *)report;
  r->answer_length = report_size(program);
  return 0;
}

static int64_t run_here(struct request *r) {
  struct program program;
  bool private_mounts = r->number[0] != 0;
  if (program_open(&program, r->bytes[0], r->length[0])) return -EBADMSG;
  if (unshare(CLONE_FS | (private_mounts ? CLONE_NEWNS : 0))) return -errno;
  if (private_mounts && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -errno;
  return run_opened(r, &program);
}

/* runProgram(program, 1 for mounts that vanish at its end) → struct report */
static int64_t run_program(struct request *r) { return on_own_thread(run_here, r); }

const struct call program_calls[] = {
  {"runProgram", "bi", run_program, POOL_ONLY},
  {NULL, NULL, NULL, ANYWHERE},
};
