/* The operations `init` and `execve`: the end of a program. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "perform.h"

int perform_init(struct interpreter *interpreter, const struct op_init *op) {
  (void)op;
  interpreter->reaper = true;
  return 0;
}

/* ——— finding the program, as Go's exec.LookPath does */

static int check_executable(const char *path) {
  struct stat stat_;
  if (stat(path, &stat_) < 0) return -errno;
  if (S_ISDIR(stat_.st_mode)) return -EACCES;
  return access(path, X_OK) < 0 ? -errno : 0;
}

static const char *variable(const struct strings *env, const char *name) {
  const size_t length = strlen(name);
  for (uint32_t i = 0; i < env->count; i++)
    if (strncmp(env->items[i], name, length) == 0 && env->items[i][length] == '=') return env->items[i] + length + 1;
  return NULL;
}

static int search_path(const char *name, const char *path, char found[PATH_MAX]) {
  while (path && *path) {
    const size_t length = strcspn(path, ":");
    const int printed = length == 0 ? snprintf(found, PATH_MAX, "./%s", name)
                                    : snprintf(found, PATH_MAX, "%.*s/%s", (int)length, path, name);
    if (printed < PATH_MAX && check_executable(found) == 0) return 0;
    path += length + (path[length] == ':');
  }
  return -ENOENT;
}

/* The words that Docker's users know from runc. */
static int find_program(struct interpreter *interpreter, const struct op_execve *op, char found[PATH_MAX]) {
  const char *name = op->argv.items[0];
  if (strchr(name, '/')) {
    const int error = check_executable(name);
    if (strlen(name) >= PATH_MAX) return -ENAMETOOLONG;
    strcpy(found, name);
    if (error == -EACCES) set_detail(interpreter, "exec: \"%s\": permission denied", name);
    const char *why = error == -ENOTDIR ? "not a directory" : "no such file or directory";
    if (error) set_detail(interpreter, "exec: \"%s\": stat %s: %s", name, name, why);
    return error;
  }
  const int error = search_path(name, variable(&op->env, "PATH"), found);
  if (error) set_detail(interpreter, "exec: \"%s\": executable file not found in $PATH", name);
  return error;
}

/* env with HOME of the user that was looked up, where it has none; as runc, an empty one counts as none. */
static const char **complete_env(struct interpreter *interpreter, const struct strings *env) {
  const char *home = variable(env, "HOME");
  if ((home && *home) || !interpreter->user.known) return env->items;
  static const char prefix[] = "HOME=";
  const char *value = *interpreter->user.home ? interpreter->user.home : "/";
  const char **items = arena_take(&interpreter->arena, (env->count + 2) * sizeof *items);
  char *entry = arena_take(&interpreter->arena, sizeof prefix + strlen(value));
  if (!items || !entry) return NULL;
  strcpy(entry, prefix);
  strcat(entry, value);
  uint32_t count = 0;
  for (uint32_t i = 0; i < env->count; i++)
    if (strncmp(env->items[i], prefix, sizeof prefix - 1) != 0) items[count++] = env->items[i];
  items[count++] = entry;
  items[count] = NULL;
  return items;
}

/* ——— pid 1 */

/* Shows another command line in ps: our own argv is overwritten. */
static void set_title(struct interpreter *interpreter, const struct strings *argv) {
  if (interpreter->title_size < 2) return;
  memset(interpreter->title, 0, interpreter->title_size);
  const char *const lead[] = {"/sbin/docker-init", "--"};
  size_t at = 0;
  for (uint32_t i = 0; i < 2 + argv->count; i++) {
    const char *word = i < 2 ? lead[i] : argv->items[i - 2];
    const int length = snprintf(interpreter->title + at, interpreter->title_size - at, "%s", word) + 1;
    if ((size_t)length >= interpreter->title_size - at) break;
    at += (size_t)length;
  }
  prctl(K_PR_SET_NAME, "docker-init", 0, 0, 0);
}

static int status_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/* Reaps everybody; true when the program itself was among them. */
static bool reap(pid_t program, int *code) {
  int status;
  bool ended = false;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == program) *code = status_code(status), ended = true;
  return ended;
}

/* Forwards what can be forwarded until the program ends. */
static int stand_as_init(pid_t program) {
  sigset_t all;
  int code = 0;
  sigfillset(&all);
  for (;;) {
    siginfo_t info;
    const int signal = sigwaitinfo(&all, &info);
    if (signal < 0) continue;
    if (signal == SIGCHLD) {
      if (reap(program, &code)) return code;
    } else {
      kill(program, signal);
    }
  }
}

/* Without its monitor nobody could tell how it ended; under `init` the parent is pid 1, with which all end anyway. */
static void die_with_monitor(void) { prctl(K_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

/* Signals are blocked in both until the program has its own: none is lost in between. */
static int fork_program(struct interpreter *interpreter, const struct op_execve *op) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  const pid_t pid = fork();
  if (pid < 0) return -errno;
  if (pid == 0) {
    /* A process group of its own, the foreground one where there is a terminal. */
    setpgid(0, 0);
    tcsetpgrp(0, getpid());
    return 0;
  }
  die_with_monitor();
  set_title(interpreter, &op->argv);
  k_close_range(3, ~0u, 0);
  interpreter->exit_status = stand_as_init(pid);
  interpreter->ended = true;
  return 0;
}

static bool is_null_device(int fd) {
  struct stat stat_;
  return fstat(fd, &stat_) == 0 && S_ISCHR(stat_.st_mode) && stat_.st_rdev == makedev(1, 3);
}

/* Our stdin is the host's /dev/null, whose mode and owner are not for a container to change: it gets its own, or where that is
 * not what it should be, a pipe that has ended. */
static int replace_null(void) {
  int pair[2];
  if (!is_null_device(STDIN_FILENO)) return 0;
  int fd = open("/dev/null", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0 && !is_null_device(fd)) fd = close_quietly(fd);
  if (fd < 0) {
    if (pipe2(pair, O_CLOEXEC) < 0) return -errno;
    close(pair[1]);
    fd = pair[0];
  }
  const int error = result_of(dup2(fd, STDIN_FILENO));
  if (error == 0) fcntl(STDIN_FILENO, F_SETFL, 0);
  close(fd);
  return error;
}

static void reset_signals(void) {
  const struct sigaction by_default = {.sa_handler = SIG_DFL};
  for (int number = 1; number <= 64; number++) sigaction(number, &by_default, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int perform_execve(struct interpreter *interpreter, const struct op_execve *op) {
  char found[PATH_MAX];
  if (!interpreter->in_child || op->argv.count == 0) return -EINVAL;
  const char **env = complete_env(interpreter, &op->env);
  if (!env) return -ENOMEM;
  int error = find_program(interpreter, op, found);
  if (error) return error;
  error = replace_null();
  if (error) return error;
  if (!interpreter->umask_set) umask(022);
  if (interpreter->reaper) error = fork_program(interpreter, op);
  if (error || interpreter->ended) return error;
  error = k_close_range(3, ~0u, K_CLOSE_RANGE_CLOEXEC);
  if (error) return error;
  die_with_monitor();
  reset_signals();
  interpreter->report->stage = STAGE_EXECUTING;
  execve(found, (char *const *)op->argv.items, (char *const *)env);
  error = -errno;
  set_detail(interpreter, "exec %s", found);
  return error;
}
