#include "workers/claims/segment.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/shm.h>

key_t segment_key(void)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) < 0)
        bits = (uint32_t)(uintptr_t)&bits;
    return (key_t)((bits & INT32_MAX) | 1); /* never IPC_PRIVATE, which is 0 */
}

int segment_make(struct check *check, key_t key, size_t bytes, int flags, char **memory)
{
    struct err err;
    if (enclosure_record_segments(check->enclosure, &err) < 0)
        return check_skip(check, "open", err.code, "refused");
    int id = shmget(key, bytes, flags | 0600);
    if (id < 0)
        return check_skip(check, "shmget", errno, "refused");
    if (memory == NULL)
        return id;
    *memory = shmat(id, NULL, 0);
    return *memory == (void *)-1 ? check_skip(check, "shmat", errno, "refused") : id;
}
