#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SCRATCH_BYTES = 65536 };

/* Follows what the socket took, so that it is known where a frame ends. */
static void follow(struct outbox *outbox, const uint8_t *data, size_t length) {
  struct frame_reader *sent = &outbox->sent;
  while (length > 0) {
    const size_t missing = sent->have < FRAME_HEADER_BYTES ? (size_t)(FRAME_HEADER_BYTES - sent->have) : sent->left;
    const size_t size = length < missing ? length : missing;
    if (sent->have < FRAME_HEADER_BYTES) {
      memcpy(sent->header + sent->have, data, size);
      sent->have += (uint8_t)size;
      if (sent->have == FRAME_HEADER_BYTES) sent->left = read_u32_be(sent->header + 4);
    } else {
      sent->left -= (uint32_t)size;
    }
    if (sent->have == FRAME_HEADER_BYTES && sent->left == 0) sent->have = 0;
    data += size;
    length -= size;
  }
}

/* ——— the spool */

static int make_spool(int folder) {
  const int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  char name[32];
  snprintf(name, sizeof name, ".spool-%d", getpid());
  const int plain = openat(folder, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (plain >= 0) unlinkat(folder, name, 0);
  return plain;
}

/* Takes `done` bytes off the front of two pieces. */
static void skip(struct iovec pieces[2], size_t done) {
  for (int i = 0; i < 2; i++) {
    const size_t size = done < pieces[i].iov_len ? done : pieces[i].iov_len;
    pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + size;
    pieces[i].iov_len -= size;
    done -= size;
  }
}

/* Two pieces behind one another, shortened to what fits before the ring's end. */
static void shorten(struct iovec pieces[2], uint64_t most) {
  if (pieces[0].iov_len > most) pieces[0].iov_len = (size_t)most;
  if (pieces[1].iov_len > most - pieces[0].iov_len) pieces[1].iov_len = (size_t)(most - pieces[0].iov_len);
}

static bool write_spool(const struct outbox *outbox, struct iovec pieces[2]) {
  for (uint64_t at = outbox->tail; pieces[0].iov_len + pieces[1].iov_len > 0;) {
    const uint64_t offset = at % outbox->most;
    struct iovec now[2] = {pieces[0], pieces[1]};
    shorten(now, outbox->most - offset);
    const ssize_t done = pwritev(outbox->spool, now, 2, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += (uint64_t)done;
    skip(pieces, (size_t)done);
  }
  return true;
}

static bool read_spool(const struct outbox *outbox, uint8_t *data, size_t length) {
  for (uint64_t at = outbox->head; length > 0;) {
    const uint64_t offset = at % outbox->most;
    const size_t size = length < outbox->most - offset ? length : (size_t)(outbox->most - offset);
    const ssize_t done = pread(outbox->spool, data, size, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += (uint64_t)done;
    data += done;
    length -= (size_t)done;
  }
  return true;
}

static void append(struct outbox *outbox, int folder, struct iovec pieces[2], int64_t now_ms) {
  const size_t length = pieces[0].iov_len + pieces[1].iov_len;
  if (length == 0 || outbox->is_broken) return;
  if (outbox_is_empty(outbox)) outbox->progress_ms = now_ms;
  if (outbox->spool < 0) outbox->spool = make_spool(folder);
  const bool fits = outbox_size(outbox) + length <= outbox->most;
  if (outbox->spool < 0 || !fits || !write_spool(outbox, pieces)) outbox->is_broken = true;
  else outbox->tail += length;
}

static void drop_spool(struct outbox *outbox) {
  if (outbox->spool >= 0) close(outbox->spool);
  outbox->spool = -1;
  outbox->head = outbox->tail = 0;
}

/* ——— sending */

static size_t send_pieces(struct outbox *outbox, struct iovec *pieces, size_t count) {
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
  const ssize_t sent = sendmsg(outbox->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return (size_t)sent;
  if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) outbox->is_broken = true;
  return 0;
}

void outbox_send(struct outbox *outbox, int folder, uint8_t type, const void *data, size_t length, int64_t now_ms) {
  uint8_t header[FRAME_HEADER_BYTES];
  if (outbox->is_cut || outbox->is_broken) return;
  frame_header(header, type, (uint32_t)length);
  struct iovec pieces[2] = {{header, sizeof header}, {(void *)(uintptr_t)data, length}};
  if (outbox_is_empty(outbox)) {
    const size_t sent = send_pieces(outbox, pieces, 2);
    const size_t of_header = sent < sizeof header ? sent : sizeof header;
    follow(outbox, header, of_header);
    follow(outbox, data, sent - of_header);
    skip(pieces, sent);
  }
  append(outbox, folder, pieces, now_ms);
}

void outbox_flush(struct outbox *outbox, uint8_t *scratch, int64_t now_ms) {
  while (!outbox_is_empty(outbox) && !outbox->is_broken) {
    const size_t size = outbox_size(outbox) < SCRATCH_BYTES ? (size_t)outbox_size(outbox) : SCRATCH_BYTES;
    if (!read_spool(outbox, scratch, size)) outbox->is_broken = true;
    struct iovec piece = {scratch, size};
    const size_t sent = outbox->is_broken ? 0 : send_pieces(outbox, &piece, 1);
    if (sent == 0) return;
    follow(outbox, scratch, sent);
    outbox->head += sent;
    outbox->progress_ms = now_ms;
    if (sent < size) return;
  }
  if (!outbox->is_broken) drop_spool(outbox);
}

void outbox_cut(struct outbox *outbox, int folder, const char *words, int64_t now_ms) {
  struct frame_reader *sent = &outbox->sent;
  uint64_t rest = 0;
  if (sent->have == FRAME_HEADER_BYTES) rest = sent->left;
  if (sent->have > 0 && sent->have < FRAME_HEADER_BYTES) {
    uint8_t header[FRAME_HEADER_BYTES];
    const size_t missing = FRAME_HEADER_BYTES - sent->have;
    memcpy(header, sent->header, sent->have);
    if (!read_spool(outbox, header + sent->have, missing)) outbox->is_broken = true;
    rest = missing + read_u32_be(header + 4);
  }
  outbox->tail = outbox->head + rest;
  outbox_send(outbox, folder, FRAME_SYSTEM_ERROR, words, strlen(words), now_ms);
  outbox->progress_ms = now_ms;
  outbox->is_cut = true;
}

void outbox_close(struct outbox *outbox) {
  /* A unix socket closed with something unread in it gives the peer ECONNRESET. */
  shutdown(outbox->socket, SHUT_RD);
  uint8_t unread[4096];
  while (recv(outbox->socket, unread, sizeof unread, MSG_DONTWAIT) > 0) continue;
  close(outbox->socket);
  drop_spool(outbox);
}
