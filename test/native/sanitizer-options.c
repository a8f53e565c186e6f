/* For builds with sanitizers: the program runs without an environment, and as one that nobody may ptrace, which is what
 * the search for leaks would do. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
