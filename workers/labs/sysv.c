#include "workers/labs/sysv.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "workers/labs/lab_session.h"

void sysv_record(struct lab *lab)
{
    struct err err;
    if (enclosure_record_segments(lab->enclosure, &err) < 0)
        lab_give_up(lab, err.code, "write down what is to be removed");
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
