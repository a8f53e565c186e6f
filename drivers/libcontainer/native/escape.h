/* JSON strings as Go writes them: `<`, `>`, `&`, U+2028 and U+2029 escaped, what is not UTF-8 as \ufffd. */
#ifndef GANTRY_ESCAPE_H
#define GANTRY_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/* What one byte may become, and how far past its end `out` may be written to. */
enum { ESCAPE_MOST = 6, ESCAPE_SLACK = 16 };

/* Writes what stands between the quotes; answers how long it is, at most `length` * ESCAPE_MOST. `out` has ESCAPE_SLACK
 * bytes beyond that. */
size_t escape_json(uint8_t *out, const uint8_t *text, size_t length);

#endif
