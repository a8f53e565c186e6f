#include "report.h"

#include <inttypes.h>
#include <stdio.h>

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

void report_failure(const char *why, int error, const char *entry) {
  printf("{\"why\":");
  print_string(why);
  printf(",\"errno\":%d,\"entry\":", error);
  print_string(entry);
  printf("}\n");
  fflush(stdout);
}
