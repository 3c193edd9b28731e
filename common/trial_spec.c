#include "common/trial_spec.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

#define WORD_NAME(symbol, name) [symbol] = name,
const char *const cage_names[CAGE_COUNT] = {CAGE_WORDS(WORD_NAME)};

static const char *const member_names[] = {"trial", "token",       "metrics_socket", "directory", "case",
                                           "cage",  "duration_ms", "warmup_ms",      "verify",    "seed"};

size_t trial_spec_block_count(int64_t duration_ms)
{
    int64_t count = duration_ms / TRIAL_BLOCK_MS;
    if (count < TRIAL_BLOCKS_MIN)
        return TRIAL_BLOCKS_MIN;
    return count < FRAME_BLOCKS_MAX ? (size_t)count : FRAME_BLOCKS_MAX;
}

int64_t trial_spec_deadline_ms(const struct trial_spec *spec)
{
    /* A block ends with the message that is under way, and a slow machine moves 20 KB in a millisecond. */
    enum { START_AND_STOP_MS = 5000, PAUSES_PERCENT = 25, SILENCE_MS = 250, SLOW_BYTES_PER_MS = 20000 };
    int64_t timed_ms = spec->warmup_ms + spec->duration_ms;
    int64_t blocks = 1 + (int64_t)trial_spec_block_count(spec->duration_ms);
    int64_t overhang_ms = SILENCE_MS + 2 * spec->one.message_bytes / SLOW_BYTES_PER_MS;
    return timed_ms + timed_ms * PAUSES_PERCENT / 100 + START_AND_STOP_MS + blocks * overhang_ms;
}

void trial_spec_encode(const struct trial_spec *spec, struct text *out)
{
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "trial", spec->trial);
    json_write_string(&writer, "token", spec->token);
    json_write_string(&writer, "metrics_socket", spec->metrics_socket);
    json_write_string(&writer, "directory", spec->directory);
    json_begin_object(&writer, "case");
    case_write(&writer, &spec->one);
    json_end_object(&writer);
    json_write_integer(&writer, "duration_ms", spec->duration_ms);
    json_write_integer(&writer, "warmup_ms", spec->warmup_ms);
    json_write_string(&writer, "verify", verify_names[spec->verify]);
    json_write_integer(&writer, "seed", spec->seed);
    json_write_string(&writer, "cage", cage_names[spec->cage]);
    json_end_object(&writer);
}

static void require(const struct json_node *document, struct faults *faults)
{
    for (size_t i = 0; i < sizeof member_names / sizeof *member_names; i++)
        if (json_member(document, member_names[i]) == NULL)
            faults_add(faults, "", "\"%s\" is missing", member_names[i]);
}

static void check_token(const char *token, struct faults *faults)
{
    if (strlen(token) != FRAME_TOKEN_BYTES - 1 || strspn(token, "0123456789abcdef") != FRAME_TOKEN_BYTES - 1)
        faults_add(faults, "/token", "must be %d hexadecimal digits in lower case", FRAME_TOKEN_BYTES - 1);
}

static void check_absolute(const char *path, const char *pointer, struct faults *faults)
{
    if (path[0] != '/')
        faults_add(faults, pointer, "must be an absolute path");
}

int trial_spec_decode(const char *bytes, size_t length, struct trial_spec *spec, struct err *err)
{
    *spec = (struct trial_spec){.trial = 0};
    AUTO(json_cleanup) struct json_node *document = json_parse(bytes, length, err);
    if (document == NULL)
        return err_prefix(err, "trial spec");
    if (!json_is(document, JSON_OBJECT))
        return err_set(err, EPROTO, "trial spec: must be an object");

    struct faults faults = {.count = 0};
    int verify = 0, cage = 0;
    require(document, &faults);
    json_read_only_known(document, member_names, sizeof member_names / sizeof *member_names, &faults);
    json_read_integer(document, "trial", 0, JSON_INTEGER_MAX, &spec->trial, &faults);
    json_read_string(document, "token", sizeof spec->token - 1, spec->token, &faults);
    json_read_string(document, "metrics_socket", sizeof spec->metrics_socket - 1, spec->metrics_socket,
                     &faults);
    json_read_string(document, "directory", sizeof spec->directory - 1, spec->directory, &faults);
    json_read_integer(document, "duration_ms", 1, TRIAL_DURATION_MS_MAX, &spec->duration_ms, &faults);
    json_read_integer(document, "warmup_ms", 0, TRIAL_DURATION_MS_MAX, &spec->warmup_ms, &faults);
    json_read_word(document, "verify", verify_names, VERIFY_COUNT, &verify, &faults);
    json_read_integer(document, "seed", 0, JSON_INTEGER_MAX, &spec->seed, &faults);
    json_read_word(document, "cage", cage_names, CAGE_COUNT, &cage, &faults);
    case_read(json_member(document, "case"), &spec->one, &faults);
    check_token(spec->token, &faults);
    check_absolute(spec->metrics_socket, "/metrics_socket", &faults);
    check_absolute(spec->directory, "/directory", &faults);
    spec->verify = (enum verify)verify;
    spec->cage = (enum cage)cage;
    if (faults.count > 0)
        return err_set(err, EPROTO, "trial spec: %s %s", faults.items[0].pointer, faults.items[0].detail);
    return 0;
}
