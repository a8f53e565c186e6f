/* Operations on files of the host, by path. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "perform.h"

int perform_mkdir(struct interpreter *interpreter, const struct op_mkdir *op) {
  if (mkdir(op->path, op->mode) < 0) return errno == EEXIST ? 0 : -errno;
  /* gantry-init runs with umask 0; a thread of the daemon must not touch the umask. */
  return interpreter->threaded ? result_of(chmod(op->path, op->mode)) : 0;
}

int perform_write(struct interpreter *interpreter, const struct op_write *op) {
  (void)interpreter;
  const int fd = open(op->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int error = write_once(fd, op->data, strlen(op->data));
  close(fd);
  return error;
}

int perform_unlink(struct interpreter *interpreter, const struct op_unlink *op) {
  (void)interpreter;
  return result_of(unlink(op->path));
}

int perform_rmdir(struct interpreter *interpreter, const struct op_rmdir *op) {
  (void)interpreter;
  return result_of(rmdir(op->path));
}

int perform_open(struct interpreter *interpreter, const struct op_open *op) {
  const int fd = open(op->path, (int)op->openFlags | O_CLOEXEC, 0600);
  return fd < 0 ? -errno : slot_put(interpreter, op->slot, fd);
}
