/* etag: strong entity tags (RFC 9110 §8.8.3) and the conditions that name them. Pure. */
#ifndef IPCLAB_SERVER_ETAG_H
#define IPCLAB_SERVER_ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ETAG_BYTES = 48, ETAG_HASH_BYTES = 17 };

/* 64 bits of a hash: tells changes from one another; nothing here has to withstand an attacker, who could
 * only deceive his own cache. */
void etag_hash(const void *bytes, size_t length, char hash[ETAG_HASH_BYTES]);
/* "HASH" of the contents, or "EDITION-HASH": a hash of that part of them which conditions on a change are
 * about. edition NULL = none. */
void etag_write(const char *edition, const void *bytes, size_t length, char etag[ETAG_BYTES]);

/* Does a field value, "*" or a list of quoted tags, name this tag? weak: W/ counts as equal, as for
 * If-None-Match; for If-Match it does not. */
bool etag_list_has(const char *list, const char *etag, bool weak);
/* Does If-Match's value name this edition, whatever the hash of the whole? A weak tag never does (§13.1.1).
 */
bool etag_list_has_edition(const char *list, const char *edition);
/* Is it "*" or a list of tags? */
bool etag_list_is_valid(const char *list);

#endif
