/* faults: everything that is wrong with a request, so that a user mends it in one go.
 *
 * A fault is a JSON pointer (RFC 6901) to the field and a sentence that names the bound and what to do.
 * Owns nothing outside itself; lives on the stack. More than FAULTS_MAX are counted, not kept. */
#ifndef IPCLAB_COMMON_FAULTS_H
#define IPCLAB_COMMON_FAULTS_H

#include <stddef.h>

enum { FAULTS_MAX = 16, FAULT_POINTER_BYTES = 96, FAULT_DETAIL_BYTES = 416, FAULT_LIST_BYTES = 320 };

struct fault {
    char pointer[FAULT_POINTER_BYTES];
    char detail[FAULT_DETAIL_BYTES];
};

struct faults {
    size_t count; /* all that were added, also those beyond FAULTS_MAX */
    struct fault items[FAULTS_MAX];
};

/* pointer as in "/trials"; the detail is formatted. One that is there already, word for word, is one fault.
 */
__attribute__((format(printf, 3, 4))) void faults_add(struct faults *faults, const char *pointer,
                                                      const char *format, ...);
/* Adds the faults of a part of the request, whose pointers begin at that part, under the part's own pointer.
 */
void faults_add_below(struct faults *faults, const char *pointer, const struct faults *part);
static inline size_t faults_kept(const struct faults *faults)
{
    return faults->count < FAULTS_MAX ? faults->count : FAULTS_MAX;
}

#endif
