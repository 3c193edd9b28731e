#include "common/case.h"

#include <string.h>

void case_write(struct json_writer *writer, const struct ipc_case *one)
{
    json_write_string(writer, "mechanism", one->mechanism);
    json_write_string(writer, "pattern", pattern_names[one->pattern]);
    json_write_integer(writer, "message_bytes", one->message_bytes);
    json_write_string(writer, "wait", wait_names[one->wait]);
    json_write_string(writer, "placement", placement_names[one->placement]);
    json_write_string(writer, "relation", relation_names[one->relation]);
    json_write_integer(writer, "senders", one->senders);
    json_write_integer(writer, "receivers", one->receivers);
    if (one->buffer_bytes > 0)
        json_write_integer(writer, "buffer_bytes", one->buffer_bytes);
    else
        json_write_null(writer, "buffer_bytes");
    if (one->rate_hz > 0)
        json_write_number(writer, "rate_hz", one->rate_hz);
    else
        json_write_null(writer, "rate_hz");
}

static void read_word(const struct json_node *object, const char *name, const char *const *table,
                      size_t count, int *value, struct faults *faults)
{
    size_t before = faults->count;
    if (!json_read_word(object, name, table, count, value, faults) && faults->count == before)
        faults_add(faults, name, "is missing");
}

void case_read(const struct json_node *object, struct ipc_case *one, struct faults *faults)
{
    *one = (struct ipc_case){.message_bytes = 0};
    int pattern = 0, wait = 0, placement = 0, relation = 0;
    int64_t senders = 1, receivers = 1;
    if (!json_read_string(object, "mechanism", sizeof one->mechanism - 1, one->mechanism, faults))
        faults_add(faults, "/mechanism", "is missing");
    read_word(object, "pattern", pattern_names, PATTERN_COUNT, &pattern, faults);
    read_word(object, "wait", wait_names, WAIT_COUNT, &wait, faults);
    read_word(object, "placement", placement_names, PLACEMENT_COUNT, &placement, faults);
    read_word(object, "relation", relation_names, RELATION_COUNT, &relation, faults);
    if (!json_read_integer(object, "message_bytes", 1, JSON_INTEGER_MAX, &one->message_bytes, faults))
        faults_add(faults, "/message_bytes", "is missing");
    json_read_integer(object, "senders", 1, CREW_SIDE_MAX, &senders, faults);
    json_read_integer(object, "receivers", 1, CREW_SIDE_MAX, &receivers, faults);
    if (json_is(json_member(object, "buffer_bytes"), JSON_NUMBER))
        json_read_integer(object, "buffer_bytes", 1, JSON_INTEGER_MAX, &one->buffer_bytes, faults);
    if (json_is(json_member(object, "rate_hz"), JSON_NUMBER))
        json_read_number(object, "rate_hz", 0, 1e9, &one->rate_hz, faults);
    one->pattern = (enum pattern)pattern;
    one->wait = (enum wait)wait;
    one->placement = (enum placement)placement;
    one->relation = (enum relation)relation;
    one->senders = (int)senders;
    one->receivers = (int)receivers;
}

bool case_equal(const struct ipc_case *a, const struct ipc_case *b)
{
    return strcmp(a->mechanism, b->mechanism) == 0 && a->pattern == b->pattern &&
           a->message_bytes == b->message_bytes && a->wait == b->wait && a->placement == b->placement &&
           a->relation == b->relation && a->senders == b->senders && a->receivers == b->receivers &&
           a->buffer_bytes == b->buffer_bytes && !(a->rate_hz < b->rate_hz) && !(a->rate_hz > b->rate_hz);
}
