/* Puts one entry of an archive into the target. */
#ifndef GANTRY_PLACE_H
#define GANTRY_PLACE_H

#include "tar.h"
#include "target.h"

/* 0, or -errno; or -1 with `*why` set to what is wrong with the entry in words. */
int place_entry(struct target *target, struct tar *tar, struct tar_entry *entry, const char **why);

#endif
