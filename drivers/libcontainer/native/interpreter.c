#include "interpreter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "perform.h"

size_t report_size(const struct program *program) {
  return sizeof(struct report) + program->operations * sizeof(uint64_t);
}

int interpreter_init(struct interpreter *interpreter, const struct program *program, struct report *report) {
  *interpreter = (struct interpreter){
      .report = report,
      .creates = program->has_clone,
      .child_pidfd = -1,
      .mount_namespace = -1,
      .console = -1,
      .null = -1,
      .empty_dir = -1,
  };
  for (size_t i = 0; i < SLOT_COUNT; i++) interpreter->slots[i] = -1;
  report->failed = -1;
  /* Pointers take at most 8 bytes for every 5 of a string in the program. */
  struct arena *arena = &interpreter->arena;
  arena->size = program->size * 2 + 4096;
  arena->start = mmap(NULL, arena->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return arena->start == MAP_FAILED ? ENOMEM : 0;
}

void interpreter_close(struct interpreter *interpreter) {
  for (size_t i = 0; i < SLOT_COUNT; i++) {
    if (interpreter->slots[i] >= 0) close(interpreter->slots[i]);
    interpreter->slots[i] = -1;
  }
  if (interpreter->null >= 0) close(interpreter->null);
  if (interpreter->empty_dir >= 0) close(interpreter->empty_dir);
  interpreter->null = interpreter->empty_dir = -1;
  free(interpreter->user.groups);
  interpreter->user.groups = NULL;
  munmap(interpreter->arena.start, interpreter->arena.size);
}

int slot_get(const struct interpreter *interpreter, uint32_t slot) {
  return slot < SLOT_COUNT && interpreter->slots[slot] >= 0 ? interpreter->slots[slot] : -EBADF;
}

int slot_put(struct interpreter *interpreter, uint32_t slot, int fd) {
  if (slot >= SLOT_COUNT) return close(fd), -EBADF;
  if (interpreter->slots[slot] >= 0) close(interpreter->slots[slot]);
  interpreter->slots[slot] = fd;
  return 0;
}

void set_detail(struct interpreter *interpreter, const char *format, ...) {
  va_list arguments;
  if (interpreter->report->detail[0]) return;
  va_start(arguments, format);
  vsnprintf(interpreter->report->detail, MAX_DETAIL, format, arguments);
  va_end(arguments);
}

int close_quietly(int fd) {
  if (fd >= 0) close(fd);
  return -1;
}

int write_once(int fd, const char *data, size_t length) {
  const ssize_t written = write(fd, data, length);
  if (written < 0) return -errno;
  return (size_t)written == length ? 0 : -EIO;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* What would change the whole process is not for a thread of the daemon. */
static bool is_for_own_process(uint32_t code) {
  switch (code) {
    case OP_CLONE: case OP_UNSHARE: case OP_SETNS: case OP_SETHOSTNAME: case OP_SETDOMAINNAME:
    case OP_PIVOT_ROOT: case OP_REMOUNT_ROOT: case OP_SETSID: case OP_CONSOLE: case OP_RLIMIT: case OP_OOM_SCORE_ADJ:
    case OP_KEYRING: case OP_UMASK: case OP_CREDENTIALS: case OP_NO_NEW_PRIVS: case OP_SECCOMP: case OP_CHDIR:
    case OP_INIT: case OP_EXECVE: case OP_COPY_UP:
      return true;
    default:
      return false;
  }
}

static int perform(struct interpreter *interpreter, const struct operation *operation) {
  if (interpreter->threaded && is_for_own_process(operation->code)) return -ENOTSUP;
  switch (operation->code) {
#define CASE(NAME, name) \
  case OP_##NAME:        \
    return perform_##name(interpreter, &operation->as.name);
    EACH_OPERATION(CASE)
#undef CASE
    default:
      return -EINVAL;
  }
}

/* A failure that the operation's flags forgive is none. */
static int forgive(struct report *report, const struct operation *operation, uint32_t index, int error) {
  if (error == 0) return 0;
  const bool missing = error == -ENOENT || error == -ENOTDIR;
  const bool silent = missing && operation->flags & FLAG_MISSING_OK;
  if (!silent && !(operation->flags & FLAG_MAY_FAIL)) return error;
  if (!silent && report->warning_count < MAX_WARNINGS)
    report->warnings[report->warning_count++] = (struct warning){.operation = index, .error = -error};
  report->detail[0] = 0;
  return 0;
}

static enum outcome fail(struct report *report, uint32_t index, int error) {
  report->failed = (int32_t)index;
  report->error = -error;
  report->stage = STAGE_FAILED;
  return OUTCOME_FAILED;
}

enum outcome interpreter_run(struct interpreter *interpreter, const struct program *program) {
  struct report *report = interpreter->report;
  size_t at = PROGRAM_START;
  for (uint32_t i = 0; i < program->operations; i++) {
    uint32_t code;
    struct operation operation;
    struct decoder decoder = {.arena = &interpreter->arena};
    interpreter->arena.used = 0;
    program_next(program, &at, &code, &decoder);
    if (!decode_operation(&decoder, code, &operation)) return fail(report, i, -EBADMSG);
    const uint64_t start = now();
    const int error = forgive(report, &operation, i, perform(interpreter, &operation));
    if (code == OP_CLONE && error == 0 && !interpreter->in_child) return OUTCOME_PARENT;
    if (interpreter->ended) return OUTCOME_ENDED;
    report->ns[i] = now() - start;
    report->done = i + 1;
    if (error) return fail(report, i, error);
  }
  report->stage = STAGE_DONE;
  return OUTCOME_DONE;
}
