/* The operation `console`: a terminal of the container's own devpts. */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "beneath.h"
#include "perform.h"

/* The multiplexer of the devpts that is mounted beneath, and of nothing that stands in for it. */
static int open_multiplexer(int root) {
  struct statfs where;
  struct stat stat;
  const int fd = open_beneath(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
  if (fd < 0) return fd;
  const bool is_genuine = fstatfs(fd, &where) == 0 && where.f_type == K_DEVPTS_SUPER_MAGIC && fstat(fd, &stat) == 0 &&
                          S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(5, 2);
  return is_genuine ? fd : (close(fd), -ENOTTY);
}

static int send_descriptor(int socket, int fd) {
  char byte = 0;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int bind_on_console(int root, int terminal) {
  const int copy = k_open_tree(terminal, "", K_AT_EMPTY_PATH | K_OPEN_TREE_CLONE | K_OPEN_TREE_CLOEXEC);
  if (copy < 0) return copy;
  const int target = open_mount_point(root, "dev/console", FLAG_CREATE_FILE);
  const int error = target < 0 ? target
                               : k_move_mount(copy, "", target, "", K_MOVE_MOUNT_F_EMPTY_PATH | K_MOVE_MOUNT_T_EMPTY_PATH);
  close_quietly(target);
  close(copy);
  return error;
}

static int become_stdio(int terminal) {
  if (ioctl(terminal, TIOCSCTTY, 0) < 0) return -errno;
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(terminal, fd) < 0) return -errno;
  return 0;
}

static int set_up(struct interpreter *interpreter, const struct op_console *op, int root, int master) {
  const int unlocked = 0;
  const struct winsize size = {.ws_row = (unsigned short)op->height, .ws_col = (unsigned short)op->width};
  if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) return -errno;
  if (op->height && op->width && ioctl(master, TIOCSWINSZ, &size) < 0) return -errno;
  const int terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return -errno;
  int error = interpreter->creates ? bind_on_console(root, terminal) : 0;
  if (!error) error = send_descriptor(interpreter->console, master);
  if (!error) error = become_stdio(terminal);
  close(terminal);
  return error;
}

int perform_console(struct interpreter *interpreter, const struct op_console *op) {
  const int root = slot_get(interpreter, op->root);
  if (root < 0 || interpreter->console < 0) return -EBADF;
  const int master = open_multiplexer(root);
  if (master < 0) return master;
  const int error = set_up(interpreter, op, root, master);
  close(master);
  return error;
}
