/* lab_catalogue: which labs and claims the worker program offers, as it printed them at the server's start,
 * and what may be asked of them.
 *
 * Labs and claims stay the JSON they came as, because most of it is passed on; what the server relies on was
 * checked when they were read. Read-only afterwards. */
#ifndef IPCLAB_SERVER_LAB_CATALOGUE_H
#define IPCLAB_SERVER_LAB_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/faults.h"
#include "common/json.h"
#include "common/words.h"

struct lab_catalogue {
    struct json_node *labs;   /* {"labs":[…]} */
    struct json_node *claims; /* {"claims":[…]} */
};

/* Takes both documents. -EPROTO: they are not what a worker prints. */
int lab_catalogue_init(struct lab_catalogue *catalogue, struct json_node *labs, struct json_node *claims,
                       struct err *err);
void lab_catalogue_fini(struct lab_catalogue *catalogue);

/* For walking with json_next. */
const struct json_node *lab_catalogue_first_lab(const struct lab_catalogue *catalogue);
const struct json_node *lab_catalogue_first_claim(const struct lab_catalogue *catalogue);
/* NULL: there is none. */
const struct json_node *lab_catalogue_find_lab(const struct lab_catalogue *catalogue, const char *name);
const struct json_node *lab_catalogue_find_claim(const struct lab_catalogue *catalogue, int64_t number);
size_t lab_catalogue_claim_count(const struct lab_catalogue *catalogue);

const char *lab_name(const struct json_node *lab);
int64_t lab_duration_ms_max(const struct json_node *lab);
/* Does either say that it is about the other? */
bool lab_shows_claim(const struct json_node *lab, const struct json_node *claim);
int64_t claim_number(const struct json_node *claim);
/* Is it about speed, so that nothing else may go on beside its check? */
bool claim_is_timed(const struct json_node *claim);

/* Completes the parameters that were given (NULL = none) with the defaults, as a JSON object, and adds a
 * fault for each that is unknown or out of bounds. */
void lab_read_parameters(const struct json_node *lab, const struct json_node *given, struct text *parameters,
                         struct faults *faults);
/* Adds a fault if the prediction, an object, has no answer that can be predicted. */
void lab_check_answer(const struct json_node *lab, const struct json_node *prediction, struct faults *faults);
/* 1 or 0: did the outcome agree with the answer? Integers may be off by the lab's tolerance. -1: one of them
 * is missing or null. */
int lab_judge_answer(const struct json_node *lab, const struct json_node *answer,
                     const struct json_node *outcome);

#endif
