/* The ring: order, topics, lag, and what a reconnecting reader gets. */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/events.h"
#include "tests/support/criterion.h"

struct fixture {
    struct events *events;
    struct events_reader reader;
    struct text out;
};

static int wakes;

static void publish(struct events *events, const char *name, int64_t run_id, bool everyone, const char *json)
{
    events_publish(events, name, (struct events_topic){SUBJECT_RUN, run_id}, everyone, json);
}

static void publish_other(struct events *events)
{
    events_publish(events, "other", (struct events_topic){SUBJECT_ATTEMPT, 2}, true, "{}");
}

static void count_wake(struct events_reader *reader)
{
    (void)reader;
    wakes++;
}

static void begin(struct fixture *fixture, const char *topics)
{
    memset(fixture, 0, sizeof *fixture);
    wakes = 0;
    cr_assert(eq(int, events_new(&fixture->events, NULL), 0));
    cr_assert(events_filter_parse(topics, &fixture->reader.filter, NULL));
    fixture->reader.wake = count_wake;
}

static void end(struct fixture *fixture)
{
    events_close_reader(fixture->events, &fixture->reader);
    events_free(fixture->events);
    text_fini(&fixture->out);
}

static size_t occurrences(const struct text *text, const char *needle)
{
    size_t count = 0;
    for (const char *at = text_string(text); (at = strstr(at, needle)) != NULL; at += strlen(needle))
        count++;
    return count;
}

/* Everything the reader can get now. */
static void read_all(struct fixture *fixture)
{
    text_clear(&fixture->out);
    while (events_read(fixture->events, &fixture->reader, fixture->out.length + 4096, &fixture->out))
        ;
}

Test(events, are_read_in_order_as_an_event_stream)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    events_open_reader(fixture.events, &fixture.reader, 0);
    uint64_t first = events_newest_id(fixture.events) + 1;
    publish(fixture.events, "run", 1, true, "{\"id\":1}");
    publish(fixture.events, "run", 2, true, "{\"id\":\n2}");
    read_all(&fixture);
    char expected[256];
    snprintf(expected, sizeof expected,
             "id: %llu\nevent: run\ndata: {\"id\":1}\n\nid: %llu\nevent: run\ndata: {\"id\": 2}\n\n",
             (unsigned long long)first, (unsigned long long)first + 1);
    cr_expect(eq(str, (char *)text_string(&fixture.out), expected));
    end(&fixture);
}

Test(events, topics_choose)
{
    struct fixture fixture;
    begin(&fixture, "run:2");
    events_open_reader(fixture.events, &fixture.reader, 0);
    publish(fixture.events, "run", 1, true, "{}");
    publish(fixture.events, "trial", 2, false, "{}");
    publish_other(fixture.events);
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: "), 1));
    cr_expect(eq(sz, occurrences(&fixture.out, "event: trial"), 1));
    cr_assert(events_filter_parse("runs,run:*", &fixture.reader.filter, NULL));
    publish(fixture.events, "trial", 9, false, "{}");
    publish_other(fixture.events);
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: "), 1));
    static const char *const other[] = {"attempts", "attempt:2", "attempt:*", "run:7,check:1,attempt:2"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        cr_assert(events_filter_parse(other[i], &fixture.reader.filter, NULL));
        publish(fixture.events, "trial", 2, true, "{}");
        publish_other(fixture.events);
        read_all(&fixture);
        cr_expect(eq(sz, occurrences(&fixture.out, "event: "), 1), "%s", other[i]);
    }
    end(&fixture);
}

Test(events, topics_that_are_none_are_refused)
{
    static const char *const bad[] = {"",
                                      "run",
                                      "attempt",
                                      "checkss",
                                      "checks:1",
                                      "check:0",
                                      "runs,",
                                      ",runs",
                                      "run:",
                                      "run:0",
                                      "run:x",
                                      "run:1x",
                                      "run:-1",
                                      "runs,run:*,x",
                                      "run:**",
                                      "Runs",
                                      "run:99999999999999999999",
                                      " runs"};
    struct events_filter filter;
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(not(events_filter_parse(bad[i], &filter, &err)), "%s", bad[i]);
}

Test(events, a_reader_is_woken_once_and_only_for_its_topics)
{
    struct fixture fixture;
    begin(&fixture, "run:2");
    events_open_reader(fixture.events, &fixture.reader, 0);
    publish(fixture.events, "run", 2, true, "{}");
    cr_expect(eq(int, wakes, 0), "it was not waiting yet");
    read_all(&fixture);
    publish(fixture.events, "run", 1, true, "{}");
    cr_expect(eq(int, wakes, 0));
    publish(fixture.events, "run", 2, true, "{}");
    publish(fixture.events, "run", 2, true, "{}");
    cr_expect(eq(int, wakes, 1));
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 2));
    end(&fixture);
}

Test(events, a_reader_that_comes_back_gets_what_it_missed)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    publish(fixture.events, "run", 1, true, "{\"n\":1}");
    uint64_t seen = events_newest_id(fixture.events);
    publish(fixture.events, "run", 1, true, "{\"n\":2}");
    publish(fixture.events, "run", 1, true, "{\"n\":3}");
    events_open_reader(fixture.events, &fixture.reader, seen);
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 2));
    cr_expect(eq(sz, occurrences(&fixture.out, "\"n\":1"), 0));
    cr_expect(eq(sz, occurrences(&fixture.out, "event: gap"), 0));
    end(&fixture);
}

Test(events, ids_of_another_life_are_a_gap)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    publish(fixture.events, "run", 1, true, "{}");
    uint64_t newest = events_newest_id(fixture.events);
    const uint64_t strange[] = {1, newest - 100, newest + 1, newest + 100000, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        events_open_reader(fixture.events, &fixture.reader, strange[i]);
        read_all(&fixture);
        cr_expect(eq(sz, occurrences(&fixture.out, "event: gap"), 1));
        cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 0));
        events_close_reader(fixture.events, &fixture.reader);
    }
    events_open_reader(fixture.events, &fixture.reader, newest);
    read_all(&fixture);
    cr_expect(eq(sz, fixture.out.length, 0));
    end(&fixture);
}

Test(events, a_reader_that_lags_behind_the_ring_finds_one_gap)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    events_open_reader(fixture.events, &fixture.reader, 0);
    for (int i = 0; i < EVENTS_RING_COUNT + 1; i++)
        publish(fixture.events, "run", 1, true, "{}");
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: gap"), 1));
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 0));
    publish(fixture.events, "run", 1, true, "{}");
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 1));
    end(&fixture);
}

Test(events, the_whole_ring_is_still_there_for_a_reader_just_behind)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    events_open_reader(fixture.events, &fixture.reader, 0);
    for (int i = 0; i < EVENTS_RING_COUNT; i++)
        publish(fixture.events, "run", 1, true, "{}");
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), EVENTS_RING_COUNT));
    cr_expect(eq(sz, occurrences(&fixture.out, "event: gap"), 0));
    end(&fixture);
}

Test(events, long_ones_shorten_the_memory)
{
    struct fixture fixture;
    begin(&fixture, "runs");
    enum { LONG_BYTES = 64 * 1024, COUNT = EVENTS_RING_BYTES_MAX / LONG_BYTES + 8 };
    AUTO_FREE char *json = malloc(LONG_BYTES + 1);
    memset(json, '1', LONG_BYTES);
    json[LONG_BYTES] = '\0';
    events_open_reader(fixture.events, &fixture.reader, 0);
    for (int i = 0; i < COUNT; i++)
        publish(fixture.events, "run", 1, true, json);
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: gap"), 1));
    uint64_t newest = events_newest_id(fixture.events);
    events_close_reader(fixture.events, &fixture.reader);
    events_open_reader(fixture.events, &fixture.reader, newest - 10);
    read_all(&fixture);
    cr_expect(eq(sz, occurrences(&fixture.out, "event: run"), 10));
    end(&fixture);
}
