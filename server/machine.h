/* machine: the fingerprint of the hardware, kernel and settings a run is taken on.
 *
 * Two hashes. `comparable` covers what decides the numbers: CPU model, CPUs, caches, kernel, mitigations,
 * governor, virtualisation, cgroup quota, libc, compiler, isolation. `full` covers every stable fact. What
 * changes by the minute (clock rate, load) is in neither: it belongs to the run.
 *
 * Read once at start from /proc, /sys and uname; a fact that cannot be read is left out, not invented. */
#ifndef IPCLAB_SERVER_MACHINE_H
#define IPCLAB_SERVER_MACHINE_H

#include "common/json.h"
#include "common/text.h"

enum { MACHINE_HASH_BYTES = 33, MACHINE_ISOLATION_BYTES = 256, MACHINE_HOST_BYTES = 65 };

struct machine {
    char comparable[MACHINE_HASH_BYTES];
    char full[MACHINE_HASH_BYTES];
    char host[MACHINE_HOST_BYTES];
    int cpus;                                /* this process may use */
    struct text facts;                       /* JSON object, flat */
    char isolation[MACHINE_ISOLATION_BYTES]; /* JSON object: {"cage":"full"|"reduced", "reason":…} */
};

/* isolation is a JSON object; it takes part in the comparable hash. */
int machine_read(struct machine *machine, const char *isolation, struct err *err);
void machine_fini(struct machine *machine);
/* The answer of GET machine, with the load of this moment. */
void machine_write(struct json_writer *writer, const struct machine *machine);

#endif
