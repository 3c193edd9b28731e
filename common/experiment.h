/* experiment: what a user asks for, valid by construction.
 *
 * A JSON document goes in at the edge (POST /runs, or the archive), a struct experiment comes out, or every
 * fault at once with its field, its bound and what to do. Inside, the struct is trusted. Also the presets,
 * which are experiments.
 *
 * Owns: nothing on the heap. Pure: the same document, catalogue and CPU count give the same experiment. */
#ifndef IPCLAB_COMMON_EXPERIMENT_H
#define IPCLAB_COMMON_EXPERIMENT_H

#include "common/case.h"
#include "common/catalogue.h"
#include "common/faults.h"
#include "common/json.h"

enum {
    EXPERIMENT_NAME_BYTES_MAX = 120,
    EXPERIMENT_NOTE_BYTES_MAX = 8000,
    EXPERIMENT_TAGS_MAX = 16,
    EXPERIMENT_TAG_BYTES_MAX = 40,
    EXPERIMENT_SIZES_MAX = 32,
    EXPERIMENT_RATES_MAX = 32,
    EXPERIMENT_PACED_MESSAGES_MIN = 10, /* of a trial */
    EXPERIMENT_TRIALS_MAX = 1000,
    EXPERIMENT_DURATION_MS_MIN = 10,
    EXPERIMENT_DURATION_MS_MAX = 60000,
    EXPERIMENT_WARMUP_MS_MAX = 10000,
    EXPERIMENT_CASES_MAX = 2000,
    EXPERIMENT_SLOTS_MAX = 20000, /* cases × trials */
    EXPERIMENT_HASH_BYTES = 33,
};
#define EXPERIMENT_BUFFER_BYTES_MAX (INT64_C(64) << 20)

struct experiment {
    char preset[16]; /* "" = none */
    char name[EXPERIMENT_NAME_BYTES_MAX + 1];
    char note[EXPERIMENT_NOTE_BYTES_MAX + 1];
    size_t tag_count;
    char tags[EXPERIMENT_TAGS_MAX][EXPERIMENT_TAG_BYTES_MAX + 1];

    size_t mechanism_count;
    char mechanisms[CATALOGUE_MAX][MECHANISM_NAME_BYTES];
    int64_t bytes_max[CATALOGUE_MAX]; /* by mechanism: larger messages of a preset are left out */
    size_t pattern_count;
    enum pattern patterns[PATTERN_COUNT];
    size_t size_count[PATTERN_COUNT];
    int64_t message_bytes[PATTERN_COUNT][EXPERIMENT_SIZES_MAX];
    int trials, duration_ms, warmup_ms;
    int senders, receivers;
    enum relation relation;
    enum wait wait_memory, wait_kernel;
    enum placement placement;
    enum verify verify;
    int64_t buffer_bytes; /* 0 = each mechanism's own choice */
    size_t rate_count;    /* 0 without the pattern paced */
    double rates_hz[EXPERIMENT_RATES_MAX];
    int64_t seed;
};

/* A mechanism that a preset would have taken, but that this machine does not offer or that cannot do what was
 * asked for beside the preset; or some sizes of it, and then the reason says which. */
struct experiment_skip {
    char mechanism[MECHANISM_NAME_BYTES];
    char reason[REASON_BYTES];
};

/* What validity depends on, beside the document. */
struct experiment_context {
    const struct catalogue *catalogue;
    int cpus;            /* usable by the workers */
    int64_t random_seed; /* taken when the document names none */
};

struct experiment_request {
    struct experiment experiment;
    size_t skip_count;
    struct experiment_skip skips[2 * CATALOGUE_MAX];
};

/* Reads and checks the document. It is valid if faults->count is 0 afterwards. */
void experiment_read(const struct json_node *document, const struct experiment_context *context,
                     struct experiment_request *request, struct faults *faults);
/* The canonical form: every field, in one order. experiment_read of it gives the same experiment. */
void experiment_write(struct json_writer *writer, const char *name, const struct experiment *experiment);
/* Identity of what is measured: name, note, tags and seed are left out. Hexadecimal. */
void experiment_hash(const struct experiment *experiment, char hash[EXPERIMENT_HASH_BYTES]);
/* How long it will take, all starts and probes included. */
int64_t experiment_estimated_ms(const struct experiment *experiment);

size_t experiment_case_count(const struct experiment *experiment);
/* The cases in plan order, as many as fit; the count of all. */
size_t experiment_cases(const struct experiment *experiment, const struct catalogue *catalogue,
                        struct ipc_case *cases, size_t cases_max);

struct preset {
    const char *name, *title, *document; /* the document is an experiment's JSON */
};
enum { PRESET_COUNT = 3 };
extern const struct preset presets[PRESET_COUNT];

/* Tags as the API knows them: an array of short unique strings. Also for PATCH. */
void experiment_read_tags(const struct json_node *document, size_t *tag_count,
                          char tags[EXPERIMENT_TAGS_MAX][EXPERIMENT_TAG_BYTES_MAX + 1],
                          struct faults *faults);

#endif
