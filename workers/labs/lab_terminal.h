/* lab_terminal: a pseudo terminal for one worker, whose keyboard and screen the leader has. pty(7). */
#ifndef IPCLAB_WORKERS_LABS_LAB_TERMINAL_H
#define IPCLAB_WORKERS_LABS_LAB_TERMINAL_H

#include "workers/labs/lab.h"

enum { LAB_TERMINAL_TEXT_BYTES = 4096, LAB_TERMINAL_STATE_BYTES = 32 };

struct lab_terminal {
    int keyboard, screen; /* the leader's side, and the worker's */
    char text[LAB_TERMINAL_TEXT_BYTES];
    char state[LAB_TERMINAL_STATE_BYTES];
};

/* Leader: 0 or the errno of what refused. */
int lab_terminal_open(struct lab_terminal *terminal);
/* Worker: standard input and output are this terminal from now on. */
void lab_terminal_enter(const struct lab_terminal *terminal);
void lab_terminal_type(struct lab_terminal *terminal, const char *text, bool is_end);
/* Leader: takes what is on the screen, and what the worker (-1: not started) is doing; true if either is
 * new. */
bool lab_terminal_look(struct lab_terminal *terminal, const struct lab *lab, int worker);
void lab_terminal_write(const struct lab_terminal *terminal, struct json_writer *writer, const char *name);

#endif
