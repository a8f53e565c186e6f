/* What goes to one peer: straight into its socket while it takes it, else into a spool, an unlinked file used as a ring. */
#ifndef GANTRY_OUTBOX_H
#define GANTRY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"

enum { SPOOL_SPARE = 1 << 20, SPOOL_LEAST = 2 * SPOOL_SPARE };

struct outbox {
  int socket;
  uint64_t most; /* bytes that the spool may hold, SPOOL_LEAST or more */
  int spool;     /* -1 while empty */
  uint64_t head; /* bytes ever taken out of the spool, and put in */
  uint64_t tail;
  struct frame_reader sent; /* where in a frame the socket is */
  int64_t progress_ms;      /* when the peer last took something; set when the spool is begun */
  bool is_cut;              /* was cut off: takes no more */
  bool is_broken;           /* the socket or the spool failed */
};

/* `folder` is where the spool is made; `scratch` is at least 64 KiB, for outbox_flush. */
void outbox_send(struct outbox *outbox, int folder, uint8_t type, const void *data, size_t length, int64_t now_ms);
void outbox_flush(struct outbox *outbox, uint8_t *scratch, int64_t now_ms);

static inline bool outbox_is_empty(const struct outbox *outbox) { return outbox->head == outbox->tail; }
static inline uint64_t outbox_size(const struct outbox *outbox) { return outbox->tail - outbox->head; }
/* What is spare is for one more read of each stream. */
static inline bool outbox_is_full(const struct outbox *outbox) { return outbox_size(outbox) > outbox->most - SPOOL_SPARE; }
/* A process that was held back for this outbox may go on. */
static inline bool outbox_has_room(const struct outbox *outbox) { return outbox_size(outbox) < outbox->most / 2; }

/* Throws away what waits, up to the end of the frame that has begun, and says why. */
void outbox_cut(struct outbox *outbox, int folder, const char *words, int64_t now_ms);
void outbox_close(struct outbox *outbox);

#endif
