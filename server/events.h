/* events: what happened, for whoever watches. One ring; a subscriber is only a cursor into it.
 *
 * The runner and the API publish; sse.c reads. Publishing never waits and never fails: a subscriber that lags
 * behind the ring is told that there is a gap and fetches again. An event is about one subject, such as run
 * 17: its topic is "run:17", and "runs" too if everyone who watches runs should hear of it. Its id counts up
 * from the server's start time, so that the id of another life of the server is recognised as a gap. Threads:
 * the loop's. */
#ifndef IPCLAB_SERVER_EVENTS_H
#define IPCLAB_SERVER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"
#include "common/words.h"

struct events;

#define EVENTS_SUBJECT_WORDS(WORD)                                                                           \
    WORD(SUBJECT_RUN, "run")                                                                                 \
    WORD(SUBJECT_ATTEMPT, "attempt")                                                                         \
    WORD(SUBJECT_CHECK, "check")
enum events_subject { EVENTS_SUBJECT_WORDS(WORDS_ENUM) EVENTS_SUBJECT_COUNT };

enum {
    EVENTS_RING_COUNT = 8192,                /* a lab can have thousands of lines */
    EVENTS_RING_BYTES_MAX = 4 * 1024 * 1024, /* the oldest are forgotten earlier when events are long */
    EVENTS_NAME_BYTES = 24,
    EVENTS_TOPICS_MAX = 32,
};

int events_new(struct events **events, struct err *err);
void events_free(struct events *events);

struct events_topic {
    enum events_subject subject;
    int64_t id;
};

/* everyone: it also belongs to the subject's plural. json is copied. */
void events_publish(struct events *events, const char *name, struct events_topic topic, bool everyone,
                    const char *json);

/* What a subscriber asked for. The masks have a bit 1u << SUBJECT_… each. */
struct events_filter {
    unsigned plural; /* "runs" */
    unsigned all;    /* "run:*" */
    size_t topic_count;
    struct events_topic topics[EVENTS_TOPICS_MAX]; /* "run:17" */
};

/* From "runs,run:17,attempt:*". False, with what is wrong in *err, for a topic that is none, or too many. */
bool events_filter_parse(const char *topics, struct events_filter *filter, struct err *err);

/* A cursor; the subscriber embeds it and fills filter and wake. */
struct events_reader {
    struct events_filter filter;
    /* Something new fits the filter, after events_read had said there was nothing. Called once until the next
     * events_read; must not publish, open or close readers. */
    void (*wake)(struct events_reader *reader);
    uint64_t next_id;
    bool lost;    /* the ring went on without it */
    bool waiting; /* for wake */
    struct events_reader *previous, *next;
};

/* last_event_id: what the client saw last; 0 = it is new, and begins with what happens from now on. */
void events_open_reader(struct events *events, struct events_reader *reader, uint64_t last_event_id);
void events_close_reader(struct events *events, struct events_reader *reader);
/* Appends events as text/event-stream while out is shorter than bytes_wanted. False, and the reader waits, if
 * there were none. */
bool events_read(struct events *events, struct events_reader *reader, size_t bytes_wanted, struct text *out);
/* Id of the newest event, or the one before the first. */
uint64_t events_newest_id(const struct events *events);

#endif
