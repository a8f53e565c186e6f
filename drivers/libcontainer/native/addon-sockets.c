/* Calls about sockets: pairs, descriptors passed along, who is at the other end, other network namespaces, netlink. */
#include "addon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_PASSED_FDS 64
#define NETLINK_BUFFER (64 * 1024)
#define NETLINK_ANSWER_LIMIT (64 * 1024 * 1024)
#define NETLINK_TIMEOUT_S 20

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* socketPair() → i32, i32 */
static int64_t socket_pair(struct request *r) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -errno;
  return answer_bytes(r, pair, sizeof pair);
}

/* peerCredentials(fd) → i32 pid, u32 uid, u32 gid */
static int64_t peer_credentials(struct request *r) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt((int)r->number[0], SOL_SOCKET, SO_PEERCRED, &peer, &length)) return -errno;
  return answer_bytes(r, &peer, sizeof peer);
}

/* sendFds(fd, bytes, descriptors as i32): at least one byte goes along */
static int64_t send_fds(struct request *r) {
  union {
    char room[CMSG_SPACE(MAX_PASSED_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec data = {(void *)(uintptr_t)r->bytes[0], r->length[0]};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  size_t length = r->length[1];
  if (!r->length[0] || length > MAX_PASSED_FDS * sizeof(int) || length % sizeof(int)) return -EINVAL;
  if (length) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.room;
    message.msg_controllen = CMSG_SPACE(length);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(header), r->bytes[1], length);
  }
  ssize_t sent = sendmsg((int)r->number[0], &message, MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

static int64_t answer_received(struct request *r, struct msghdr *message, const uint8_t *data, size_t length) {
  int32_t fds[1 + MAX_PASSED_FDS] = {0};
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    size_t bytes = header->cmsg_len - CMSG_LEN(0);
    fds[0] = (int32_t)(bytes / sizeof(int));
    memcpy(fds + 1, CMSG_DATA(header), bytes);
  }
  size_t head = sizeof(int32_t) * (size_t)(1 + fds[0]);
  r->answer = malloc(head + length);
  if (!r->answer) return -ENOMEM;
  memcpy(r->answer, fds, head);
  memcpy(r->answer + head, data, length);
  r->answer_length = head + length;
  return 0;
}

/* receiveFds(fd, most bytes) → u32 count, the descriptors as i32, the bytes */
static int64_t receive_fds(struct request *r) {
  union {
    char room[CMSG_SPACE(MAX_PASSED_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  size_t room = (size_t)r->number[1];
  uint8_t *bytes = room && room <= 1 << 20 ? malloc(room) : NULL;
  if (!bytes) return -EINVAL;
  struct iovec data = {bytes, room};
  struct msghdr message = {
    .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t length = recvmsg((int)r->number[0], &message, MSG_CMSG_CLOEXEC);
  int64_t result = length < 0 ? -errno : answer_received(r, &message, bytes, (size_t)length);
  free(bytes);
  return result;
}

/*
 * listenUnix(path, mode, backlog): the socket has that mode from its first instant, whatever the umask leaves of it;
 * bind(2) takes it from the socket's own inode.
 */
static int64_t listen_unix(struct request *r) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(r->string[0]) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, r->string[0]);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (!fchmod(fd, (mode_t)r->number[0]) && !bind(fd, (struct sockaddr *)&address, sizeof address) &&
      !listen(fd, (int)r->number[1]))
    return fd;
  int error = errno;
  close(fd);
  return -error;
}

/* sendDatagram(path, bytes): to the unix socket there; `@` in front means an abstract name */
static int64_t send_datagram(struct request *r) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(r->string[0]);
  if (!length || length >= sizeof to.sun_path) return -ENAMETOOLONG;
  memcpy(to.sun_path, r->string[0], length);
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent = sendto(fd, r->bytes[0], r->length[0], MSG_NOSIGNAL, (struct sockaddr *)&to, size);
  int64_t result = sent < 0 ? -errno : sent;
  close(fd);
  return result;
}

static int64_t make_socket(int domain, int type, int protocol) {
  int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  return fd < 0 ? -errno : fd;
}

static int64_t socket_in_namespace(struct request *r) {
  if (setns((int)r->number[0], CLONE_NEWNET)) return -errno;
  return make_socket((int)r->number[1], (int)r->number[2], (int)r->number[3]);
}

/* socketIn(fd of a network namespace, domain, type, protocol): on a thread that ends in that namespace */
static int64_t socket_in(struct request *r) {
  return on_own_thread(socket_in_namespace, r);
}

/* netlinkOpen(protocol, fd of a network namespace or -1) */
static int64_t open_netlink_here(struct request *r) {
  struct timeval limit = {.tv_sec = NETLINK_TIMEOUT_S};
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  int on = 1, buffer = 1 << 20;
  if (r->number[1] >= 0 && setns((int)r->number[1], CLONE_NEWNET)) return -errno;
  int64_t fd = make_socket(AF_NETLINK, SOCK_RAW, (int)r->number[0]);
  if (fd < 0) return fd;
  setsockopt((int)fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt((int)fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt((int)fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (!bind((int)fd, (struct sockaddr *)&address, sizeof address)) return fd;
  int error = errno;
  close((int)fd);
  return -error;
}

static int64_t open_netlink(struct request *r) {
  return r->number[1] < 0 ? open_netlink_here(r) : on_own_thread(open_netlink_here, r);
}

/* How many messages of a batch are answered: by an ack each, a dump by its end. */
static int expected_answers(const uint8_t *bytes, size_t length) {
  int count = 0;
  while (length >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header;
    memcpy(&header, bytes, sizeof header);
    size_t step = NLMSG_ALIGN((size_t)header.nlmsg_len);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > length) return -1;
    count += (header.nlmsg_flags & NLM_F_ACK) || (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (step >= length) return count;
    bytes += step;
    length -= step;
  }
  return length ? -1 : count;
}

static int finished_answers(const uint8_t *bytes, size_t length) {
  int count = 0;
  for (size_t at = 0; at + sizeof(struct nlmsghdr) <= length;) {
    struct nlmsghdr header;
    memcpy(&header, bytes + at, sizeof header);
    count += header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE;
    if (header.nlmsg_len < sizeof header) break;
    at += NLMSG_ALIGN((size_t)header.nlmsg_len);
  }
  return count;
}

/* netlinkTalk(fd, messages) → every message of the answer, up to the last ack or end of dump */
static int64_t netlink_talk(struct request *r) {
  int waiting = expected_answers(r->bytes[0], r->length[0]);
  size_t length = 0, room = 0;
  if (waiting < 0) return -EINVAL;
  if (send((int)r->number[0], r->bytes[0], r->length[0], 0) < 0) return -errno;
  r->answer = malloc(1);
  while (waiting > 0) {
    if (room - length < NETLINK_BUFFER) {
      room = room * 2 + NETLINK_BUFFER;
      uint8_t *larger = room > NETLINK_ANSWER_LIMIT ? NULL : realloc(r->answer, room);
      if (!larger) return -ENOBUFS;
      r->answer = larger;
    }
    ssize_t count = recv((int)r->number[0], r->answer + length, room - length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    waiting -= finished_answers(r->answer + length, (size_t)count);
    length += (size_t)count;
  }
  r->answer_length = length;
  return r->answer ? 0 : -ENOMEM;
}

const struct call socket_calls[] = {
  {"socketPair", "", socket_pair, ANYWHERE},
  {"peerCredentials", "i", peer_credentials, ANYWHERE},
  {"sendFds", "ibb", send_fds, ANYWHERE},
  {"receiveFds", "ii", receive_fds, ANYWHERE},
  {"listenUnix", "sii", listen_unix, ANYWHERE},
  {"sendDatagram", "sb", send_datagram, ANYWHERE},
  {"socketIn", "iiii", socket_in, ANYWHERE},
  {"netlinkOpen", "ii", open_netlink, ANYWHERE},
  {"netlinkTalk", "ib", netlink_talk, ANYWHERE},
  {NULL, NULL, NULL, ANYWHERE},
};
