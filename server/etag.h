/* etag: strong entity tags (RFC 9110 §8.8.3) and the conditions that name them. Pure. */
#ifndef IPCLAB_SERVER_ETAG_H
#define IPCLAB_SERVER_ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ETAG_BYTES = 48, ETAG_HASH_BYTES = 33 };

/* FNV-1a, 64 bit. Tells changes from one another; nothing here has to withstand an attacker, who could only
 * deceive his own cache. */
uint64_t etag_hash(const void *bytes, size_t length, uint64_t seed);
/* 128 bits of it in hexadecimal. */
void etag_hash_text(const void *bytes, size_t length, char hash[ETAG_HASH_BYTES]);

/* Does a field value, "*" or a list of quoted tags, name this tag? weak: W/ counts as equal, as for
 * If-None-Match; for If-Match it does not. */
bool etag_list_has(const char *list, const char *etag, bool weak);
/* Is it "*" or a list of tags? */
bool etag_list_is_valid(const char *list);
/* The next tag of a list, its quotes included, and where to go on; NULL at the end. */
const char *etag_list_next(const char **list, size_t *length, bool *weak);

#endif
