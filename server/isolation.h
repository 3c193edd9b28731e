/* isolation: are crews kept in a cage of namespaces on this machine?
 *
 * Decided once at start by furnishing a whole cage for real: where the kernel or a container refuses a part
 * of it, crews run uncaged and every run says so, because a figure taken elsewhere is not the same figure. */
#ifndef IPCLAB_SERVER_ISOLATION_H
#define IPCLAB_SERVER_ISOLATION_H

#include "common/trial_spec.h"
#include "server/worker_program.h"

enum { ISOLATION_JSON_BYTES = 256 };

/* json: {"cage":"full"} or {"cage":"reduced","reason":"…"}. */
enum cage isolation_probe(const struct worker_program *program, char json[ISOLATION_JSON_BYTES]);

#endif
