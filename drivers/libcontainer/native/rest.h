/* A long wait in as little memory as can be. */
#ifndef GANTRY_REST_H
#define GANTRY_REST_H

#include <sys/epoll.h>

/* epoll_wait(2) without end. Our code is a clean mapping of a file, so before the wait all of it is dropped; what is touched
 * again comes from the page cache. Between the drop and the wait nothing but this function runs. The kernel maps the 64 KiB
 * around a fault, so it begins such a stretch, and is linked as the last: nothing else of the code is in that. */
int rest(int epoll, struct epoll_event *events, int most);

#endif
