/* refusal: how a lab or a claim tells what is wrong with its request. */
#ifndef IPCLAB_WORKERS_REFUSAL_H
#define IPCLAB_WORKERS_REFUSAL_H

#include "common/faults.h"

/* Prints a line of JSON, {"type":"refused","errors":[{"pointer":…,"detail":…}]}, and returns the exit status
 * that says so. */
int refusal_print(const struct faults *faults);

#endif
