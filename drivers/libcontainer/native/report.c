#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *error_text(int error) {
  static char text[128];
  snprintf(text, sizeof text, "%s", strerror(error));
  if (!isupper((unsigned char)text[1])) text[0] = (char)tolower((unsigned char)text[0]);
  return text;
}

static void print_string(const char *text) {
  putchar('"');
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte < 0x20 || byte == 0x7f)
      printf("\\u%04x", byte);
    else if (byte == '"' || byte == '\\')
      printf("\\%c", byte);
    else
      putchar(byte);
  }
  putchar('"');
}

void report_success(uint64_t entries, uint64_t bytes) {
  printf("{\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", entries, bytes);
  fflush(stdout);
}

void report_failure(const char *error, const char *entry) {
  printf("{\"error\":");
  print_string(error);
  printf(",\"entry\":");
  print_string(entry);
  printf("}\n");
  fflush(stdout);
}
