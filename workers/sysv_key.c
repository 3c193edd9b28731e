#include "workers/sysv_key.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

#include "workers/names.h"
#include "workers/parse.h"

int sysv_key_record(const char *directory, const char *recorder, key_t *key, struct err *err)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, errno, "getrandom");
    *key = (key_t)((bits & 0x7fffffff) | 1); /* never IPC_PRIVATE, which is 0 */
    return names_record(directory, recorder, err, "0x%x %d", (unsigned)*key, (int)getpid());
}

int sysv_key_parse(const char *name, key_t *key, pid_t *creator, struct err *err)
{
    int64_t key_value, creator_value;
    const char *rest;
    if (parse_integer(name, 16, 1, INT32_MAX, &key_value, &rest) < 0 ||
        parse_integer(rest, 10, 1, INT32_MAX, &creator_value, NULL) < 0)
        return err_set(err, EINVAL, "sweep: \"%s\" is no key and creator", name);
    *key = (key_t)key_value;
    *creator = (pid_t)creator_value;
    return 0;
}
