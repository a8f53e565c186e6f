/* The operation `netlink`: messages out, an acknowledgement for each that asks for one in. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "perform.h"

enum { NETLINK_HEADER = 16, MESSAGE_ERROR = 2, FLAG_ACK = 4, FLAG_ACK_TLVS = 0x200, FLAG_CAPPED = 0x100 };
enum { ATTRIBUTE_MESSAGE = 1, SOL_NETLINK_ = 270, OPTION_CAP_ACK = 10, OPTION_EXT_ACK = 11, ANSWER_BYTES = 16384 };

struct message {
  uint32_t length;
  uint16_t type;
  uint16_t flags;
  uint32_t sequence;
  uint32_t port;
};

static size_t aligned(size_t length) { return (length + 3) & ~(size_t)3; }

/* Messages that ask to be acknowledged, or -1 where they do not fill the buffer properly. */
static int count_acks(const struct bytes *messages) {
  int acks = 0;
  for (size_t at = 0; at < messages->length;) {
    struct message message;
    if (messages->length - at < sizeof message) return -1;
    memcpy(&message, messages->data + at, sizeof message);
    if (message.length < sizeof message || message.length > messages->length - at) return -1;
    if (message.flags & FLAG_ACK) acks++;
    at += aligned(message.length);
  }
  return acks;
}

/* The kernel's own words stand in an attribute behind the error: { i32 error, header of ours (capped), attributes }. */
static void explain(struct interpreter *interpreter, const uint8_t *payload, size_t length, uint16_t flags) {
  if (!(flags & FLAG_ACK_TLVS)) return;
  for (size_t at = 4 + NETLINK_HEADER; at + 4 <= length;) {
    uint16_t size, type;
    memcpy(&size, payload + at, 2);
    memcpy(&type, payload + at + 2, 2);
    if (size < 4 || size > length - at) return;
    if (type == ATTRIBUTE_MESSAGE) set_detail(interpreter, "%.*s", size - 4, (const char *)payload + at + 4);
    at += aligned(size);
  }
}

/* Takes the answers of one datagram. The number of acknowledgements in it, or -errno. */
static int take_answers(struct interpreter *interpreter, const uint8_t *data, size_t length) {
  int acks = 0;
  for (size_t at = 0; at + sizeof(struct message) <= length;) {
    struct message message;
    memcpy(&message, data + at, sizeof message);
    if (message.length < sizeof message || message.length > length - at) return -EBADMSG;
    if (message.type == MESSAGE_ERROR && message.length >= sizeof message + 4) {
      int32_t error;
      memcpy(&error, data + at + sizeof message, 4);
      if (error != 0) explain(interpreter, data + at + sizeof message, message.length - sizeof message, message.flags);
      if (error != 0) return error;
      acks++;
    }
    at += aligned(message.length);
  }
  return acks;
}

static int await_acks(struct interpreter *interpreter, int fd, int expected) {
  uint8_t answers[ANSWER_BYTES];
  while (expected > 0) {
    const ssize_t length = recv(fd, answers, sizeof answers, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    const int acks = take_answers(interpreter, answers, (size_t)length);
    if (acks < 0) return acks;
    expected -= acks;
  }
  return 0;
}

int perform_netlink(struct interpreter *interpreter, const struct op_netlink *op) {
  const int on = 1, expected = count_acks(&op->messages);
  const struct timeval patience = {.tv_sec = 30};
  const struct sockaddr kernel = {.sa_family = AF_NETLINK};
  if (expected < 0) return -EBADMSG;
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)op->protocol);
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_NETLINK_, OPTION_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK_, OPTION_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int error = result_of(sendto(fd, op->messages.data, op->messages.length, 0, &kernel, 12));
  if (error > 0) error = await_acks(interpreter, fd, expected);
  close(fd);
  return error;
}
