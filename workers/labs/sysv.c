#include "workers/labs/sysv.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/labs/lab_session.h"

void sysv_record(struct lab *lab)
{
    struct err err;
    if (enclosure_record_segments(lab->enclosure, &err) < 0)
        lab_give_up(lab, err.code, "write down what is to be removed");
}

key_t sysv_pick_key(const struct lab *lab)
{
    uint32_t bits = 0;
    if (lab->enclosure->caged)
        return 5678;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        bits = (uint32_t)getpid();
    return (key_t)((bits & INT32_MAX) | 1); /* never IPC_PRIVATE, which is 0 */
}

int sysv_make_semaphore(struct lab *lab)
{
    struct err err;
    int id = enclosure_semget(lab->enclosure, 1, &err);
    if (id < 0)
        lab_give_up(lab, err.code, "semget");
    return id;
}

int sysv_count_segments(void)
{
    AUTO_FCLOSE FILE *list = fopen("/proc/sysvipc/shm", "re");
    char line[512];
    int count = -1; /* the heading */
    while (list != NULL && fgets(line, sizeof line, list) != NULL)
        count++;
    return count > 0 ? count : 0;
}
