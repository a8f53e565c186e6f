/*
 * The Node addon is a table of calls. A call is plain C: it takes numbers, strings and bytes, and answers a number that
 * is not negative, or bytes, or -errno. Every call can be made in place (`sync`) or on a pool thread (`pool`).
 */
#ifndef GANTRY_ADDON_H
#define GANTRY_ADDON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_ARGUMENTS 8

struct request {
  /* arguments by kind, in their order */
  int64_t number[MAX_ARGUMENTS];
  const char *string[MAX_ARGUMENTS];
  const uint8_t *bytes[MAX_ARGUMENTS];
  size_t length[MAX_ARGUMENTS];
  /* the answer when it is bytes: from malloc, freed by the caller */
  uint8_t *answer;
  size_t answer_length;
};

typedef int64_t call_function(struct request *);

enum where { ANYWHERE, POOL_ONLY, LOOP_ONLY };

struct call {
  const char *name;
  const char *signature; /* a letter an argument: i number, s string, b bytes */
  call_function *run;
  enum where where;
};

/* Tables end with a row without a name. */
extern const struct call file_calls[];
extern const struct call beneath_calls[];
extern const struct call process_calls[];
extern const struct call socket_calls[];
extern const struct call program_calls[];
extern const struct call tree_calls[];

/* Copies `length` bytes to the answer. Gives 0 or -ENOMEM. */
int64_t answer_bytes(struct request *r, const void *bytes, size_t length);

/* Runs `work` on a thread of its own, for what stays with the thread that did it (setns(2), unshare(2)). */
int64_t on_own_thread(call_function *work, struct request *r);

/* The thread that waits for processes to end. A watched process stays the watcher's until it is reported. */
struct watched {
  int pidfd;
  int code;   /* -1: killed, or not our child so that nobody knows */
  int signal; /* 0: not killed */
  void *tag;  /* the caller's */
};
struct exit_watcher;
typedef void exit_report(void *context, struct watched *watched);
/* Gives NULL and sets errno. */
struct exit_watcher *exit_watcher_start(exit_report *report, void *context);
/* Gives 0 or -errno. */
int exit_watcher_add(struct exit_watcher *watcher, struct watched *watched);
void exit_watcher_stop(struct exit_watcher *watcher);

#endif
