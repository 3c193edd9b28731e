/* spec: the trial spec as leader and exec'd worker get it, on a descriptor that is read to its end, and the
 * check that this program can take the trial. */
#ifndef IPCLAB_WORKERS_SPEC_H
#define IPCLAB_WORKERS_SPEC_H

#include "common/err.h"
#include "common/trial_spec.h"
#include "workers/mechanisms/mechanism.h"

/* Reads and decodes; *document keeps the text, to be passed on. */
int spec_read(int fd, struct text *document, struct trial_spec *spec, struct err *err);

/* The mechanism of the case, if it can do what the case asks: else NULL and *err says what does not fit. */
const struct mechanism *spec_mechanism(const struct trial_spec *spec, struct err *err);

#endif
