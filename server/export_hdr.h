/* export_hdr: HdrHistogram's own interchange form, V2, written. Pure.
 *
 * Base64 over {cookie, length, zlib stream} over {cookie, length, normalizing offset, digits, lowest,
 * highest, ratio, counts}; a count is a ZigZag LEB128 varint and a negative one a run of empty buckets. Our
 * buckets are those of an HdrHistogram with lowest 1 and two digits (common/histogram.h), so nothing moves on
 * the way out; the exact minimum and maximum are not part of the form.
 *
 * Source: https://github.com/HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoByteBuffer and
 * ZigZagLEB128Codec; log lines as in HistogramLogWriter. */
#ifndef IPCLAB_SERVER_EXPORT_HDR_H
#define IPCLAB_SERVER_EXPORT_HDR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/histogram.h"
#include "common/text.h"

/* Appends the base64. */
int export_hdr_encode(const struct histogram *histogram, struct text *base64, struct err *err);

#endif
