#include "server/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static bool read_id(const char *segment, size_t length, int64_t *id)
{
    if (length == 0 || length > 16 || segment[0] == '0')
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (segment[i] < '0' || segment[i] > '9')
            return false;
        value = value * 10 + (segment[i] - '0');
    }
    *id = value;
    return value <= JSON_INTEGER_MAX;
}

static bool read_name(const char *segment, size_t length, char name[REQUEST_NAME_BYTES])
{
    if (length == 0 || length >= REQUEST_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", segment[i]) == NULL)
            return false;
    memcpy(name, segment, length);
    name[length] = '\0';
    return true;
}

/* Segment by segment; path and pattern both begin with '/'. */
static bool matches(const char *pattern, const char *path, int64_t *id, char name[REQUEST_NAME_BYTES])
{
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t wanted = strcspn(pattern, "/");
        size_t length = strcspn(path, "/");
        bool good;
        if (strncmp(pattern, "{id}", wanted) == 0 && wanted == 4)
            good = read_id(path, length, id);
        else if (strncmp(pattern, "{name}", wanted) == 0 && wanted == 6)
            good = read_name(path, length, name);
        else
            good = wanted == length && memcmp(pattern, path, length) == 0;
        if (!good)
            return false;
        pattern += wanted;
        path += length;
    }
    return *pattern == '\0' && *path == '\0';
}

const struct route *router_find(const struct route_table *table, struct request *request, unsigned *allowed)
{
    const struct route *found = NULL;
    *allowed = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        int64_t id = 0;
        char name[REQUEST_NAME_BYTES] = "";
        if (!matches(route->pattern, request->target.path, &id, name))
            continue;
        *allowed |= 1u << route->method;
        if (route->method != request->method || found != NULL)
            continue;
        found = route;
        request->id = id;
        text_copy(request->name, sizeof request->name, name);
    }
    return found;
}

const struct upload_kind *router_upload(const struct route_table *table, const struct route *route)
{
    for (size_t i = 0; i < table->upload_count; i++)
        if (table->uploads[i].handle == route->handle)
            return table->uploads[i].kind;
    return NULL;
}

void router_write_allow(unsigned allowed, char allow[ALLOW_BYTES])
{
    size_t used = 0;
    allow[0] = '\0';
    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        if ((allowed & (1u << method)) == 0)
            continue;
        const char *word = method == METHOD_GET ? "GET, HEAD" : method_names[method];
        used += (size_t)snprintf(allow + used, ALLOW_BYTES - used, "%s%s", used > 0 ? ", " : "", word);
    }
}
