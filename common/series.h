/* series: a trial over its own time, one entry a block, as the archive keeps it.
 *
 * The blob holds columns, not rows: version, count, then all begins (deltas), durations, message counts,
 * p50s, as varints, then a CRC-32. Reading checks every bound; a damaged blob reads as none. */
#ifndef IPCLAB_COMMON_SERIES_H
#define IPCLAB_COMMON_SERIES_H

#include <stddef.h>

#include "common/frame.h"
#include "common/json.h"
#include "common/text.h"

void series_encode(const struct frame_block *blocks, size_t count, struct text *blob);
/* 0 and *count blocks, or -errno. */
int series_decode(const void *blob, size_t blob_bytes, struct frame_block *blocks, size_t blocks_max,
                  size_t *count, struct err *err);
/* {"begin_ns":[…],"duration_ns":[…],"messages":[…],"latency_p50_ns":[…]}, null for an empty or damaged blob.
 */
void series_write(struct json_writer *writer, const char *name, const void *blob, size_t blob_bytes);

#endif
