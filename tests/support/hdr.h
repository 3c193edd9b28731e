/* hdr: reads HdrHistogram's interchange form (server/export_hdr.h says what it is), ours and that of others.
 */
#ifndef IPCLAB_TESTS_SUPPORT_HDR_H
#define IPCLAB_TESTS_SUPPORT_HDR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct hdr_layout {
    int digits; /* significant, 0 … 5 */
    int64_t lowest, highest;
};
/* Calls visit for every bucket that is not empty, in order: it holds the values low … last. -EBADMSG:
 * damaged; -EPROTO: well-formed, but no V2 histogram. */
int hdr_decode(const char *base64, size_t length, struct hdr_layout *layout,
               void (*visit)(void *context, int64_t low, int64_t last, uint64_t count), void *context,
               struct err *err);

#endif
