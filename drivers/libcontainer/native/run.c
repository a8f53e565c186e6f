/* The sub-commands `run` and `exec`: become the monitor of one process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "descriptors.h"
#include "monitor.h"

enum { EXIT_USAGE = 2, EXIT_FAILED = 1, MAX_KEPT = MAX_CONNECTIONS + 4 };

struct attachment {
  int fd;
  uint8_t flags;
};

struct arguments {
  const char *folder;
  int program_fd;
  int control_fd;
  struct attachment *attachments;
  size_t attachment_count;
};

/* ——— arguments */

static bool parse_fd(const char *word, int *fd) {
  uint64_t value;
  if (!parse_decimal(word, INT_MAX, &value) || value <= STDERR_FILENO) return false;
  *fd = (int)value;
  return fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* `FD:FLAGS` */
static bool parse_attachment(char *word, struct attachment *attachment) {
  uint64_t flags;
  char *colon = strchr(word, ':');
  if (!colon || !parse_decimal(colon + 1, 7, &flags)) return false;
  *colon = 0;
  attachment->flags = (uint8_t)flags;
  return parse_fd(word, &attachment->fd);
}

static bool parse_arguments(struct arguments *arguments, struct options *options, int argc, char **argv) {
  if (argc < 4 || argc - 4 > MAX_CONNECTIONS - 1 || argv[0][0] != '/') return false;
  arguments->folder = argv[0];
  arguments->attachment_count = (size_t)argc - 4;
  arguments->attachments = calloc(arguments->attachment_count + 1, sizeof *arguments->attachments);
  if (!arguments->attachments) return false;
  if (!parse_fd(argv[1], &arguments->program_fd) || !parse_fd(argv[2], &arguments->control_fd)) return false;
  for (size_t i = 0; i < arguments->attachment_count; i++)
    if (!parse_attachment(argv[4 + i], &arguments->attachments[i])) return false;
  if (!options_parse(options, argv[3])) return false;
  return options->pidfd < 0 || (options->pidfd > STDERR_FILENO && fcntl(options->pidfd, F_SETFD, FD_CLOEXEC) == 0);
}

/* ——— a clean process */

/* Closes all that we were not told of: whoever started us may have leaked something. */
static void close_others(const struct arguments *arguments, const struct options *options) {
  int kept[MAX_KEPT];
  size_t count = 0;
  kept[count++] = arguments->program_fd;
  kept[count++] = arguments->control_fd;
  if (options->pidfd >= 0) kept[count++] = options->pidfd;
  for (size_t i = 0; i < arguments->attachment_count; i++) kept[count++] = arguments->attachments[i].fd;
  close_all_but(kept, count);
}

static bool have_no_stdio(void) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (null != fd && dup2(null, fd) < 0) return false;
  if (null > STDERR_FILENO) close(null);
  return true;
}

/* Nothing but SIGKILL ends a monitor before its process has ended. */
static void ignore_signals(void) {
  static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
}

/* ——— the monitor */

static void add_connections(struct monitor *monitor, const struct arguments *arguments) {
  connection_add(monitor, arguments->control_fd, CONNECTION_CONTROL, 0);
  for (size_t i = 0; i < arguments->attachment_count; i++)
    connection_add(monitor, arguments->attachments[i].fd, CONNECTION_ATTACHMENT, arguments->attachments[i].flags);
}

static bool prepare(struct monitor *monitor, const struct arguments *arguments) {
  const struct options *options = &monitor->options;
  monitor->folder = open(arguments->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (monitor->folder < 0) return say_failure(monitor, errno, "the monitor's folder cannot be opened"), false;
  const int error = log_open(&monitor->log, options->log, options->log_path, options->max_size, options->max_file);
  if (error) return say_failure(monitor, error, "the log cannot be opened"), false;
  /* A spool is better on a disk than in the memory that an exec-root usually is. */
  monitor->spool_folder = monitor->log.folder >= 0 ? monitor->log.folder : monitor->folder;
  if (!listen_on(monitor, arguments->folder)) return say_failure(monitor, errno, "the monitor's socket cannot be made"), false;
  return true;
}

static int run_monitor(struct monitor *monitor, const struct arguments *arguments) {
  add_connections(monitor, arguments);
  if (!prepare(monitor, arguments) || !start_process(monitor, arguments->program_fd)) monitor->is_failed = true;
  return monitor_loop(monitor);
}

static void have_nothing(struct monitor *monitor) {
  monitor->folder = monitor->spool_folder = monitor->log.folder = monitor->log.fd = -1;
  monitor->listener.fd = monitor->status.fd = monitor->exit.fd = monitor->input.fd = -1;
  monitor->outputs[0].source.fd = monitor->outputs[1].source.fd = -1;
  monitor->terminal = monitor->terminal_peer = monitor->mount_namespace = monitor->oom_fd = -1;
}

static int become_monitor(bool is_exec, int argc, char **argv) {
  struct arguments arguments = {0};
  struct monitor *monitor = calloc(1, sizeof *monitor);
  if (!monitor) return EXIT_FAILED;
  monitor->is_exec = is_exec;
  have_nothing(monitor);
  monitor->title = argv[-2];
  if (argc > 0) monitor->title_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[-2]);
  if (!parse_arguments(&arguments, &monitor->options, argc, argv)) {
    fprintf(stderr, "usage: gantry-init %s %s\n", argv[-1], command_run.usage);
    return EXIT_USAGE;
  }
  ignore_signals();
  close_others(&arguments, &monitor->options);
  umask(0);
  monitor->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (monitor->epoll < 0 || !have_no_stdio() || chdir("/") < 0) return EXIT_FAILED;
  return run_monitor(monitor, &arguments);
}

static int run(int argc, char **argv) { return become_monitor(false, argc, argv); }
static int exec(int argc, char **argv) { return become_monitor(true, argc, argv); }

#define USAGE "FOLDER PROGRAM_FD CONTROL_FD OPTIONS [ATTACH_FD:FLAGS …]"
const struct command command_run = {"run", USAGE, run};
const struct command command_exec = {"exec", USAGE, exec};
