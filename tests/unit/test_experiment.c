#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/experiment.h"
#include "tests/support/criterion.h"

static const struct catalogue catalogue = {
    .count = 4,
    .mechanisms =
        {
            {.name = "shm",
             .title = "Memory",
             .waits = 1u << WAIT_SPIN | 1u << WAIT_SPIN_FUTEX | 1u << WAIT_FUTEX,
             .message_bytes_max = 1 << 20,
             .available = true},
            {.name = "pipe",
             .title = "Pipe",
             .traits = TRAIT_SYNCHRONISES | TRAIT_RELATED_ONLY | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
             .waits = 1u << WAIT_BLOCK | 1u << WAIT_POLL,
             .message_bytes_max = 65536,
             .available = true},
            {.name = "mq",
             .title = "Queue",
             .traits = TRAIT_SYNCHRONISES,
             .message_bytes_max = 8192,
             .available = false,
             .unavailable_reason = "not mounted"},
            {.name = "null",
             .title = "Nothing",
             .family = "control",
             .traits = TRAIT_SYNCHRONISES,
             .waits = 1u << WAIT_BLOCK,
             .message_bytes_max = 1 << 20,
             .available = true},
        },
};

static struct experiment_request request;
static struct faults faults;

static void read_with(const char *text, int cpus)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(text, strlen(text), NULL);
    const struct experiment_context context = {.catalogue = &catalogue, .cpus = cpus, .random_seed = 99};
    faults.count = 0;
    cr_assert(ne(ptr, document, NULL), "%s", text);
    experiment_read(document, &context, &request, &faults);
}

static void expect_fault(const char *text, const char *pointer, const char *detail)
{
    read_with(text, 2);
    cr_assert(gt(sz, faults.count, 0), "%s was accepted", text);
    cr_expect(eq(str, faults.items[0].pointer, (char *)pointer), "%s", text);
    cr_expect(strstr(faults.items[0].detail, detail) != NULL, "%s: %s", text, faults.items[0].detail);
}

Test(experiment, a_preset_is_an_experiment)
{
    read_with("{\"preset\":\"standard\"}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    cr_expect(eq(sz, request.experiment.mechanism_count, 2));
    cr_expect(eq(sz, request.skip_count, 1));
    cr_expect(eq(str, request.skips[0].reason, "not mounted"));
    cr_expect(eq(int, request.experiment.trials, 10));
    cr_expect(eq(i64, request.experiment.seed, 99));
}

Test(experiment, fields_beside_a_preset_win)
{
    read_with("{\"preset\":\"standard\",\"trials\":3,\"mechanisms\":[\"pipe\"],\"message_bytes\":{\"stream\":"
              "[1,2]}}",
              2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    struct ipc_case cases[8];
    cr_expect(eq(sz, experiment_cases(&request.experiment, &catalogue, cases, 8), 3));
    cr_expect(eq(i64, cases[2].message_bytes, 2));
    cr_expect(eq(int, (int)cases[0].wait, WAIT_BLOCK));
}

Test(experiment, each_mistake_is_named)
{
    expect_fault("[]", "", "must be an object");
    expect_fault("{}", "/mechanisms", "is missing");
    expect_fault("{\"preset\":\"quik\"}", "/preset", "quick");
    expect_fault("{\"mechanisms\":[]}", "/mechanisms", "1 to");
    expect_fault("{\"mechanisms\":[\"pipi\"]}", "/mechanisms/0", "did you mean \"pipe\"");
    expect_fault("{\"mechanisms\":[\"pipe\",\"pipe\"]}", "/mechanisms/1", "twice");
    expect_fault("{\"mechanisms\":[\"mq\"]}", "/mechanisms/0", "not mounted");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"trails\":3}", "/trails", "did you mean \"trials\"");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"trials\":0}", "/trials", "from 1 to 1000, got 0");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"trials\":1.5}", "/trials", "an integer");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"duration_ms\":9}", "/duration_ms", "from 10 to");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"message_bytes\":[70000]}", "/message_bytes",
                 "at most 65536 bytes");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"message_bytes\":[0]}", "/message_bytes/0", "at least 1");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"message_bytes\":{\"strem\":[1]}}", "/message_bytes/strem",
                 "unknown");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"relation\":\"unrelated\"}", "/relation", "relatives only");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"wait\":\"spin\"}", "/wait", "none of the mechanisms");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"wait\":{\"kernel\":\"spin\"}}", "/wait/kernel", "block");
    expect_fault("{\"mechanisms\":[\"shm\"],\"wait\":\"spin\",\"placement\":\"same_cpu\"}", "/wait", "futex");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"tags\":[\"\"]}", "/tags/0", "1 to 40");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"senders\":2}", "/senders", "round trip is between one sender");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"senders\":9}", "/senders", "from 1 to 8");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"rate_hz\":100}", "/rate_hz", "null");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"buffer_bytes\":1}", "/buffer_bytes", "from 4096");
}

Test(experiment, several_workers_stream_and_do_not_spin)
{
    expect_fault("{\"mechanisms\":[\"shm\"],\"patterns\":[\"stream\"],\"senders\":2}", "/senders",
                 "shm takes one sender");
    expect_fault("{\"mechanisms\":[\"shm\"],\"patterns\":[\"stream\"],\"receivers\":2}", "/receivers",
                 "shm takes one receiver");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"patterns\":[\"stream\"],\"receivers\":2,\"wait\":\"poll\"}",
                 "/wait", "3 workers on 2 CPUs");
    expect_fault("{\"mechanisms\":[\"pipe\"],\"wait\":\"poll\",\"placement\":\"same_cpu\"}", "/wait",
                 "2 workers on 1 CPU:");
    expect_fault(
        "{\"mechanisms\":[\"pipe\"],\"patterns\":[\"stream\"],\"receivers\":2,\"message_bytes\":[8]}",
        "/message_bytes", "at least 16 bytes, not 8");
    expect_fault("{\"mechanisms\":[\"null\"],\"wait\":\"poll\"}", "/wait", "does not wait by \"poll\"");
    expect_fault("{\"mechanisms\":[\"shm\"],\"wait\":\"sem_posix\"}", "/wait",
                 "does not wait by \"sem_posix\"");

    /* Nobody named the memory, nor asked it to spin: it is left out, and the default gives way. */
    read_with("{\"preset\":\"standard\",\"patterns\":[\"stream\"],\"senders\":3,\"receivers\":2}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    cr_expect(eq(sz, request.experiment.mechanism_count, 1));
    cr_expect(eq(str, request.experiment.mechanisms[0], "pipe"));
    cr_expect(eq(sz, request.skip_count, 2));
    cr_expect(eq(str, request.skips[1].mechanism, "shm"));
    cr_expect(eq(int, (int)request.experiment.wait_memory, WAIT_FUTEX));
    read_with("{\"preset\":\"standard\",\"patterns\":[\"stream\"],\"senders\":3,\"receivers\":2}", 5);
    cr_expect(eq(int, (int)request.experiment.wait_memory, WAIT_SPIN_FUTEX));
}

#define PACED "{\"mechanisms\":[\"pipe\"],\"patterns\":[\"paced\"]"

Test(experiment, a_paced_pattern_has_rates)
{
    expect_fault(PACED "}", "/rate_hz", "is missing");
    expect_fault(PACED ",\"rate_hz\":null}", "/rate_hz", "is missing");
    expect_fault(PACED ",\"rate_hz\":0}", "/rate_hz", "from 1 to 10000000");
    expect_fault(PACED ",\"rate_hz\":1e8}", "/rate_hz", "from 1 to 10000000");
    expect_fault(PACED ",\"rate_hz\":\"fast\"}", "/rate_hz", "from 1 to 10000000");
    expect_fault(PACED ",\"rate_hz\":[]}", "/rate_hz", "1 to 32");
    expect_fault(PACED ",\"rate_hz\":[100,0.5]}", "/rate_hz/1", "from 1 to");
    expect_fault(PACED ",\"rate_hz\":[100,100]}", "/rate_hz/1", "twice");
    expect_fault(PACED ",\"rate_hz\":[100,20]}", "/duration_ms", "at least 500");
    expect_fault(PACED ",\"rate_hz\":100,\"senders\":2}", "/senders", "one sender and one receiver");

    read_with(PACED ",\"rate_hz\":[100,2.5e3],\"message_bytes\":[64,128]}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    struct ipc_case cases[8];
    cr_assert(eq(sz, experiment_cases(&request.experiment, &catalogue, cases, 8), 4));
    cr_expect(eq(sz, experiment_case_count(&request.experiment), 4));
    cr_expect(epsilon_eq(dbl, cases[1].rate_hz, 2500, 0));
    cr_expect(eq(i64, cases[1].message_bytes, 64));
    cr_expect(eq(int, (int)cases[3].pattern, PATTERN_PACED));
}

Test(experiment, a_preset_takes_what_fits_and_says_what_does_not)
{
    read_with("{\"preset\":\"thorough\"}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    /* 8 sizes round trip and stream, of which the pipe takes 6; 2 rates of one size. */
    cr_expect(eq(sz, experiment_case_count(&request.experiment), 2 * (8 + 6) + 2 * 2));
    cr_assert(eq(sz, request.skip_count, 2));
    cr_expect(eq(str, request.skips[1].mechanism, "pipe"));
    cr_expect(ne(ptr, strstr(request.skips[1].reason, "at most 65536"), NULL));
    for (size_t i = 0; i < request.experiment.mechanism_count; i++)
        cr_expect(ne(str, request.experiment.mechanisms[i], "null"), "a control is not for presets");
    read_with("{\"preset\":\"thorough\",\"patterns\":[\"stream\"]}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    cr_expect(zero(sz, request.experiment.rate_count), "the preset's rates go with its pattern");
}

static int64_t estimate_ms(const char *document)
{
    read_with(document, 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    return experiment_estimated_ms(&request.experiment);
}

Test(experiment, more_work_takes_longer)
{
    int64_t one_ms = estimate_ms("{\"mechanisms\":[\"pipe\"],\"patterns\":[\"stream\"]}");
    cr_expect(gt(i64, one_ms, 10 * (250 + 50)));
    cr_expect(lt(i64, one_ms, 10 * (250 + 50) * 3 / 2));
    cr_expect(eq(i64, estimate_ms("{\"mechanisms\":[\"pipe\"]}"), 2 * one_ms));
    cr_expect(
        gt(i64, estimate_ms("{\"mechanisms\":[\"pipe\"],\"patterns\":[\"stream\"],\"senders\":8}"), one_ms));
}

Test(experiment, every_fault_is_reported_at_once)
{
    read_with("{\"mechanisms\":[\"pipi\"],\"trials\":0,\"seed\":-1,\"colour\":1}", 2);
    cr_expect(eq(sz, faults.count, 4));
}

Test(experiment, one_cpu_means_one_cpu)
{
    read_with("{\"preset\":\"standard\"}", 1);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    cr_expect(eq(int, (int)request.experiment.placement, PLACEMENT_SAME_CPU));
    cr_expect(eq(int, (int)request.experiment.wait_memory, WAIT_FUTEX));
    read_with("{\"preset\":\"standard\",\"placement\":\"two_cpus\"}", 1);
    cr_expect(eq(str, faults.items[0].pointer, "/placement"));
}

static void expect_canonical(const char *document)
{
    AUTO(text_fini) struct text once = TEXT_EMPTY, twice = TEXT_EMPTY;
    read_with(document, 2);
    cr_assert(eq(sz, faults.count, 0), "%s %s", faults.items[0].pointer, faults.items[0].detail);
    size_t count = experiment_case_count(&request.experiment);
    struct json_writer writer = json_writer_on(&once);
    experiment_write(&writer, NULL, &request.experiment);
    read_with(once.bytes, 2);
    cr_assert(eq(sz, faults.count, 0), "%s %s", faults.items[0].pointer, faults.items[0].detail);
    writer = json_writer_on(&twice);
    experiment_write(&writer, NULL, &request.experiment);
    cr_expect(eq(str, once.bytes, twice.bytes));
    cr_expect(eq(sz, experiment_case_count(&request.experiment), count));
}

Test(experiment, the_canonical_form_reads_back_equal)
{
    expect_canonical("{\"preset\":\"thorough\"}");
    expect_canonical("{\"preset\":\"standard\",\"patterns\":[\"stream\"],\"senders\":3,\"receivers\":2}");
    expect_canonical(PACED ",\"rate_hz\":12345.5}");
    expect_canonical(PACED ",\"rate_hz\":[100,2000]}");
    expect_canonical(
        "{\"mechanisms\":[\"shm\",\"pipe\"],\"name\":\"x\",\"tags\":[\"a\"],\"wait\":\"poll\",\"seed\":5}");
}

Test(experiment, the_hash_is_of_what_is_measured)
{
    char hash[EXPERIMENT_HASH_BYTES], again[EXPERIMENT_HASH_BYTES];
    read_with("{\"mechanisms\":[\"shm\",\"pipe\"],\"name\":\"x\",\"seed\":5}", 2);
    cr_assert(eq(sz, faults.count, 0), "%s", faults.items[0].detail);
    experiment_hash(&request.experiment, hash);
    text_copy(request.experiment.name, sizeof request.experiment.name, "y");
    request.experiment.seed = 6;
    experiment_hash(&request.experiment, again);
    cr_expect(eq(str, hash, again));
    request.experiment.trials++;
    experiment_hash(&request.experiment, again);
    cr_expect(ne(str, hash, again));
}

Test(bytes, the_hash_is_fnv_1a_of_128_bits)
{
    char hex[BYTES_HASH_HEX_BYTES];
    bytes_hash_hex("", 0, hex);
    cr_expect(eq(str, hex, "6c62272e07bb014262b821756295c58d"));
    bytes_hash_hex("a", 1, hex);
    cr_expect(eq(str, hex, "d228cb696f1a8caf78912b704e4a8964"));
}

Test(bytes, base64_is_canonical)
{
    AUTO(text_fini) struct text encoded = TEXT_EMPTY, decoded = TEXT_EMPTY;
    bytes_append_base64(&encoded, "foobar!", 7);
    cr_expect(eq(str, encoded.bytes, "Zm9vYmFyIQ=="));
    cr_expect(zero(int, bytes_from_base64("Zm9vYmFyIQ==", 12, &decoded)));
    cr_expect(eq(str, decoded.bytes, "foobar!"));
    static const char *const bad[] = {"Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9*"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(lt(int, bytes_from_base64(bad[i], strlen(bad[i]), &decoded), 0), "%s", bad[i]);
}
