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
#include "db/store.h"

enum {
    MACHINE_HASH_BYTES = 33,
    MACHINE_ISOLATION_BYTES = 256,
    MACHINE_OVERHEAD_BYTES = 512,
    MACHINE_HOST_BYTES = 65,
};

struct machine {
    char comparable[MACHINE_HASH_BYTES];
    char full[MACHINE_HASH_BYTES];
    char host[MACHINE_HOST_BYTES];
    int cpus;                                /* this process may use */
    struct text facts;                       /* JSON object, flat */
    char isolation[MACHINE_ISOLATION_BYTES]; /* JSON object: {"cage":"full"|"reduced", "reason":…} */
    char overhead[MACHINE_OVERHEAD_BYTES];   /* JSON object, what measuring costs; "null" when unknown */
};

/* isolation is a JSON object; it takes part in the comparable hash. */
int machine_read(struct machine *machine, const char *isolation, struct err *err);
/* Takes what `ipclab-worker overhead` printed; "null" if it is no object of numbers. In neither hash: it
 * differs a little from start to start. */
void machine_set_overhead(struct machine *machine, const char *output);
/* Inserts it into the archive or finds it there; the row's id. */
int machine_archive(const struct machine *machine, struct store *store, int64_t *id, struct err *err);
/* Load average over a minute, NAN when unknown. */
double machine_load(void);
void machine_fini(struct machine *machine);
/* The answer of GET machine, with the load of this moment. */
void machine_write(struct json_writer *writer, const struct machine *machine);

#endif
