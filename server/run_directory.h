/* run_directory: the server's private place for what lives only as long as it does: the metrics socket and
 * the directories of crews.
 *
 * Its name follows from the data directory, so that the next server on the same archive finds what a killed
 * one left; and as that archive is locked, whatever is found there belongs to nobody else. It is short,
 * because a socket's path has 108 bytes. Mode 0700, ours, no symbolic link: else it is refused. */
#ifndef IPCLAB_SERVER_RUN_DIRECTORY_H
#define IPCLAB_SERVER_RUN_DIRECTORY_H

#include "common/err.h"
#include "server/worker_program.h"

enum { RUN_DIRECTORY_BYTES = 64 };

/* Creates or finds it and sweeps what an earlier life left in it: names of System V objects, files, sockets.
 */
int run_directory_open(const char *data_directory, const struct worker_program *program,
                       char path[RUN_DIRECTORY_BYTES], struct err *err);
/* At the end; what is not empty stays for the next life to sweep. */
void run_directory_close(const char *path);

/* Removes one crew's directory and everything its names file lists. Waits for `ipclab-worker sweep`. */
int run_directory_sweep(const struct worker_program *program, const char *crew_directory, struct err *err);

#endif
