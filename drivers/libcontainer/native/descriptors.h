/* Nothing is inherited by accident. */
#ifndef GANTRY_DESCRIPTORS_H
#define GANTRY_DESCRIPTORS_H

#include <stddef.h>

/* Closes every descriptor above 2 but the `kept`, which are put in order; those of them below 3 do not count. */
void close_all_but(int *kept, size_t count);

#endif
