/* catalogue: what mechanisms there are, their traits, and whether this machine offers them.
 *
 * The workers' table is the only source: `ipclab-worker describe` writes it with catalogue_write, the server
 * reads it with catalogue_read, so that the page's matrix, the validation and the conformance suite see the
 * same facts. */
#ifndef IPCLAB_COMMON_CATALOGUE_H
#define IPCLAB_COMMON_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/case.h"
#include "common/err.h"
#include "common/json.h"

/* The course's four criteria, and two of our own, as bits of a mechanism's traits. */
enum mechanism_traits {
    TRAIT_RELATED_ONLY = 1u << 0,   /* only relatives can join; otherwise any process of the host */
    TRAIT_NETWORK = 1u << 1,        /* any host can join */
    TRAIT_DUPLEX = 1u << 2,         /* one channel carries both directions */
    TRAIT_BOUNDARIES = 1u << 3,     /* keeps message boundaries */
    TRAIT_SYNCHRONISES = 1u << 4,   /* the receiver waits for data in the kernel by itself */
    TRAIT_MANY_SENDERS = 1u << 5,   /* on one channel */
    TRAIT_MANY_RECEIVERS = 1u << 6, /* on one channel */
    TRAIT_PERSISTS = 1u << 7,       /* data outlives every process that has it open */
    TRAIT_MAY_LOSE = 1u << 8,       /* drops messages when the receiver is slow; known to the workers alone */
};

enum { CATALOGUE_MAX = 40, TITLE_BYTES = 48, FAMILY_BYTES = 24, REASON_BYTES = 256 };

struct mechanism_facts {
    char name[MECHANISM_NAME_BYTES];
    char title[TITLE_BYTES];
    char family[FAMILY_BYTES]; /* memory, byte_stream, socket, message_queue, signal, technique, control */
    uint32_t traits;
    uint32_t waits; /* the ways it can wait, a bit 1u << WAIT_… each */
    int64_t message_bytes_max;
    bool available;
    char unavailable_reason[REASON_BYTES]; /* "" when available */
};

struct catalogue {
    size_t count;
    struct mechanism_facts mechanisms[CATALOGUE_MAX];
};

/* {"mechanisms":[…]} as in the API. */
void catalogue_write(struct json_writer *writer, const struct catalogue *catalogue);
int catalogue_read(const struct json_node *document, struct catalogue *catalogue, struct err *err);
const struct mechanism_facts *catalogue_find(const struct catalogue *catalogue, const char *name);

#endif
