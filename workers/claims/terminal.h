/* terminal: a pseudoterminal for an experiment: pty(7). */
#ifndef IPCLAB_WORKERS_CLAIMS_TERMINAL_H
#define IPCLAB_WORKERS_CLAIMS_TERMINAL_H

/* [0] is where a person sits, [1] what programs read and write. Both close-on-exec. 0, or -errno and errno.
 */
int terminal_open(int fds[2]);

#endif
