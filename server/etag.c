#include "server/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t etag_hash(const void *bytes, size_t length, uint64_t seed)
{
    const unsigned char *at = bytes;
    uint64_t hash = FNV_OFFSET ^ seed;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

void etag_hash_text(const void *bytes, size_t length, char hash[ETAG_HASH_BYTES])
{
    snprintf(hash, ETAG_HASH_BYTES, "%016" PRIx64 "%016" PRIx64, etag_hash(bytes, length, 0),
             etag_hash(bytes, length, UINT64_C(0x9e3779b97f4a7c15)));
}

const char *etag_list_next(const char **list, size_t *length, bool *weak)
{
    const char *at = *list + strspn(*list, ", \t");
    *weak = strncmp(at, "W/", 2) == 0;
    if (*weak)
        at += 2;
    if (*at != '"')
        return NULL;
    const char *end = strchr(at + 1, '"');
    if (end == NULL)
        return NULL;
    *length = (size_t)(end + 1 - at);
    *list = end + 1;
    return at;
}

static bool is_star(const char *list)
{
    return strcmp(list, "*") == 0;
}

bool etag_list_is_valid(const char *list)
{
    if (is_star(list))
        return true;
    const char *rest = list;
    size_t length;
    bool weak;
    size_t count = 0;
    while (etag_list_next(&rest, &length, &weak) != NULL)
        count++;
    return count > 0 && rest[strspn(rest, ", \t")] == '\0';
}

bool etag_list_has(const char *list, const char *etag, bool weak)
{
    if (is_star(list))
        return true;
    size_t length;
    bool is_weak;
    for (const char *tag; (tag = etag_list_next(&list, &length, &is_weak)) != NULL;)
        if ((weak || !is_weak) && length == strlen(etag) && memcmp(tag, etag, length) == 0)
            return true;
    return false;
}
