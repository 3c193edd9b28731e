#include "common/experiment.h"

#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/trial_spec.h"

/* What a trial costs beside its warm-up and its timed blocks, as seen on a machine with two CPUs: start,
 * attach, prefault and archive for each worker, a probe of the distance around each block. */
enum { START_MS = 8, PROBE_MS = 2 };

const struct preset presets[PRESET_COUNT] = {
    {"quick", "Quick look",
     "{\"name\":\"Quick "
     "look\",\"mechanisms\":[\"shm_sysv\",\"mmap_file\",\"pipe\",\"fifo\",\"unix_stream\",\"tcp\"],"
     "\"trials\":5,\"duration_ms\":80,\"warmup_ms\":20}"},
    {"standard", "Standard comparison", "{\"name\":\"Standard comparison\"}"},
    {"thorough", "Thorough sweep",
     "{\"name\":\"Thorough sweep\",\"patterns\":[\"round_trip\",\"stream\",\"paced\"],\"message_bytes\":{"
     "\"round_trip\":[1,64,1024,4096,16384,65536,262144,1048576],"
     "\"stream\":[1,64,1024,4096,16384,65536,262144,1048576],\"paced\":[64]},\"rate_hz\":[1000,10000]}"},
};

/* ---- writing ---- */

static void write_sizes(struct json_writer *writer, const struct experiment *experiment)
{
    json_begin_object(writer, "message_bytes");
    for (int pattern = 0; pattern < PATTERN_COUNT; pattern++) {
        json_begin_array(writer, pattern_names[pattern]);
        for (size_t i = 0; i < experiment->size_count[pattern]; i++)
            json_write_integer(writer, NULL, experiment->message_bytes[pattern][i]);
        json_end_array(writer);
    }
    json_end_object(writer);
}

/* As they are mostly given: null without a rate, a number for one. */
static void write_rates(struct json_writer *writer, const struct experiment *experiment)
{
    if (experiment->rate_count == 0)
        json_write_null(writer, "rate_hz");
    if (experiment->rate_count == 1)
        json_write_number(writer, "rate_hz", experiment->rates_hz[0]);
    if (experiment->rate_count < 2)
        return;
    json_begin_array(writer, "rate_hz");
    for (size_t i = 0; i < experiment->rate_count; i++)
        json_write_number(writer, NULL, experiment->rates_hz[i]);
    json_end_array(writer);
}

/* What decides the figures, in one order: the experiment's identity is the hash of this. */
static void write_measured(struct json_writer *writer, const struct experiment *experiment)
{
    json_begin_array(writer, "mechanisms");
    for (size_t i = 0; i < experiment->mechanism_count; i++)
        json_write_string(writer, NULL, experiment->mechanisms[i]);
    json_end_array(writer);
    json_begin_array(writer, "patterns");
    for (size_t i = 0; i < experiment->pattern_count; i++)
        json_write_string(writer, NULL, pattern_names[experiment->patterns[i]]);
    json_end_array(writer);
    write_sizes(writer, experiment);
    json_write_integer(writer, "trials", experiment->trials);
    json_write_integer(writer, "duration_ms", experiment->duration_ms);
    json_write_integer(writer, "warmup_ms", experiment->warmup_ms);
    json_write_integer(writer, "senders", experiment->senders);
    json_write_integer(writer, "receivers", experiment->receivers);
    json_write_string(writer, "relation", relation_names[experiment->relation]);
    json_begin_object(writer, "wait");
    json_write_string(writer, "memory", wait_names[experiment->wait_memory]);
    json_write_string(writer, "kernel", wait_names[experiment->wait_kernel]);
    json_end_object(writer);
    json_write_string(writer, "placement", placement_names[experiment->placement]);
    if (experiment->buffer_bytes > 0)
        json_write_integer(writer, "buffer_bytes", experiment->buffer_bytes);
    else
        json_write_null(writer, "buffer_bytes");
    write_rates(writer, experiment);
    json_write_string(writer, "verify", verify_names[experiment->verify]);
}

void experiment_write(struct json_writer *writer, const char *name, const struct experiment *experiment)
{
    json_begin_object(writer, name);
    json_write_string(writer, "preset", experiment->preset);
    json_write_string(writer, "name", experiment->name);
    write_measured(writer, experiment);
    json_write_integer(writer, "seed", experiment->seed);
    json_begin_array(writer, "tags");
    for (size_t i = 0; i < experiment->tag_count; i++)
        json_write_string(writer, NULL, experiment->tags[i]);
    json_end_array(writer);
    json_write_string(writer, "note", experiment->note);
    json_end_object(writer);
}

void experiment_hash(const struct experiment *experiment, char hash[EXPERIMENT_HASH_BYTES])
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    write_measured(&writer, experiment);
    json_end_object(&writer);
    bytes_hash_hex(text_string(&text), text.length, hash);
}

/* ---- the cases ---- */

/* Of the case at a place in the plan's grid. */
struct place {
    enum pattern pattern;
    int64_t message_bytes;
    double rate_hz;
    size_t mechanism;
};

static bool is_taken(const struct experiment *experiment, const struct place *place)
{
    return place->message_bytes <= experiment->bytes_max[place->mechanism];
}

static void fill_case(const struct experiment *experiment, const struct catalogue *catalogue,
                      const struct place *place, struct ipc_case *one)
{
    const char *mechanism = experiment->mechanisms[place->mechanism];
    const struct mechanism_facts *facts = catalogue_find(catalogue, mechanism);
    bool kernel = facts == NULL || (facts->traits & TRAIT_SYNCHRONISES) != 0;
    *one = (struct ipc_case){
        .pattern = place->pattern,
        .message_bytes = place->message_bytes,
        .wait = kernel ? experiment->wait_kernel : experiment->wait_memory,
        .placement = experiment->placement,
        .relation = experiment->relation,
        .senders = experiment->senders,
        .receivers = experiment->receivers,
        .buffer_bytes = experiment->buffer_bytes,
        .rate_hz = place->rate_hz,
    };
    text_copy(one->mechanism, sizeof one->mechanism, mechanism);
}

/* Walks the grid: patterns, in them sizes, rates, mechanisms. */
static size_t walk(const struct experiment *experiment, const struct catalogue *catalogue,
                   struct ipc_case *cases, size_t cases_max)
{
    size_t count = 0;
    for (size_t p = 0; p < experiment->pattern_count; p++) {
        struct place place = {.pattern = experiment->patterns[p]};
        bool paced = place.pattern == PATTERN_PACED;
        size_t rates = paced ? experiment->rate_count : 1;
        for (size_t i = 0; i < experiment->size_count[place.pattern] * rates; i++) {
            place.message_bytes = experiment->message_bytes[place.pattern][i / rates];
            place.rate_hz = paced ? experiment->rates_hz[i % rates] : 0;
            for (place.mechanism = 0; place.mechanism < experiment->mechanism_count; place.mechanism++) {
                if (!is_taken(experiment, &place))
                    continue;
                if (count < cases_max)
                    fill_case(experiment, catalogue, &place, &cases[count]);
                count++;
            }
        }
    }
    return count;
}

size_t experiment_case_count(const struct experiment *experiment)
{
    return walk(experiment, NULL, NULL, 0);
}

size_t experiment_cases(const struct experiment *experiment, const struct catalogue *catalogue,
                        struct ipc_case *cases, size_t cases_max)
{
    return walk(experiment, catalogue, cases, cases_max);
}

int64_t experiment_estimated_ms(const struct experiment *experiment)
{
    int64_t workers = experiment->senders + experiment->receivers;
    int64_t probes = 1 + (int64_t)trial_spec_block_count(experiment->duration_ms);
    int64_t trials = (int64_t)experiment_case_count(experiment) * experiment->trials;
    return trials *
           (experiment->duration_ms + experiment->warmup_ms + START_MS * workers + PROBE_MS * probes);
}
