/* A filesystem on its way to be mounted: fsopen(2), fsconfig(2), fsmount(2). All answer 0 or a descriptor, or -errno. */
#ifndef GANTRY_MOUNT_CONTEXT_H
#define GANTRY_MOUNT_CONTEXT_H

#include "perform.h"

int mount_option(int context, const char *key, const char *value);

/* Each `key=value` or `key`. */
int mount_options(int context, const struct strings *options);

/* Makes the superblock and a detached mount of it, unless `error` says that something went wrong before. Closes `context`; the
 * filesystem's own words about a failure become the detail. */
int mount_create(struct interpreter *interpreter, int context, int error, unsigned attributes);

#endif
