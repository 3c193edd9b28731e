/* document_cache: answers worth keeping, found by a key that changes whenever the answer would.
 *
 * So nothing is ever invalidated: what is no longer asked for is pushed out by what is, least recently used
 * first, as soon as bytes_max is passed. Owns its documents. */
#ifndef IPCLAB_SERVER_DOCUMENT_CACHE_H
#define IPCLAB_SERVER_DOCUMENT_CACHE_H

#include <stddef.h>

#include "common/err.h"

enum { DOCUMENT_KEY_BYTES = 64 };

struct document_cache;
struct http_document;

int document_cache_new(size_t bytes_max, struct document_cache **cache, struct err *err);
void document_cache_free(struct document_cache *cache);

/* NULL if it is not there. Borrowed until the next put. */
const struct http_document *document_cache_find(struct document_cache *cache, const char *key);
/* Takes the document; it is freed at once if it is larger than the whole cache. Answers what find would. */
const struct http_document *document_cache_put(struct document_cache *cache, const char *key,
                                               struct http_document *document);

#endif
