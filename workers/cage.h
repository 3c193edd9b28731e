/* cage: the walls around a crew.
 *
 * "full": the leader was cloned into namespaces of its own (common/cage_flags.h) and furnishes them: mounts
 * that propagate nowhere, an empty tmpfs over /dev/shm and over the crew's directory, message queues, /proc
 * and a loopback interface of its own. Whatever the crew leaves behind goes with the namespaces when their
 * last process dies. Then all capabilities are dropped, for good. "none": limits only. */
#ifndef IPCLAB_WORKERS_CAGE_H
#define IPCLAB_WORKERS_CAGE_H

#include <stdint.h>

#include "common/err.h"
#include "common/trial_spec.h"

/* Furnishes the namespaces the caller is in. */
int cage_furnish(const char *directory, struct err *err);
/* Furnishes them with a directory of its own, gives up the capabilities, and leaves no directory: to see from
 * inside a cage what a crew will find there. */
int cage_visit(struct err *err);
/* Gives up every capability; no program executed later gets one. */
int cage_drop_capabilities(struct err *err);
/* All of it, as the spec says. */
int cage_enter(const struct trial_spec *spec, struct err *err);

/* The subcommand cage-probe: builds a whole cage, and prints which namespaces work and why not. */
int cage_probe_main(int argument_count, char **arguments);

#endif
