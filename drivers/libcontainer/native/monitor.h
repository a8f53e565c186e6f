/* A monitor: the parent of one process, that owns its stdio, writes its log and tells of its end. ARCHITECTURE.md §5.1 is what
 * it promises. One thread, one epoll loop; buffers are given back when idle, as a thousand of these sit on a host.
 *
 *   start.c         the program is run, the process is there
 *   stdio.c         what it writes, to the log and the attachments; what it reads
 *   connections.c   frames in and out
 *   monitor.c       the loop, and the order at the end
 */
#ifndef GANTRY_MONITOR_H
#define GANTRY_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frames.h"
#include "interpreter.h"
#include "log.h"
#include "options.h"
#include "outbox.h"

struct monitor;

/* Something that epoll watches. */
struct source {
  int fd; /* -1 when closed */
  uint32_t watched;
  void (*ready)(struct monitor *monitor, struct source *source);
};

/* One of the process's two outputs; with a tty only the first. */
struct output {
  struct source source; /* first, so that a source is its output */
  uint8_t index;
  size_t to_drain; /* after the exit: how much may still be read before EXITED */
};

enum { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4, MAX_CONNECTIONS = 512 };
enum connection_kind { CONNECTION_NEW, CONNECTION_CONTROL, CONNECTION_ATTACHMENT };

struct connection {
  struct source source; /* first, so that a source is its connection */
  struct connection *next;
  enum connection_kind kind;
  uint8_t flags; /* ATTACH_* */
  bool is_gone;  /* to be freed at the end of the round */
  bool is_full;  /* holds the process back */
  struct outbox outbox;
  struct frame_reader reader;
  uint8_t *input; /* frames that stdin has no room for */
  size_t input_size;
};

enum { SCRATCH_BYTES_ALL = LOG_LINE_BYTES + LOG_CHUNK_BYTES };

struct monitor {
  struct options options;
  bool is_exec;
  char *title; /* the memory of argv, for the interpreter */
  size_t title_size;
  int epoll;
  int folder;
  int spool_folder;
  uint8_t *scratch; /* log scratch and a chunk; see scratch_chunk() */
  bool is_dirty;    /* buffers were touched since they were given back */
  struct log log;

  struct source listener;
  struct connection *connections;
  unsigned connection_count;

  struct output outputs[2];
  struct source input; /* the process's stdin */
  int terminal;        /* the pty's master, for sizes; or -1 */
  int terminal_peer;   /* its other side, held once nobody else did; or -1 */

  struct start *start;  /* until the process executes */
  struct source status; /* ends when it does, or has failed to */
  struct source exit;   /* pidfd */
  pid_t pid;
  int mount_namespace;
  int oom_fd;
  uint64_t oom_before;

  bool is_started, is_failed, is_reaped, is_reported, is_over;
  int64_t started_s, started_ns;
  uint32_t warning_count;
  struct warning *warnings;
  char exited[128]; /* EXITED's payload */
};

/* monitor.c */
void watch(struct monitor *monitor, struct source *source, uint32_t events);
void unwatch_and_close(struct monitor *monitor, struct source *source);
int64_t now_ms(void);
uint8_t *scratch_chunk(struct monitor *monitor); /* LOG_CHUNK_BYTES with LOG_LINE_BYTES in front; NULL without memory */
void monitor_watch_oom(struct monitor *monitor); /* before the process can use any memory to speak of */
int monitor_loop(struct monitor *monitor);

/* start.c */
bool start_process(struct monitor *monitor, int program_fd); /* false: FAILED was said */
void process_started(struct monitor *monitor);               /* monitor.c: pid, exit and stdio are set */

/* stdio.c */
void stdio_begin(struct monitor *monitor);
void stdio_watch(struct monitor *monitor); /* after somebody became full, or is no longer */
void stdio_begin_drain(struct monitor *monitor);
bool stdio_drain(struct monitor *monitor); /* true when what was there at the exit has been read */
bool stdio_has_ended(const struct monitor *monitor);
size_t stdin_write(struct monitor *monitor, const uint8_t *data, size_t length);
void stdin_close(struct monitor *monitor);

/* connections.c */
bool connection_add(struct monitor *monitor, int fd, enum connection_kind kind, uint8_t flags);
/* To all of a kind; to those with `flag` only, if it is not 0. */
void connections_send(struct monitor *monitor, enum connection_kind kind, uint8_t flag, uint8_t type, const void *data,
                      size_t length);
void connections_resume_input(struct monitor *monitor);
void connections_sweep(struct monitor *monitor);
bool connections_finish(struct monitor *monitor); /* closes those with nothing left to say; true when none is left */
int connections_timeout(struct monitor *monitor); /* ms until somebody is to be cut off, -1 for nobody */
bool listen_on(struct monitor *monitor, const char *folder);

/* messages.c */
void say_started(struct monitor *monitor, const struct report *report);
void say_state(struct monitor *monitor, struct connection *connection);
void say_failed(struct monitor *monitor, const struct report *report);
void say_failure(struct monitor *monitor, int error, const char *detail);
void note_exit(struct monitor *monitor, int status, bool is_oom); /* fills `exited` */
void say_exited(struct monitor *monitor);                         /* the file, then the frame */

#endif
