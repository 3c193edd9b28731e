/* ticker: a signal ten times a second that ends a blocking system call with EINTR.
 *
 * Some calls sleep for ever if the other side dies: msgrcv(2), a read of an eventfd, recv of a datagram. A
 * timeout given with each call would arm a timer for each message; a timer of the process costs a message
 * nothing and does the same: the call returns EINTR, and the caller looks at the roster before it calls
 * again. A tick between that look and the call is made up for by the next one.
 *
 * It is SIGALRM by setitimer(2), so one for the process, counted: each start needs its stop. Code that runs
 * in a worker between its messages has to expect EINTR. */
#ifndef IPCLAB_WORKERS_TICKER_H
#define IPCLAB_WORKERS_TICKER_H

#include <signal.h>

#include "common/err.h"

/* Ticks so far; a loop of non-blocking calls compares it with what it last saw. */
extern volatile sig_atomic_t ticker_ticks;

int ticker_start(struct err *err);
void ticker_stop(void);

#endif
