#include "server/sse.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/clock.h"

enum { STREAM_BLOCK_BYTES = 16 * 1024, STREAM_STALLED_MS = 3 * SSE_HEARTBEAT_MS };

struct sse_stream {
    struct sse *sse;
    struct events_reader reader;
    struct loop_source departure; /* the connection's descriptor, watched for the client's leaving */
    struct MHD_Connection *connection;
    /* Set by the content reader when it suspends, cleared by whoever resumes. libmicrohttpd counts a resume
     * of a connection that runs against its next suspend, so nobody else may resume. */
    bool suspended;
    bool departed;
    struct text pending; /* taken from the ring, not all accepted by the client */
    size_t pending_at;
    int64_t read_ns; /* when libmicrohttpd last asked */
    struct sse_stream *previous, *next;
};

struct sse {
    struct loop_timer heartbeat; /* first, so that its callback finds the rest */
    struct loop *loop;
    struct events *events;
    struct sse_stream *streams;
    size_t stream_count;
    bool resumed; /* some stream, since sse_take_resumed */
    bool ending;
};

static void resume(struct sse_stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    stream->sse->resumed = true;
    MHD_resume_connection(stream->connection);
}

bool sse_take_resumed(struct sse *sse)
{
    bool resumed = sse->resumed;
    sse->resumed = false;
    return resumed;
}

/* ---- heartbeat ---- */

/* A client that takes nothing keeps its connection busy, never suspended; it is cut off in the end. */
static bool is_stalled(const struct sse_stream *stream)
{
    return stream->connection != NULL && !stream->suspended &&
           clock_now_ns() - stream->read_ns > STREAM_STALLED_MS * NS_PER_MS;
}

static void beat(struct loop_timer *timer)
{
    struct sse *sse = (struct sse *)timer;
    for (struct sse_stream *stream = sse->streams; stream != NULL; stream = stream->next) {
        if (is_stalled(stream))
            shutdown(stream->departure.fd, SHUT_RDWR);
        if (!stream->suspended)
            continue;
        text_append(&stream->pending, ": beat\n\n");
        resume(stream);
    }
    if (sse->streams != NULL)
        loop_timer_arm(timer, SSE_HEARTBEAT_MS * NS_PER_MS);
}

int sse_new(struct loop *loop, struct events *events, struct sse **sse, struct err *err)
{
    struct sse *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for event streams");
    new->loop = loop;
    new->events = events;
    int status = loop_timer_open(loop, &new->heartbeat, beat, err);
    if (status < 0) {
        free(new);
        return status;
    }
    *sse = new;
    return 0;
}

void sse_free(struct sse *sse)
{
    if (sse == NULL)
        return;
    loop_timer_close(sse->loop, &sse->heartbeat);
    free(sse);
}

size_t sse_stream_count(const struct sse *sse)
{
    return sse->stream_count;
}

/* ---- one stream ---- */

static void wake(struct events_reader *reader)
{
    struct sse_stream *stream = (struct sse_stream *)((char *)reader - offsetof(struct sse_stream, reader));
    resume(stream);
}

int sse_stream_new(struct sse *sse, const struct events_filter *filter, uint64_t last_event_id,
                   struct sse_stream **stream, struct err *err)
{
    if (sse->stream_count >= SSE_STREAMS_MAX)
        return err_set(err, EAGAIN, "all %d event streams are taken", SSE_STREAMS_MAX);
    struct sse_stream *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for an event stream");
    new->sse = sse;
    new->departure.fd = -1;
    new->reader.filter = *filter;
    new->reader.wake = wake;
    new->next = sse->streams;
    if (new->next != NULL)
        new->next->previous = new;
    else
        loop_timer_arm(&sse->heartbeat, SSE_HEARTBEAT_MS * NS_PER_MS);
    sse->streams = new;
    sse->stream_count++;
    events_open_reader(sse->events, &new->reader, last_event_id);
    text_printf(&new->pending, "retry: %d\n", SSE_RETRY_MS);
    /* An id without data: dispatched as nothing, but remembered, so that a client which reconnects before the
     * first event loses none. */
    if (last_event_id == 0)
        text_printf(&new->pending, "id: %" PRIu64 "\n", events_newest_id(sse->events));
    text_append(&new->pending, "\n");
    *stream = new;
    return 0;
}

void sse_stream_free(struct sse_stream *stream)
{
    struct sse *sse = stream->sse;
    if (stream->departure.fd >= 0)
        loop_remove(sse->loop, &stream->departure);
    events_close_reader(sse->events, &stream->reader);
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        sse->streams = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    sse->stream_count--;
    if (sse->streams == NULL)
        loop_timer_disarm(&sse->heartbeat);
    text_fini(&stream->pending);
    free(stream);
}

static void free_by_response(void *context)
{
    sse_stream_free(context);
}

/* Fills pending from the ring. False: there is nothing to say. */
static bool refill(struct sse_stream *stream)
{
    text_clear(&stream->pending);
    stream->pending_at = 0;
    return events_read(stream->sse->events, &stream->reader, STREAM_BLOCK_BYTES, &stream->pending);
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t buffer_bytes)
{
    (void)position;
    struct sse_stream *stream = context;
    stream->read_ns = clock_now_ns();
    if (stream->departed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->pending_at == stream->pending.length && !refill(stream)) {
        if (stream->sse->ending)
            return MHD_CONTENT_READER_END_OF_STREAM;
        /* Returning 0 without this would make libmicrohttpd ask again at once, for ever. */
        MHD_suspend_connection(stream->connection);
        stream->suspended = true;
        return 0;
    }
    if (!text_ok(&stream->pending))
        return MHD_CONTENT_READER_END_WITH_ERROR; /* the client reconnects and finds a gap */
    size_t left = stream->pending.length - stream->pending_at;
    size_t copied = left < buffer_bytes ? left : buffer_bytes;
    memcpy(buffer, stream->pending.bytes + stream->pending_at, copied);
    stream->pending_at += copied;
    return (ssize_t)copied;
}

static void client_left(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct sse_stream *stream =
        (struct sse_stream *)((char *)source - offsetof(struct sse_stream, departure));
    loop_remove(stream->sse->loop, source);
    stream->departed = true;
    resume(stream);
}

struct MHD_Response *sse_stream_take_response(struct sse_stream *stream, struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
                                                                      read_stream, stream, free_by_response);
    if (response == NULL)
        return NULL;
    stream->connection = connection;
    stream->read_ns = clock_now_ns();
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    stream->departure = (struct loop_source){.fd = info->connect_fd, .ready = client_left};
    /* A second epoll may watch the same descriptor. Without it the next heartbeat tells. */
    struct err err;
    if (loop_add(stream->sse->loop, &stream->departure, EPOLLRDHUP, &err) < 0)
        stream->departure.fd = -1;
    return response;
}

void sse_end_all(struct sse *sse)
{
    sse->ending = true;
    for (struct sse_stream *stream = sse->streams; stream != NULL; stream = stream->next)
        resume(stream);
}
