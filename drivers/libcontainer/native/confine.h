/* Makes a process that handles foreign trees as harmless as it can be and still do its task: taken over, it could change
 * what is in the tree it was given, and nothing else. */
#ifndef GANTRY_CONFINE_H
#define GANTRY_CONFINE_H

#include <stdbool.h>

struct confinement {
  int *writable; /* the tree to work on, open; replaced by a descriptor from which no way leads up or to a device */
  int *readable; /* another one, to read from only, or NULL */
  /* A network namespace of its own costs something when it goes: for what reads bytes that strangers wrote. */
  bool without_network;
};

/* 0 or -errno; going on after a failure is not meant. */
int confine(const struct confinement *confinement);

/* Leaves just the system calls that reading and writing files takes; others fail with EPERM. (filter.c) */
int filter_calls(void);

#endif
