#include "workers/labs/lab_measure.h"

#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "workers/labs/cpus.h"

enum { WARMUP_MS = 30, MEASURE_MS = 200, LAST = 1, TRIPS_MIN = 10, BUFFER_BYTES = 65536 };
enum { ROUND_TRIP, STREAM, LINKS, WAYS = 2 };
enum { OPENER, ASKER, ANSWERER, PROCESSES }; /* both sides have a copy of what the opener opened, by fork */

/* What joins the two for one pattern: a channel, or one for each direction. */
struct link {
    alignas(64) unsigned char states[WAYS][MECHANISM_STATE_BYTES_MAX];
    struct channel channels[WAYS];
    size_t count;
    void *out, *in; /* of the states, for this side */
};

static struct lab *the_lab;
static struct lab_measure *measure;
static struct link links[LINKS];
static unsigned char buffer[BUFFER_BYTES];

static void open_link(int which)
{
    struct err err;
    struct link *link = &links[which];
    bool is_duplex = (measure->mechanism->traits & TRAIT_DUPLEX) != 0;
    link->count = which == STREAM || is_duplex ? 1 : WAYS;
    for (size_t i = 0; i < link->count; i++) {
        link->channels[i] = (struct channel){.message_bytes = measure->message_bytes,
                                             .pattern = which == STREAM ? PATTERN_STREAM : PATTERN_ROUND_TRIP,
                                             .wait = measure->wait,
                                             .senders = 1,
                                             .receivers = 1,
                                             .number = which * WAYS + (int)i,
                                             .directory = lab_directory(the_lab)};
        if (measure->mechanism->open(link->states[i], &link->channels[i], &err) < 0)
            lab_give_up(the_lab, err.code, "open %s", measure->mechanism->name);
    }
}

static void attach_link(struct link *link, bool asks)
{
    struct err err;
    for (size_t i = 0; i < link->count; i++) {
        bool sends = asks == (i == 0);
        struct seat seat = {.side = sends ? SEAT_SENDER : SEAT_RECEIVER};
        if (measure->mechanism->attach(link->states[i], &link->channels[i], seat, &err) < 0)
            lab_give_up(the_lab, err.code, "attach %s", measure->mechanism->name);
    }
    link->out = link->states[asks ? 0 : link->count - 1];
    link->in = link->states[asks ? link->count - 1 : 0];
}

static void each_state(void (*act)(void *state, const struct channel *channel))
{
    for (int which = 0; which < LINKS; which++)
        for (size_t i = 0; i < links[which].count; i++)
            act(links[which].states[i], &links[which].channels[i]);
}

static void detach_one(void *state, const struct channel *channel)
{
    (void)channel;
    measure->mechanism->detach(state);
}

static void send_one(const struct link *link, bool is_last)
{
    size_t bytes = (size_t)measure->message_bytes;
    buffer[0] = is_last ? LAST : 0;
    ssize_t sent = measure->mechanism->send(link->out, buffer, bytes);
    if (sent < 0)
        lab_give_up(the_lab, (int)-sent, "send by %s", measure->mechanism->name);
}

/* False after the last one. */
static bool receive_one(const struct link *link)
{
    size_t bytes = (size_t)measure->message_bytes;
    ssize_t got = measure->mechanism->receive(link->in, buffer, bytes);
    if (got <= 0)
        lab_give_up(the_lab, got < 0 ? (int)-got : EPIPE, "receive by %s", measure->mechanism->name);
    return buffer[0] != LAST;
}

/* ---- round trips ---- */

static int ask(const struct link *link)
{
    static struct histogram round_trips;
    int64_t began_ns = clock_now_ns(), now_ns = began_ns;
    while (now_ns - began_ns < (WARMUP_MS + MEASURE_MS) * NS_PER_MS || round_trips.count < TRIPS_MIN) {
        int64_t asked_ns = now_ns;
        send_one(link, false);
        receive_one(link);
        now_ns = clock_now_ns();
        if (asked_ns - began_ns >= WARMUP_MS * NS_PER_MS)
            histogram_record(&round_trips, now_ns - asked_ns);
    }
    send_one(link, true);
    receive_one(link);
    measure->round_trips = (int64_t)round_trips.count;
    measure->p50_ns = histogram_quantile(&round_trips, 0.5);
    measure->p99_ns = histogram_quantile(&round_trips, 0.99);
    return 0;
}

static int answer(const struct link *link)
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = receive_one(link);
        send_one(link, !goes_on);
    }
    return 0;
}

/* ---- a stream ---- */

static int pour(const struct link *link)
{
    int64_t until_ns = clock_now_ns() + (WARMUP_MS + MEASURE_MS) * NS_PER_MS;
    while (clock_now_ns() < until_ns)
        send_one(link, false);
    send_one(link, true);
    if (measure->mechanism->flush != NULL)
        measure->mechanism->flush(link->out);
    return 0;
}

static int drink(const struct link *link)
{
    int64_t began_ns = clock_now_ns(), warm_ns = began_ns, messages = 0, cold_messages = 0;
    while (receive_one(link)) {
        messages++;
        if (warm_ns == began_ns && clock_now_ns() - began_ns >= WARMUP_MS * NS_PER_MS) {
            warm_ns = clock_now_ns();
            cold_messages = messages;
        }
    }
    if (messages == cold_messages) { /* it all came at once, at the end */
        warm_ns = began_ns;
        cold_messages = 0;
    }
    double seconds = (double)(clock_now_ns() - warm_ns) / (double)NS_PER_S;
    measure->bytes_per_s = (double)(messages - cold_messages) * (double)measure->message_bytes / seconds;
    return 0;
}

/* ---- the processes ---- */

static void be_side(struct timeline *me, bool asks)
{
    const char *name = measure->mechanism->title;
    const struct link *trip = &links[ROUND_TRIP], *stream = &links[STREAM];
    cpus_pin(asks ? 0 : measure->cpus - 1);
    signal(SIGPIPE, SIG_IGN);
    attach_link(&links[ROUND_TRIP], asks);
    attach_link(&links[STREAM], asks);
    lab_meet(the_lab, measure->gate, PROCESSES);
    if (asks) {
        TRACE_AS(me, "send, receive", ask(trip), "%s, again and again", name);
        TRACE_AS(me, "send", pour(stream), "%s, again and again", name);
    } else {
        TRACE_AS(me, "receive, send", answer(trip), "%s, again and again", name);
        TRACE_AS(me, "receive", drink(stream), "%s, again and again", name);
    }
    each_state(detach_one);
}

static void asker(struct lab *lab, struct timeline *me)
{
    (void)lab;
    be_side(me, true);
}

static void answerer(struct lab *lab, struct timeline *me)
{
    (void)lab;
    be_side(me, false);
    measure->is_done = true;
}

void lab_measure_run(struct lab *lab, struct lab_measure *wanted)
{
    char name[LAB_NAME_BYTES];
    struct err err;
    the_lab = lab;
    measure = wanted;
    open_link(ROUND_TRIP);
    open_link(STREAM);
    for (int process = ASKER; process < PROCESSES; process++) {
        snprintf(name, sizeof name, "%s %s", measure->mechanism->title,
                 process == ASKER ? "asks" : "answers");
        if (lab_start(lab, name, process == ASKER ? asker : answerer, &err) < 0)
            lab_give_up(lab, err.code, "start %s", name);
    }
    lab_meet(lab, measure->gate, PROCESSES);
    each_state(measure->mechanism->close); /* the names go, what they named stays */
}
