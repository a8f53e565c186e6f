/* Calls about descriptors of the daemon's own: open, close, locks, sealed memory files. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int64_t open_path(struct request *r) {
  int fd = open(r->string[0], (int)r->number[0] | O_CLOEXEC, (mode_t)r->number[1]);
  return fd < 0 ? -errno : fd;
}

static int64_t close_fd(struct request *r) {
  return close((int)r->number[0]) && errno != EINTR ? -errno : 0;
}

/* Never waits: -EWOULDBLOCK when another holds it. */
static int64_t lock_file(struct request *r) {
  return flock((int)r->number[0], LOCK_EX | LOCK_NB) ? -errno : 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t length) {
  while (length) {
    ssize_t count = write(fd, bytes, length);
    if (count < 0 && errno != EINTR) return -1;
    if (count > 0) {
      bytes += count;
      length -= (size_t)count;
    }
  }
  return 0;
}

/* A kernel before 6.3 does not know the flag that says whether the file may be run. */
static int new_memfd(const char *name, int executable) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
  return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

/*
 * memfd(name, bytes, executable): sealed against any change, and opened anew for reading: execve(2) refuses a file that is
 * open for writing.
 */
static int64_t sealed_memfd(struct request *r) {
  int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  char path[32];
  int64_t result = -1;
  int fd = new_memfd(r->string[0], r->number[0] != 0);
  if (fd < 0) return -errno;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (!write_all(fd, r->bytes[0], r->length[0]) && !fcntl(fd, F_ADD_SEALS, seals))
    result = open(path, O_RDONLY | O_CLOEXEC);
  if (result < 0)
    result = -errno;
  close(fd);
  return result;
}

const struct call file_calls[] = {
  {"open", "sii", open_path, ANYWHERE},
  {"close", "i", close_fd, ANYWHERE},
  {"flock", "i", lock_file, ANYWHERE},
  {"memfd", "sbi", sealed_memfd, ANYWHERE},
  {NULL, NULL, NULL, ANYWHERE},
};
