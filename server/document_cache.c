#include "server/document_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "server/http_document.h"

/* A list, most recent first. It is walked: the entries are few, since an entry is a whole answer. */
enum { ENTRIES_MAX = 256 };

struct entry {
    char key[DOCUMENT_KEY_BYTES];
    struct http_document *document;
    struct entry *next;
};

struct document_cache {
    size_t bytes_max, bytes, count;
    struct entry *newest;
};

int document_cache_new(size_t bytes_max, struct document_cache **cache, struct err *err)
{
    struct document_cache *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for the cache of answers");
    new->bytes_max = bytes_max;
    *cache = new;
    return 0;
}

static void drop_oldest(struct document_cache *cache)
{
    struct entry **link = &cache->newest;
    while (*link != NULL && (*link)->next != NULL)
        link = &(*link)->next;
    if (*link == NULL)
        return;
    struct entry *oldest = *link;
    *link = NULL;
    cache->bytes -= http_document_bytes(oldest->document);
    cache->count--;
    http_document_free(oldest->document);
    free(oldest);
}

void document_cache_free(struct document_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->newest != NULL)
        drop_oldest(cache);
    free(cache);
}

const struct http_document *document_cache_find(struct document_cache *cache, const char *key)
{
    for (struct entry **link = &cache->newest; *link != NULL; link = &(*link)->next) {
        struct entry *entry = *link;
        if (strcmp(entry->key, key) != 0)
            continue;
        *link = entry->next;
        entry->next = cache->newest;
        cache->newest = entry;
        return entry->document;
    }
    return NULL;
}

const struct http_document *document_cache_put(struct document_cache *cache, const char *key,
                                               struct http_document *document)
{
    size_t bytes = http_document_bytes(document);
    struct entry *entry = bytes <= cache->bytes_max ? calloc(1, sizeof *entry) : NULL;
    if (entry == NULL) {
        http_document_free(document);
        return NULL;
    }
    while (cache->count > 0 && (cache->count == ENTRIES_MAX || cache->bytes + bytes > cache->bytes_max))
        drop_oldest(cache);
    text_copy(entry->key, sizeof entry->key, key);
    entry->document = document;
    entry->next = cache->newest;
    cache->newest = entry;
    cache->count++;
    cache->bytes += bytes;
    return document;
}
