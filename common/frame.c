#include "common/frame.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/bytes.h"
#include "common/cleanup.h"

const char *const frame_type_names[FRAME_TYPE_COUNT] = {
#define FRAME_NAME(symbol, name) [symbol] = (name),
    FRAME_WORDS(FRAME_NAME)};

/* ---- encoding ---- */

static void write_integrity(struct json_writer *writer, const struct frame_integrity *integrity)
{
    json_begin_object(writer, "integrity");
    json_write_unsigned(writer, "lost", integrity->lost);
    json_write_unsigned(writer, "torn", integrity->torn);
    json_write_unsigned(writer, "duplicated", integrity->duplicated);
    json_write_unsigned(writer, "reordered", integrity->reordered);
    json_end_object(writer);
}

/* Columns rather than rows: a block is four numbers, and a trial may have hundreds. */
static void write_blocks(struct json_writer *writer, const struct frame_result *result)
{
    json_begin_array(writer, "blocks");
    for (size_t i = 0; i < result->block_count; i++) {
        const struct frame_block *block = &result->blocks[i];
        json_begin_array(writer, NULL);
        json_write_integer(writer, NULL, block->begin_ns);
        json_write_integer(writer, NULL, block->duration_ns);
        json_write_unsigned(writer, NULL, block->messages);
        json_write_number(writer, NULL, block->latency_p50_ns);
        json_end_array(writer);
    }
    json_end_array(writer);
    json_begin_array(writer, "distance_ns");
    for (size_t i = 0; i < result->distance_count; i++)
        json_write_number(writer, NULL, result->distance_ns[i]);
    json_end_array(writer);
}

static void write_histogram(struct json_writer *writer, const struct histogram *histogram)
{
    AUTO(text_fini) struct text blob = TEXT_EMPTY;
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    histogram_encode(histogram, &blob);
    if (text_ok(&blob))
        bytes_append_base64(&base64, blob.bytes, blob.length);
    writer->out->failed |= blob.failed || base64.failed;
    json_write_string(writer, "histogram", text_string(&base64));
}

static void write_result(struct json_writer *writer, const struct frame_result *result)
{
    json_write_unsigned(writer, "messages", result->messages);
    json_write_integer(writer, "duration_ns", result->duration_ns);
    json_write_integer(writer, "warmup_ns", result->warmup_ns);
    json_write_unsigned(writer, "batch", result->batch);
    json_write_integer(writer, "cpu_user_ns", result->cpu_user_ns);
    json_write_integer(writer, "cpu_system_ns", result->cpu_system_ns);
    json_write_integer(writer, "voluntary_switches", result->voluntary_switches);
    json_write_integer(writer, "involuntary_switches", result->involuntary_switches);
    json_write_integer(writer, "minor_faults", result->minor_faults);
    json_write_integer(writer, "major_faults", result->major_faults);
    json_write_unsigned(writer, "system_calls", result->system_calls);
    json_write_integer(writer, "run_delay_ns", result->run_delay_ns);
    json_write_integer(writer, "gap_ns_max", result->gap_ns_max);
    json_write_integer(writer, "steal_ns", result->steal_ns);
    json_write_integer(writer, "throttled", result->throttled);
    json_write_integer(writer, "frequency_hz", result->frequency_hz);
    json_write_integer(writer, "backlog_ns", result->backlog_ns);
    json_write_boolean(writer, "backlog_grew", result->backlog_grew);
    json_write_number(writer, "autocorrelation", result->autocorrelation);
    json_write_number(writer, "drift_ratio", result->drift_ratio);
    write_integrity(writer, &result->integrity);
    write_blocks(writer, result);
    if (result->has_histogram)
        write_histogram(writer, &result->histogram);
}

void frame_encode(const struct frame *frame, struct text *out)
{
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", frame_type_names[frame->type]);
    switch (frame->type) {
    case FRAME_HELLO:
        json_write_string(&writer, "token", frame->hello.token);
        json_write_integer(&writer, "worker", frame->hello.worker);
        break;
    case FRAME_READY:
        json_write_integer(&writer, "buffer_bytes", frame->ready.buffer_bytes);
        json_write_integer(&writer, "cpu", frame->ready.cpu);
        break;
    case FRAME_SAMPLE:
        json_write_integer(&writer, "elapsed_ns", frame->sample.elapsed_ns);
        json_write_unsigned(&writer, "messages", frame->sample.messages);
        json_write_number(&writer, "messages_per_s", frame->sample.messages_per_s);
        json_write_number(&writer, "bytes_per_s", frame->sample.bytes_per_s);
        json_write_number(&writer, "latency_p50_ns", frame->sample.latency_p50_ns);
        break;
    case FRAME_RESULT:
        write_result(&writer, &frame->result);
        break;
    case FRAME_PART:
        json_write_integer(&writer, "number", frame->part.number);
        json_write_integer(&writer, "of", frame->part.of);
        json_write_string_bytes(&writer, "text", text_string(&frame->part.text), frame->part.text.length);
        break;
    case FRAME_EXIT:
        json_write_integer(&writer, "worker", frame->exit.worker);
        json_write_string(&writer, "cause", frame->exit.cause);
        break;
    case FRAME_GO:
    case FRAME_BYE:
    case FRAME_TYPE_COUNT:
        break;
    }
    json_end_object(&writer);
}

/* ---- decoding ---- */

/* Reads a frame's members one by one. The first that is missing or wrong is remembered; every member that was
 * taken is counted, so that at the end an unknown one shows. */
struct members {
    const struct json_node *object;
    size_t taken;
    struct faults faults;
};

static const struct json_node *take_member(struct members *members, const char *name)
{
    const struct json_node *node = json_member(members->object, name);
    if (node == NULL)
        faults_add(&members->faults, name, "is missing");
    else
        members->taken++;
    return node;
}

static int64_t take_integer(struct members *members, const char *name, int64_t min)
{
    int64_t value = 0;
    take_member(members, name);
    json_read_integer(members->object, name, min, JSON_INTEGER_MAX, &value, &members->faults);
    return value;
}

static uint64_t take_count(struct members *members, const char *name)
{
    return (uint64_t)take_integer(members, name, 0);
}

/* A number, or null for "no value". */
static double number_or_nan(struct members *members, const struct json_node *node, const char *name)
{
    if (node != NULL && json_kind_of(node) == JSON_NULL)
        return NAN;
    if (node != NULL && !json_is(node, JSON_NUMBER))
        faults_add(&members->faults, name, "must be a number or null");
    return json_number_or(node, NAN);
}

static double take_number(struct members *members, const char *name)
{
    return number_or_nan(members, take_member(members, name), name);
}

static bool take_boolean(struct members *members, const char *name)
{
    const struct json_node *node = take_member(members, name);
    if (node != NULL && !json_is(node, JSON_BOOLEAN))
        faults_add(&members->faults, name, "must be true or false");
    return json_boolean_or(node, false);
}

static void take_string(struct members *members, const char *name, char *value, size_t value_bytes)
{
    value[0] = '\0';
    take_member(members, name);
    json_read_string(members->object, name, value_bytes - 1, value, &members->faults);
}

static void read_integrity(struct members *outer, struct frame_integrity *integrity)
{
    struct members members = {.object = take_member(outer, "integrity")};
    integrity->lost = take_count(&members, "lost");
    integrity->torn = take_count(&members, "torn");
    integrity->duplicated = take_count(&members, "duplicated");
    integrity->reordered = take_count(&members, "reordered");
    if (members.faults.count > 0 || json_count(members.object) != members.taken)
        faults_add(&outer->faults, "integrity", "must hold lost, torn, duplicated and reordered");
}

static bool read_block(struct members *members, const struct json_node *node, struct frame_block *block)
{
    if (!json_is(node, JSON_ARRAY) || json_count(node) != 4)
        return false;
    const struct json_node *begin = json_first(node);
    const struct json_node *duration = json_next(begin);
    const struct json_node *messages = json_next(duration);
    int64_t count = json_integer_or(messages, -1);
    *block = (struct frame_block){
        .begin_ns = json_integer_or(begin, -1),
        .duration_ns = json_integer_or(duration, -1),
        .messages = count > 0 ? (uint64_t)count : 0,
        .latency_p50_ns = number_or_nan(members, json_next(messages), "blocks"),
    };
    return block->begin_ns >= 0 && block->duration_ns >= 0 && count >= 0;
}

static void read_blocks(struct members *members, struct frame_result *result)
{
    const struct json_node *blocks = take_member(members, "blocks");
    const struct json_node *distances = take_member(members, "distance_ns");
    if (!json_is(blocks, JSON_ARRAY) || json_count(blocks) > FRAME_BLOCKS_MAX)
        faults_add(&members->faults, "blocks", "must be an array of at most %d", FRAME_BLOCKS_MAX);
    else
        for (const struct json_node *node = json_first(blocks); node != NULL; node = json_next(node))
            if (!read_block(members, node, &result->blocks[result->block_count++]))
                faults_add(&members->faults, "blocks", "each must be [begin_ns, duration_ns, messages, p50]");
    if (!json_is(distances, JSON_ARRAY) || json_count(distances) > FRAME_BLOCKS_MAX + 1)
        faults_add(&members->faults, "distance_ns", "must be an array of at most %d", FRAME_BLOCKS_MAX + 1);
    else
        for (const struct json_node *node = json_first(distances); node != NULL; node = json_next(node))
            result->distance_ns[result->distance_count++] = number_or_nan(members, node, "distance_ns");
}

static void read_histogram(struct members *members, struct frame_result *result)
{
    const struct json_node *node = json_member(members->object, "histogram");
    if (node == NULL)
        return;
    members->taken++;
    AUTO(text_fini) struct text blob = TEXT_EMPTY;
    const char *base64 = json_string_or(node, "!");
    struct err err;
    if (bytes_from_base64(base64, strlen(base64), &blob) < 0)
        faults_add(&members->faults, "histogram", "must be base64");
    else if (histogram_decode(text_string(&blob), blob.length, &result->histogram, &err) < 0)
        faults_add(&members->faults, "histogram", "%.200s", err.text);
    result->has_histogram = true;
}

static void read_result(struct members *members, struct frame_result *result)
{
    memset(result, 0, sizeof *result);
    result->messages = take_count(members, "messages");
    result->duration_ns = take_integer(members, "duration_ns", 0);
    result->warmup_ns = take_integer(members, "warmup_ns", 0);
    result->batch = take_count(members, "batch");
    result->cpu_user_ns = take_integer(members, "cpu_user_ns", 0);
    result->cpu_system_ns = take_integer(members, "cpu_system_ns", 0);
    result->voluntary_switches = take_integer(members, "voluntary_switches", 0);
    result->involuntary_switches = take_integer(members, "involuntary_switches", 0);
    result->minor_faults = take_integer(members, "minor_faults", 0);
    result->major_faults = take_integer(members, "major_faults", 0);
    result->system_calls = take_count(members, "system_calls");
    result->run_delay_ns = take_integer(members, "run_delay_ns", 0);
    result->gap_ns_max = take_integer(members, "gap_ns_max", 0);
    result->steal_ns = take_integer(members, "steal_ns", 0);
    result->throttled = take_integer(members, "throttled", 0);
    result->frequency_hz = take_integer(members, "frequency_hz", 0);
    result->backlog_ns = take_integer(members, "backlog_ns", 0);
    result->backlog_grew = take_boolean(members, "backlog_grew");
    result->autocorrelation = take_number(members, "autocorrelation");
    result->drift_ratio = take_number(members, "drift_ratio");
    read_integrity(members, &result->integrity);
    read_blocks(members, result);
    read_histogram(members, result);
}

static void read_part(struct members *members, struct frame_part *part)
{
    part->text = TEXT_EMPTY;
    part->number = (int)take_integer(members, "number", 1);
    part->of = (int)take_integer(members, "of", 1);
    if (part->of > FRAME_RESULT_BYTES_MAX / FRAME_PART_TEXT_MAX || part->number > part->of)
        faults_add(&members->faults, "number", "is beyond the last part");
    const char *text = json_string_or(take_member(members, "text"), NULL);
    if (text == NULL)
        faults_add(&members->faults, "text", "must be a string");
    else
        text_append(&part->text, text);
}

static void read_body(struct members *members, struct frame *frame)
{
    switch (frame->type) {
    case FRAME_HELLO:
        take_string(members, "token", frame->hello.token, sizeof frame->hello.token);
        frame->hello.worker = (int)take_integer(members, "worker", FRAME_WORKER_LEADER);
        if (frame->hello.worker >= 2 * CREW_SIDE_MAX)
            faults_add(&members->faults, "worker", "must be below %d", 2 * CREW_SIDE_MAX);
        break;
    case FRAME_READY:
        frame->ready.buffer_bytes = take_integer(members, "buffer_bytes", 0);
        frame->ready.cpu = (int)take_integer(members, "cpu", -1);
        break;
    case FRAME_SAMPLE:
        frame->sample.elapsed_ns = take_integer(members, "elapsed_ns", 0);
        frame->sample.messages = take_count(members, "messages");
        frame->sample.messages_per_s = take_number(members, "messages_per_s");
        frame->sample.bytes_per_s = take_number(members, "bytes_per_s");
        frame->sample.latency_p50_ns = take_number(members, "latency_p50_ns");
        break;
    case FRAME_RESULT:
        read_result(members, &frame->result);
        break;
    case FRAME_PART:
        read_part(members, &frame->part);
        break;
    case FRAME_EXIT:
        frame->exit.worker = (int)take_integer(members, "worker", FRAME_WORKER_LEADER);
        take_string(members, "cause", frame->exit.cause, sizeof frame->exit.cause);
        break;
    case FRAME_GO:
    case FRAME_BYE:
    case FRAME_TYPE_COUNT:
        break;
    }
}

int frame_decode(const char *bytes, size_t length, struct frame *frame, struct err *err)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(bytes, length, err);
    if (document == NULL) {
        err_prefix(err, "frame");
        return -EPROTO;
    }
    struct members members = {.object = document};
    const char *type = json_string_or(take_member(&members, "type"), "");
    int index = text_index_of(type, frame_type_names, FRAME_TYPE_COUNT);
    if (index < 0)
        return err_set(err, EPROTO, "frame: unknown type \"%.32s\"", type);
    frame->type = (enum frame_type)index;
    read_body(&members, frame);
    if (members.faults.count > 0)
        err_set(err, EPROTO, "frame %s: %.80s %.250s", type, members.faults.items[0].pointer,
                members.faults.items[0].detail);
    else if (json_count(document) != members.taken)
        err_set(err, EPROTO, "frame %s: has a member it does not know", type);
    else
        return 0;
    frame_fini(frame);
    return -EPROTO;
}

void frame_fini(struct frame *frame)
{
    if (frame->type == FRAME_PART)
        text_fini(&frame->part.text);
}

/* ---- sending ---- */

static int send_datagram(int socket, const struct text *text, struct err *err)
{
    if (!text_ok(text))
        return err_set(err, ENOMEM, "out of memory while writing a frame");
    ssize_t sent;
    do
        sent = send(socket, text_string(text), text->length, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? err_errno(err, errno, "send a frame to the metrics socket") : 0;
}

int frame_send(int socket, const struct frame *frame, struct err *err)
{
    AUTO(text_fini) struct text whole = TEXT_EMPTY;
    frame_encode(frame, &whole);
    if (whole.length <= FRAME_BYTES_MAX)
        return send_datagram(socket, &whole, err);
    size_t of = (whole.length + FRAME_PART_TEXT_MAX - 1) / FRAME_PART_TEXT_MAX;
    for (size_t i = 0; i < of; i++) {
        AUTO(text_fini) struct text encoded = TEXT_EMPTY;
        struct frame part = {.type = FRAME_PART, .part = {.number = (int)i + 1, .of = (int)of}};
        size_t begin = i * FRAME_PART_TEXT_MAX;
        size_t left = whole.length - begin;
        text_append_bytes(&part.part.text, whole.bytes + begin,
                          left < FRAME_PART_TEXT_MAX ? left : FRAME_PART_TEXT_MAX);
        frame_encode(&part, &encoded);
        frame_fini(&part);
        int sent = send_datagram(socket, &encoded, err);
        if (sent < 0)
            return sent;
    }
    return 0;
}
