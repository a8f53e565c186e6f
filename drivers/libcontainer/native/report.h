/* What a sub-command says at its end: one line of JSON on stdout. */
#ifndef GANTRY_REPORT_H
#define GANTRY_REPORT_H

#include <stdint.h>

void report_success(uint64_t entries, uint64_t bytes);
/* What is wrong, in words, or "" where `error`, an errno, says it. `entry` may be any bytes, or "". */
void report_failure(const char *why, int error, const char *entry);

#endif
