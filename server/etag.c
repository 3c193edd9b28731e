#include "server/etag.h"

#include <stdio.h>
#include <string.h>

#include "common/bytes.h"

void etag_hash(const void *bytes, size_t length, char hash[ETAG_HASH_BYTES])
{
    char hex[BYTES_HASH_HEX_BYTES];
    bytes_hash_hex(bytes, length, hex);
    snprintf(hash, ETAG_HASH_BYTES, "%.16s", hex);
}

void etag_write(const char *edition, const void *bytes, size_t length, char etag[ETAG_BYTES])
{
    char hash[ETAG_HASH_BYTES];
    etag_hash(bytes, length, hash);
    if (edition != NULL)
        snprintf(etag, ETAG_BYTES, "\"%.16s-%s\"", edition, hash);
    else
        snprintf(etag, ETAG_BYTES, "\"%s\"", hash);
}

/* The next tag of a list, its quotes included, and where to go on; NULL at the end. */
static const char *next_tag(const char **list, size_t *length, bool *weak)
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
    while (next_tag(&rest, &length, &weak) != NULL)
        count++;
    return count > 0 && rest[strspn(rest, ", \t")] == '\0';
}

bool etag_list_has(const char *list, const char *etag, bool weak)
{
    if (is_star(list))
        return true;
    size_t length;
    bool is_weak;
    for (const char *tag; (tag = next_tag(&list, &length, &is_weak)) != NULL;)
        if ((weak || !is_weak) && length == strlen(etag) && memcmp(tag, etag, length) == 0)
            return true;
    return false;
}

bool etag_list_has_edition(const char *list, const char *edition)
{
    if (is_star(list))
        return true;
    size_t edition_length = strlen(edition);
    size_t length;
    bool weak;
    for (const char *tag; (tag = next_tag(&list, &length, &weak)) != NULL;)
        if (!weak && length > edition_length + 2 && memcmp(tag + 1, edition, edition_length) == 0 &&
            tag[1 + edition_length] == '-')
            return true;
    return false;
}
