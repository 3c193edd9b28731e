#include "server/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"

/* Ids of one life begin at its wall-clock start in ms times this, so that lives do not overlap as long as
 * fewer events than this happen in a millisecond; far below 2^53. */
enum { IDS_PER_MS = 1000 };

#define SUBJECT_NAME(symbol, name) [symbol] = (name),
static const char *const subject_names[EVENTS_SUBJECT_COUNT] = {EVENTS_SUBJECT_WORDS(SUBJECT_NAME)};

struct event {
    struct events_topic topic;
    bool everyone;
    char *frame; /* as it goes out, owned */
    size_t frame_bytes;
};

struct events {
    uint64_t oldest_id, next_id; /* ids in the ring: oldest_id ≤ id < next_id */
    size_t bytes;
    struct event ring[EVENTS_RING_COUNT]; /* an id's place is id % EVENTS_RING_COUNT */
    struct events_reader *readers;
};

int events_new(struct events **events, struct err *err)
{
    struct events *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for the ring of events");
    new->next_id = (uint64_t)clock_wall_ms() * IDS_PER_MS;
    new->oldest_id = new->next_id;
    *events = new;
    return 0;
}

static struct event *at(struct events *events, uint64_t id)
{
    return &events->ring[id % EVENTS_RING_COUNT];
}

static void forget_oldest(struct events *events)
{
    struct event *event = at(events, events->oldest_id++);
    events->bytes -= event->frame_bytes;
    free(event->frame);
    *event = (struct event){.frame = NULL};
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    while (events->oldest_id < events->next_id)
        forget_oldest(events);
    free(events);
}

/* ---- topics ---- */

/* What stands behind the colon: an id, or * for all. */
static bool parse_id(const char *id, size_t length, enum events_subject subject, struct events_filter *filter)
{
    if (length == 1 && id[0] == '*') {
        filter->all |= 1u << subject;
        return true;
    }
    if (length == 0 || length > 16 || strspn(id, "0123456789") < length ||
        filter->topic_count == EVENTS_TOPICS_MAX)
        return false;
    int64_t value = strtoll(id, NULL, 10);
    if (value < 1 || value > JSON_INTEGER_MAX)
        return false;
    filter->topics[filter->topic_count++] = (struct events_topic){subject, value};
    return true;
}

static bool parse_topic(const char *topic, size_t length, struct events_filter *filter)
{
    for (int i = 0; i < EVENTS_SUBJECT_COUNT; i++) {
        size_t name_length = strlen(subject_names[i]);
        if (length <= name_length || memcmp(topic, subject_names[i], name_length) != 0)
            continue;
        const char *rest = topic + name_length;
        size_t rest_length = length - name_length;
        if (rest[0] == ':')
            return parse_id(rest + 1, rest_length - 1, (enum events_subject)i, filter);
        if (rest_length != 1 || rest[0] != 's')
            return false;
        filter->plural |= 1u << i;
        return true;
    }
    return false;
}

bool events_filter_parse(const char *topics, struct events_filter *filter, struct err *err)
{
    *filter = (struct events_filter){.plural = 0};
    for (;;) {
        size_t length = strcspn(topics, ",");
        if (!parse_topic(topics, length, filter)) {
            err_set(err, EINVAL,
                    "must be a list of at most %d topics: runs, run:ID or run:*, likewise attempt and check",
                    EVENTS_TOPICS_MAX);
            return false;
        }
        if (topics[length] == '\0')
            return true;
        topics += length + 1;
    }
}

static bool fits(const struct events_filter *filter, const struct event *event)
{
    unsigned bit = 1u << event->topic.subject;
    if ((filter->all & bit) != 0 || (event->everyone && (filter->plural & bit) != 0))
        return true;
    for (size_t i = 0; i < filter->topic_count; i++)
        if (filter->topics[i].subject == event->topic.subject && filter->topics[i].id == event->topic.id)
            return true;
    return false;
}

/* ---- publishing ---- */

/* A line break would end the data field. Between JSON's tokens it may as well be a space; within strings it
 * cannot occur. */
static void append_on_one_line(struct text *frame, const char *json)
{
    size_t begin = frame->length;
    text_append(frame, json);
    if (!text_ok(frame))
        return;
    for (char *c = frame->bytes + begin; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
}

static void wake_readers(struct events *events, const struct event *event)
{
    for (struct events_reader *reader = events->readers; reader != NULL; reader = reader->next) {
        if (!reader->waiting || (event != NULL && !fits(&reader->filter, event)))
            continue;
        reader->waiting = false;
        reader->wake(reader);
    }
}

/* Ids go on without the event, so that every reader finds a gap where it would have been. */
static void lose(struct events *events)
{
    while (events->oldest_id < events->next_id)
        forget_oldest(events);
    events->oldest_id = ++events->next_id;
    wake_readers(events, NULL);
}

void events_publish(struct events *events, const char *name, struct events_topic topic, bool everyone,
                    const char *json)
{
    struct text frame = TEXT_EMPTY;
    text_printf(&frame, "id: %" PRIu64 "\nevent: %s\ndata: ", events->next_id, name);
    append_on_one_line(&frame, json);
    text_append(&frame, "\n\n");
    size_t frame_bytes = frame.length;
    char *bytes = text_take(&frame);
    if (bytes == NULL) {
        text_fini(&frame);
        lose(events);
        return;
    }
    while (events->next_id - events->oldest_id == EVENTS_RING_COUNT ||
           (events->oldest_id < events->next_id && events->bytes + frame_bytes > EVENTS_RING_BYTES_MAX))
        forget_oldest(events);
    struct event *event = at(events, events->next_id++);
    *event = (struct event){topic, everyone, bytes, frame_bytes};
    events->bytes += frame_bytes;
    wake_readers(events, event);
}

/* ---- reading ---- */

void events_open_reader(struct events *events, struct events_reader *reader, uint64_t last_event_id)
{
    reader->next_id = events->next_id;
    reader->lost = false;
    reader->waiting = false;
    if (last_event_id != 0) {
        uint64_t wanted = last_event_id + 1;
        reader->lost = wanted < events->oldest_id || wanted > events->next_id;
        if (!reader->lost)
            reader->next_id = wanted;
    }
    reader->previous = NULL;
    reader->next = events->readers;
    if (reader->next != NULL)
        reader->next->previous = reader;
    events->readers = reader;
}

void events_close_reader(struct events *events, struct events_reader *reader)
{
    if (reader->previous != NULL)
        reader->previous->next = reader->next;
    else
        events->readers = reader->next;
    if (reader->next != NULL)
        reader->next->previous = reader->previous;
}

bool events_read(struct events *events, struct events_reader *reader, size_t bytes_wanted, struct text *out)
{
    size_t before = out->length;
    if (reader->next_id < events->oldest_id)
        reader->lost = true;
    if (reader->lost) {
        /* What the ring still holds is older than the answer to the fetch that follows. */
        reader->lost = false;
        reader->next_id = events->next_id;
        text_printf(out, "id: %" PRIu64 "\nevent: gap\ndata: {}\n\n", events->next_id - 1);
    }
    while (reader->next_id < events->next_id && out->length < bytes_wanted) {
        const struct event *event = at(events, reader->next_id++);
        if (fits(&reader->filter, event))
            text_append_bytes(out, event->frame, event->frame_bytes);
    }
    reader->waiting = out->length == before;
    return !reader->waiting;
}

uint64_t events_newest_id(const struct events *events)
{
    return events->next_id - 1;
}
