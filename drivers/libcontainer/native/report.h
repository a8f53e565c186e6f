/* What a sub-command says at its end: one line of JSON on stdout. */
#ifndef GANTRY_REPORT_H
#define GANTRY_REPORT_H

#include <stdint.h>

void report_success(uint64_t entries, uint64_t bytes);
/* `entry` may be any bytes, or "". */
void report_failure(const char *error, const char *entry);

/* errno in words, as Go's programs put them: in lower case. */
const char *error_text(int error);

#endif
