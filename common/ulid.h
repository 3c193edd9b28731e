/* ulid: identifiers that sort by time and can be merged from many machines: 48 bits of milliseconds, 80
 * random bits, in Crockford's base 32. Source: https://github.com/ulid/spec. */
#ifndef IPCLAB_COMMON_ULID_H
#define IPCLAB_COMMON_ULID_H

#include <stdint.h>

enum { ULID_BYTES = 27 };

void ulid_make(int64_t wall_ms, char ulid[ULID_BYTES]);

#endif
