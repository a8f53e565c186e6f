/* Inside the interpreter: one function an operation, and what they share. All answer 0 (or a descriptor) or -errno. */
#ifndef GANTRY_PERFORM_H
#define GANTRY_PERFORM_H

#include "interpreter.h"
#include "kernel.h"

#define DECLARE(NAME, name) int perform_##name(struct interpreter *interpreter, const struct op_##name *op);
EACH_OPERATION(DECLARE)
#undef DECLARE

/* The descriptor in a slot, or -EBADF. */
int slot_get(const struct interpreter *interpreter, uint32_t slot);

/* Words for what errno cannot say. The first stand. */
__attribute__((format(printf, 2, 3))) void set_detail(struct interpreter *interpreter, const char *format, ...);

int close_quietly(int fd);
int write_once(int fd, const char *data, size_t length);
static inline int result_of(long result) { return result < 0 ? -errno : (int)result; }

/* Forks so that we are in the pid namespace just joined: the new process goes on, the old one ends. */
int fork_into_pid_namespace(struct interpreter *interpreter);

#endif
