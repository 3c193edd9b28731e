#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/trial_spec.h"
#include "tests/support/criterion.h"

static const struct trial_spec example = {
    .trial = 12,
    .token = "0123456789abcdef0123456789abcdef",
    .metrics_socket = "/run/ipclab/metrics",
    .directory = "/run/ipclab/crew",
    .one = {.mechanism = "shm_sysv",
            .pattern = PATTERN_STREAM,
            .message_bytes = 65536,
            .wait = WAIT_SPIN_FUTEX,
            .placement = PLACEMENT_SAME_CPU,
            .relation = RELATION_UNRELATED,
            .senders = 2,
            .receivers = 3,
            .buffer_bytes = 1 << 20},
    .duration_ms = 250,
    .warmup_ms = 50,
    .verify = VERIFY_NONE,
    .seed = JSON_INTEGER_MAX,
    .cage = CAGE_NONE,
};

Test(trial_spec, reads_back_what_it_wrote)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct trial_spec spec;
    struct err err = {.text = ""};
    trial_spec_encode(&example, &text);
    cr_assert(eq(int, trial_spec_decode(text_string(&text), text.length, &spec, &err), 0), "%s", err.text);
    cr_expect(eq(i64, spec.trial, example.trial));
    cr_expect(eq(str, spec.token, (char *)example.token));
    cr_expect(eq(str, spec.metrics_socket, (char *)example.metrics_socket));
    cr_expect(eq(str, spec.directory, (char *)example.directory));
    cr_expect(case_equal(&spec.one, &example.one));
    cr_expect(eq(i64, spec.duration_ms, example.duration_ms));
    cr_expect(eq(i64, spec.warmup_ms, example.warmup_ms));
    cr_expect(eq(int, (int)spec.verify, (int)example.verify));
    cr_expect(eq(i64, spec.seed, example.seed));
    cr_expect(eq(int, (int)spec.cage, (int)example.cage));
}

/* The example with one piece of its text replaced. */
static int decode_with(const char *old, const char *new, struct err *err)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    AUTO(text_fini) struct text changed = TEXT_EMPTY;
    struct trial_spec spec;
    trial_spec_encode(&example, &text);
    const char *at = strstr(text_string(&text), old);
    cr_assert(ne(ptr, (void *)at, NULL), "%s is not in %s", old, text_string(&text));
    text_append_bytes(&changed, text.bytes, (size_t)(at - text.bytes));
    text_append(&changed, new);
    text_append(&changed, at + strlen(old));
    return trial_spec_decode(text_string(&changed), changed.length, &spec, err);
}

Test(trial_spec, refuses_what_is_not_exactly_one)
{
    static const char *const changes[][3] = {
        {"\"seed\":9007199254740991", "\"sead\":1", "seed"},
        {"\"trial\":12", "\"trial\":12,\"more\":1", "more"},
        {"\"trial\":12", "\"trial\":-1", "trial"},
        {"\"trial\":12", "\"trial\":1.5", "trial"},
        {"\"duration_ms\":250", "\"duration_ms\":0", "duration_ms"},
        {"\"duration_ms\":250", "\"duration_ms\":600001", "duration_ms"},
        {"\"cage\":\"none\"", "\"cage\":\"zoo\"", "cage"},
        {"\"verify\":\"none\"", "\"verify\":\"nearly\"", "verify"},
        {"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde", "token"},
        {"0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef", "token"},
        {"\"/run/ipclab/crew\"", "\"run/ipclab/crew\"", "directory"},
        {"\"/run/ipclab/crew\"",
         "\"/a-directory-whose-name-leaves-no-room-for-a-socket-in-it-because-sun-path-has-108-bytes-and-"
         "no-more\"",
         "directory"},
        {"\"pattern\":\"stream\"", "\"pattern\":\"dance\"", "pattern"},
        {"\"message_bytes\":65536", "\"message_bytes\":0", "message_bytes"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct err err = {.text = ""};
        cr_expect(lt(int, decode_with(changes[i][0], changes[i][1], &err), 0), "%s", changes[i][1]);
        cr_expect(ne(ptr, strstr(err.text, changes[i][2]), NULL), "%s: %s", changes[i][1], err.text);
    }
}

Test(trial_spec, allows_more_time_than_the_trial_takes)
{
    struct trial_spec spec = example;
    cr_expect(gt(i64, trial_spec_deadline_ms(&spec), spec.duration_ms + spec.warmup_ms + 1000));
    /* Six blocks, each of which may end a moment after a message of 16 MiB that crawls. */
    int64_t small_ms = trial_spec_deadline_ms(&spec);
    spec.one.message_bytes = 16 << 20;
    cr_expect(gt(i64, trial_spec_deadline_ms(&spec), small_ms + 6 * 1000));
    cr_expect(lt(i64, trial_spec_deadline_ms(&spec), small_ms + 60 * 1000));
    spec.duration_ms = TRIAL_DURATION_MS_MAX;
    cr_expect(gt(i64, trial_spec_deadline_ms(&spec), spec.duration_ms + spec.duration_ms / 10));
}
