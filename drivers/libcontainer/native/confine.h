/* Makes a process that handles foreign trees as harmless as it can be and still do its task. */
#ifndef GANTRY_CONFINE_H
#define GANTRY_CONFINE_H

#include <stdbool.h>

/* For a process that reads what others wrote (an archive): a network and mount namespace of its own, too.
 * 0 or -errno; going on after a failure is not meant. */
int confine(bool with_namespaces);

#endif
