#include "common/catalogue.h"

#include <errno.h>
#include <string.h>

static const char *reach_of(uint32_t traits)
{
    if (traits & TRAIT_NETWORK)
        return "network";
    return traits & TRAIT_RELATED_ONLY ? "related" : "host";
}

static void write_traits(struct json_writer *writer, uint32_t traits)
{
    json_begin_object(writer, "traits");
    json_write_string(writer, "reach", reach_of(traits));
    json_write_string(writer, "direction", traits & TRAIT_DUPLEX ? "two_way" : "one_way");
    json_write_string(writer, "senders", traits & TRAIT_MANY_SENDERS ? "many" : "one");
    json_write_string(writer, "receivers", traits & TRAIT_MANY_RECEIVERS ? "many" : "one");
    json_write_boolean(writer, "synchronises", (traits & TRAIT_SYNCHRONISES) != 0);
    json_write_boolean(writer, "boundaries", (traits & TRAIT_BOUNDARIES) != 0);
    json_write_boolean(writer, "persists", (traits & TRAIT_PERSISTS) != 0);
    json_end_object(writer);
}

static void write_waits(struct json_writer *writer, uint32_t waits)
{
    json_begin_array(writer, "waits");
    for (int wait = 0; wait < WAIT_COUNT; wait++)
        if ((waits >> wait & 1) != 0)
            json_write_string(writer, NULL, wait_names[wait]);
    json_end_array(writer);
}

void catalogue_write(struct json_writer *writer, const struct catalogue *catalogue)
{
    json_begin_object(writer, NULL);
    json_begin_array(writer, "mechanisms");
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct mechanism_facts *facts = &catalogue->mechanisms[i];
        json_begin_object(writer, NULL);
        json_write_string(writer, "name", facts->name);
        json_write_string(writer, "title", facts->title);
        json_write_string(writer, "family", facts->family);
        json_write_boolean(writer, "available", facts->available);
        json_write_string(writer, "unavailable_reason", facts->available ? NULL : facts->unavailable_reason);
        json_write_integer(writer, "message_bytes_max", facts->message_bytes_max);
        write_traits(writer, facts->traits);
        write_waits(writer, facts->waits);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static uint32_t read_traits(const struct json_node *traits)
{
    const char *reach = json_string_or(json_member(traits, "reach"), "");
    uint32_t bits = 0;
    if (strcmp(reach, "network") == 0)
        bits |= TRAIT_NETWORK;
    if (strcmp(reach, "related") == 0)
        bits |= TRAIT_RELATED_ONLY;
    if (strcmp(json_string_or(json_member(traits, "direction"), ""), "two_way") == 0)
        bits |= TRAIT_DUPLEX;
    if (strcmp(json_string_or(json_member(traits, "senders"), ""), "many") == 0)
        bits |= TRAIT_MANY_SENDERS;
    if (strcmp(json_string_or(json_member(traits, "receivers"), ""), "many") == 0)
        bits |= TRAIT_MANY_RECEIVERS;
    if (json_boolean_or(json_member(traits, "synchronises"), false))
        bits |= TRAIT_SYNCHRONISES;
    if (json_boolean_or(json_member(traits, "boundaries"), false))
        bits |= TRAIT_BOUNDARIES;
    if (json_boolean_or(json_member(traits, "persists"), false))
        bits |= TRAIT_PERSISTS;
    return bits;
}

static uint32_t read_waits(const struct json_node *list)
{
    uint32_t waits = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node)) {
        int wait = text_index_of(json_string_or(node, ""), wait_names, WAIT_COUNT);
        waits |= wait >= 0 ? 1u << wait : 0;
    }
    return waits;
}

int catalogue_read(const struct json_node *document, struct catalogue *catalogue, struct err *err)
{
    *catalogue = (struct catalogue){.count = 0};
    const struct json_node *list = json_member(document, "mechanisms");
    if (!json_is(list, JSON_ARRAY))
        return err_set(err, EPROTO, "the catalogue has no array \"mechanisms\"");
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node)) {
        if (catalogue->count == CATALOGUE_MAX)
            return err_set(err, E2BIG, "the catalogue has more than %d mechanisms", CATALOGUE_MAX);
        struct mechanism_facts *facts = &catalogue->mechanisms[catalogue->count++];
        text_copy(facts->name, sizeof facts->name, json_string_or(json_member(node, "name"), ""));
        text_copy(facts->title, sizeof facts->title, json_string_or(json_member(node, "title"), ""));
        text_copy(facts->family, sizeof facts->family, json_string_or(json_member(node, "family"), ""));
        text_copy(facts->unavailable_reason, sizeof facts->unavailable_reason,
                  json_string_or(json_member(node, "unavailable_reason"), ""));
        facts->available = json_boolean_or(json_member(node, "available"), false);
        facts->message_bytes_max = json_integer_or(json_member(node, "message_bytes_max"), 0);
        facts->traits = read_traits(json_member(node, "traits"));
        facts->waits = read_waits(json_member(node, "waits"));
        if (facts->name[0] == '\0' || facts->message_bytes_max <= 0)
            return err_set(err, EPROTO, "mechanism %zu of the catalogue has no name or size",
                           catalogue->count - 1);
    }
    return 0;
}

const struct mechanism_facts *catalogue_find(const struct catalogue *catalogue, const char *name)
{
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->mechanisms[i].name, name) == 0)
            return &catalogue->mechanisms[i];
    return NULL;
}
