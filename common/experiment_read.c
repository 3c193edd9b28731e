/* The reading half of experiment.h: from a JSON document, field by field, to a struct or to every fault. */
#include "common/experiment_reading.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

static const struct experiment defaults = {
    .pattern_count = 2,
    .patterns = {PATTERN_ROUND_TRIP, PATTERN_STREAM},
    .size_count = {[PATTERN_ROUND_TRIP] = 1, [PATTERN_STREAM] = 1, [PATTERN_PACED] = 1},
    .message_bytes = {[PATTERN_ROUND_TRIP] = {64}, [PATTERN_STREAM] = {65536}, [PATTERN_PACED] = {64}},
    .trials = 10,
    .duration_ms = 250,
    .warmup_ms = 50,
    .senders = 1,
    .receivers = 1,
    .relation = RELATION_RELATED,
    .wait_memory = WAIT_SPIN_FUTEX,
    .wait_kernel = WAIT_BLOCK,
    .placement = PLACEMENT_TWO_CPUS,
    .verify = VERIFY_HEADER,
};

static const char *const fields[] = {
    "preset",    "name",    "mechanisms", "patterns", "message_bytes", "trials",    "duration_ms",
    "warmup_ms", "senders", "receivers",  "relation", "wait",          "placement", "buffer_bytes",
    "rate_hz",   "verify",  "seed",       "tags",     "note",
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static const struct json_node *array_member(const struct json_node *document, const char *name, size_t max,
                                            struct faults *faults)
{
    const struct json_node *node = json_member(document, name);
    if (node == NULL)
        return NULL;
    size_t count = json_count(node);
    if (json_is(node, JSON_ARRAY) && count >= 1 && count <= max)
        return node;
    char pointer[FAULT_POINTER_BYTES];
    snprintf(pointer, sizeof pointer, "/%s", name);
    faults_add(faults, pointer, "must be an array of 1 to %zu elements", max);
    return NULL;
}

/* ---- mechanisms ---- */

static size_t catalogue_names(const struct catalogue *catalogue, const char **names)
{
    for (size_t i = 0; i < catalogue->count; i++)
        names[i] = catalogue->mechanisms[i].name;
    return catalogue->count;
}

static bool takes_mechanism(const struct experiment *experiment, const char *name)
{
    for (size_t i = 0; i < experiment->mechanism_count; i++)
        if (strcmp(experiment->mechanisms[i], name) == 0)
            return true;
    return false;
}

static void add_mechanism(struct reading *reading, const struct mechanism_facts *facts, const char *pointer)
{
    struct experiment *experiment = reading->experiment;
    if (takes_mechanism(experiment, facts->name)) {
        faults_add(reading->faults, pointer, "\"%s\" stands twice", facts->name);
    } else if (facts->available) {
        text_copy(experiment->mechanisms[experiment->mechanism_count++], MECHANISM_NAME_BYTES, facts->name);
    } else if (reading->names_mechanisms) {
        faults_add(reading->faults, pointer, "%s is not available on this machine: %s", facts->name,
                   facts->unavailable_reason);
    } else {
        struct experiment_skip *skip = &reading->request->skips[reading->request->skip_count++];
        text_copy(skip->mechanism, sizeof skip->mechanism, facts->name);
        text_copy(skip->reason, sizeof skip->reason, facts->unavailable_reason);
    }
}

static void read_mechanisms(struct reading *reading, const struct json_node *document)
{
    const struct json_node *list = array_member(document, "mechanisms", CATALOGUE_MAX, reading->faults);
    if (list == NULL)
        return;
    const char *names[CATALOGUE_MAX];
    size_t name_count = catalogue_names(reading->context->catalogue, names);
    reading->experiment->mechanism_count = 0;
    reading->request->skip_count = 0;
    size_t position = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node), position++) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/mechanisms/%zu", position);
        int index = 0;
        if (json_word(node, pointer, names, name_count, &index, reading->faults))
            add_mechanism(reading, &reading->context->catalogue->mechanisms[index], pointer);
    }
}

/* All that this machine offers, controls excepted: what a preset takes that names none. */
static void take_all_mechanisms(struct reading *reading)
{
    for (size_t i = 0; i < reading->context->catalogue->count; i++) {
        const struct mechanism_facts *facts = &reading->context->catalogue->mechanisms[i];
        if (strcmp(facts->family, "control") != 0)
            add_mechanism(reading, facts, "/mechanisms");
    }
}

/* ---- patterns and sizes ---- */

static void read_patterns(struct reading *reading, const struct json_node *document)
{
    const struct json_node *list = array_member(document, "patterns", PATTERN_COUNT, reading->faults);
    if (list == NULL)
        return;
    struct experiment *experiment = reading->experiment;
    experiment->pattern_count = 0;
    size_t position = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node), position++) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/patterns/%zu", position);
        int pattern = 0;
        if (!json_word(node, pointer, pattern_names, PATTERN_COUNT, &pattern, reading->faults))
            continue;
        for (size_t i = 0; i < experiment->pattern_count; i++)
            if (experiment->patterns[i] == (enum pattern)pattern)
                faults_add(reading->faults, pointer, "\"%s\" stands twice", pattern_names[pattern]);
        experiment->patterns[experiment->pattern_count++] = (enum pattern)pattern;
    }
}

static void read_sizes(struct reading *reading, const struct json_node *list, const char *pointer,
                       enum pattern pattern)
{
    struct experiment *experiment = reading->experiment;
    size_t count = json_count(list);
    if (!json_is(list, JSON_ARRAY) || count < 1 || count > EXPERIMENT_SIZES_MAX) {
        faults_add(reading->faults, pointer, "must be an array of 1 to %d sizes in bytes",
                   EXPERIMENT_SIZES_MAX);
        return;
    }
    experiment->size_count[pattern] = 0;
    size_t position = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node), position++) {
        char element[FAULT_POINTER_BYTES];
        snprintf(element, sizeof element, "%.80s/%zu", pointer, position);
        int64_t bytes = json_integer_or(node, 0);
        if (bytes < 1)
            faults_add(reading->faults, element, "must be an integer of at least 1 byte");
        for (size_t i = 0; i < experiment->size_count[pattern]; i++)
            if (experiment->message_bytes[pattern][i] == bytes)
                faults_add(reading->faults, element, "%lld stands twice", (long long)bytes);
        experiment->message_bytes[pattern][experiment->size_count[pattern]++] = bytes;
    }
}

static void read_message_bytes(struct reading *reading, const struct json_node *document)
{
    const struct json_node *node = json_member(document, "message_bytes");
    if (node == NULL)
        return;
    if (!json_is(node, JSON_OBJECT)) {
        for (int pattern = 0; pattern < PATTERN_COUNT; pattern++) {
            size_t before = reading->faults->count;
            read_sizes(reading, node, "/message_bytes", (enum pattern)pattern);
            if (reading->faults->count > before)
                return; /* the same list: say it once */
        }
        return;
    }
    for (const struct json_node *child = json_first(node); child != NULL; child = json_next(child)) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/message_bytes/%.60s", json_name(child));
        int pattern = text_index_of(json_name(child), pattern_names, PATTERN_COUNT);
        if (pattern < 0)
            faults_add(reading->faults, pointer, "unknown pattern");
        else
            read_sizes(reading, child, pointer, (enum pattern)pattern);
    }
}

/* ---- wait ---- */

/* A word that fits one kind of mechanism; the other kind keeps its default. */
static void read_wait_word(struct reading *reading, const struct json_node *node, const char *pointer,
                           bool memory, bool kernel)
{
    int word = 0;
    int first = memory ? 0 : WAIT_BLOCK;
    int last = kernel ? WAIT_COUNT : WAIT_MEMORY_COUNT;
    if (!json_word(node, pointer, wait_names + first, (size_t)(last - first), &word, reading->faults))
        return;
    word += first;
    if (word < WAIT_BLOCK) {
        reading->experiment->wait_memory = (enum wait)word;
        reading->names_wait_memory = true;
    } else {
        reading->experiment->wait_kernel = (enum wait)word;
    }
}

static void read_wait(struct reading *reading, const struct json_node *document)
{
    static const char *const kinds[] = {"memory", "kernel"};
    const struct json_node *node = json_member(document, "wait");
    if (node == NULL)
        return;
    if (!json_is(node, JSON_OBJECT)) {
        reading->wait_is_word = true;
        read_wait_word(reading, node, "/wait", true, true);
        return;
    }
    struct faults unknown = {.count = 0};
    json_read_only_known(node, kinds, 2, &unknown);
    if (unknown.count > 0)
        faults_add(reading->faults, "/wait", "holds \"memory\" and \"kernel\", nothing else");
    if (json_member(node, "memory") != NULL)
        read_wait_word(reading, json_member(node, "memory"), "/wait/memory", true, false);
    if (json_member(node, "kernel") != NULL)
        read_wait_word(reading, json_member(node, "kernel"), "/wait/kernel", false, true);
}

/* ---- rates ---- */

static void read_rate(struct reading *reading, const struct json_node *node, const char *pointer)
{
    struct experiment *experiment = reading->experiment;
    double rate_hz = json_number_or(node, 0);
    if (!(rate_hz >= CASE_RATE_HZ_MIN && rate_hz <= CASE_RATE_HZ_MAX))
        faults_add(reading->faults, pointer, "must be a number of messages a second from %d to %d",
                   CASE_RATE_HZ_MIN, CASE_RATE_HZ_MAX);
    for (size_t i = 0; i < experiment->rate_count; i++)
        if (!(experiment->rates_hz[i] < rate_hz) && !(experiment->rates_hz[i] > rate_hz))
            faults_add(reading->faults, pointer, "%g stands twice", rate_hz);
    experiment->rates_hz[experiment->rate_count++] = rate_hz;
}

/* A number, or an array of them: a case each, latency under load as a curve. */
static void read_rates(struct reading *reading, const struct json_node *document)
{
    const struct json_node *node = json_member(document, "rate_hz");
    if (node == NULL)
        return;
    reading->experiment->rate_count = 0;
    reading->names_rate = !json_is(node, JSON_NULL);
    if (!json_is(node, JSON_ARRAY)) {
        if (reading->names_rate)
            read_rate(reading, node, "/rate_hz");
        return;
    }
    node = array_member(document, "rate_hz", EXPERIMENT_RATES_MAX, reading->faults);
    size_t position = 0;
    for (node = json_first(node); node != NULL; node = json_next(node), position++) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/rate_hz/%zu", position);
        read_rate(reading, node, pointer);
    }
}

/* ---- the rest of the fields ---- */

void experiment_read_tags(const struct json_node *document, size_t *tag_count,
                          char tags[EXPERIMENT_TAGS_MAX][EXPERIMENT_TAG_BYTES_MAX + 1], struct faults *faults)
{
    const struct json_node *list = json_member(document, "tags");
    if (list == NULL)
        return;
    if (!json_is(list, JSON_ARRAY) || json_count(list) > EXPERIMENT_TAGS_MAX) {
        faults_add(faults, "/tags", "must be an array of at most %d strings", EXPERIMENT_TAGS_MAX);
        return;
    }
    size_t position = 0;
    *tag_count = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node), position++) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/tags/%zu", position);
        const char *tag = json_string_or(node, "");
        if (tag[0] == '\0' || strlen(tag) > EXPERIMENT_TAG_BYTES_MAX) {
            faults_add(faults, pointer, "must be a string of 1 to %d bytes", EXPERIMENT_TAG_BYTES_MAX);
            continue;
        }
        for (size_t i = 0; i < *tag_count; i++)
            if (strcmp(tags[i], tag) == 0)
                faults_add(faults, pointer, "stands twice");
        text_copy(tags[(*tag_count)++], EXPERIMENT_TAG_BYTES_MAX + 1, tag);
    }
}

static void read_scalars(struct reading *reading, const struct json_node *document)
{
    struct experiment *experiment = reading->experiment;
    struct faults *faults = reading->faults;
    struct {
        const char *name;
        int64_t min, max;
        int *value;
    } const integers[] = {
        {"trials", 1, EXPERIMENT_TRIALS_MAX, &experiment->trials},
        {"duration_ms", EXPERIMENT_DURATION_MS_MIN, EXPERIMENT_DURATION_MS_MAX, &experiment->duration_ms},
        {"warmup_ms", 0, EXPERIMENT_WARMUP_MS_MAX, &experiment->warmup_ms},
        {"senders", 1, CREW_SIDE_MAX, &experiment->senders},
        {"receivers", 1, CREW_SIDE_MAX, &experiment->receivers},
    };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        int64_t value = 0;
        if (json_read_integer(document, integers[i].name, integers[i].min, integers[i].max, &value, faults))
            *integers[i].value = (int)value;
    }
    int word = 0;
    if (json_read_word(document, "relation", relation_names, RELATION_COUNT, &word, faults))
        experiment->relation = (enum relation)word;
    if (json_read_word(document, "verify", verify_names, VERIFY_COUNT, &word, faults))
        experiment->verify = (enum verify)word;
    if (json_read_word(document, "placement", placement_names, PLACEMENT_COUNT, &word, faults)) {
        experiment->placement = (enum placement)word;
        reading->names_placement = true;
    }
    json_read_string(document, "name", EXPERIMENT_NAME_BYTES_MAX, experiment->name, faults);
    json_read_string(document, "note", EXPERIMENT_NOTE_BYTES_MAX, experiment->note, faults);
    json_read_integer(document, "seed", 0, JSON_INTEGER_MAX, &experiment->seed, faults);
    if (json_is(json_member(document, "buffer_bytes"), JSON_NULL))
        experiment->buffer_bytes = 0;
    else
        json_read_integer(document, "buffer_bytes", 4096, EXPERIMENT_BUFFER_BYTES_MAX,
                          &experiment->buffer_bytes, faults);
    experiment_read_tags(document, &experiment->tag_count, experiment->tags, faults);
}

static void read_fields(struct reading *reading, const struct json_node *document)
{
    read_mechanisms(reading, document);
    read_patterns(reading, document);
    read_message_bytes(reading, document);
    read_wait(reading, document);
    read_rates(reading, document);
    read_scalars(reading, document);
}

/* ---- reading ---- */

static const struct preset *read_preset(const struct json_node *document, struct faults *faults)
{
    const char *names[PRESET_COUNT];
    for (size_t i = 0; i < PRESET_COUNT; i++)
        names[i] = presets[i].name;
    int index = 0;
    if (!json_read_word(document, "preset", names, PRESET_COUNT, &index, faults))
        return NULL;
    return &presets[index];
}

static void apply_preset(struct reading *reading, const struct preset *preset)
{
    AUTO(json_cleanup)
    struct json_node *document = json_parse(preset->document, strlen(preset->document), NULL);
    text_copy(reading->experiment->preset, sizeof reading->experiment->preset, preset->name);
    read_fields(reading, document);
    if (json_member(document, "mechanisms") == NULL)
        take_all_mechanisms(reading);
}

void experiment_read(const struct json_node *document, const struct experiment_context *context,
                     struct experiment_request *request, struct faults *faults)
{
    *request = (struct experiment_request){.experiment = defaults};
    request->experiment.seed = context->random_seed;
    struct reading reading = {
        .context = context, .experiment = &request->experiment, .request = request, .faults = faults};
    if (!json_is(document, JSON_OBJECT)) {
        faults_add(faults, "", "must be an object, such as {\"preset\":\"quick\"}");
        return;
    }
    json_read_only_known(document, fields, FIELD_COUNT, faults);
    /* "preset": "" stands in the canonical form of an experiment that has none. */
    const char *named = json_string_or(json_member(document, "preset"), "-");
    const struct preset *preset = named[0] != '\0' ? read_preset(document, faults) : NULL;
    if (preset != NULL)
        apply_preset(&reading, preset);
    reading.names_mechanisms = json_member(document, "mechanisms") != NULL;
    reading.names_rate = false; /* the preset's goes with its pattern */
    read_fields(&reading, document);
    if (preset == NULL && !reading.names_mechanisms)
        faults_add(faults, "/mechanisms", "is missing: name some, or take a preset");
    if (faults->count > 0)
        return;
    experiment_check(&reading);
}
