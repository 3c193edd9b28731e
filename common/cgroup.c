#include "common/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

/* ---- where the process stands ---- */

/* Is the word one of a list like "cpu,cpuacct"? */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (;;) {
        size_t item = strcspn(list, ",");
        if (item == length && strncmp(list, word, length) == 0)
            return true;
        if (list[item] == '\0')
            return false;
        list += item + 1;
    }
}

/* From lines "NUMBER:CONTROLLERS:GROUP"; version 2 is the line without controllers. */
static bool read_group(const char *membership, bool is_v2, char group[CGROUP_PATH_BYTES])
{
    AUTO_FCLOSE FILE *file = fopen(membership, "re");
    AUTO_FREE char *line = NULL;
    size_t line_bytes = 0;
    while (file != NULL && getline(&line, &line_bytes, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        if (is_v2 ? controllers[0] == '\0' : lists(controllers, "cpu"))
            return text_copy(group, CGROUP_PATH_BYTES, path);
    }
    return false;
}

struct mount {
    const char *root, *point, *type, *options;
};

/* "ID PARENT DEVICE ROOT POINT OPTIONS [TAG…] - TYPE SOURCE OPTIONS"; takes the line apart. */
static bool parse_mount(char *line, struct mount *mount)
{
    enum { ROOT = 3, POINT = 4, TAGS = 6 };
    char *rest = NULL;
    int number = 0;
    for (char *field = strtok_r(line, " \n", &rest); field != NULL; field = strtok_r(NULL, " \n", &rest)) {
        if (number == ROOT)
            mount->root = field;
        else if (number == POINT)
            mount->point = field;
        else if (number >= TAGS && strcmp(field, "-") == 0)
            break;
        number++;
    }
    mount->type = strtok_r(NULL, " \n", &rest);
    strtok_r(NULL, " \n", &rest);
    mount->options = strtok_r(NULL, " \n", &rest);
    return mount->root != NULL && mount->point != NULL && mount->options != NULL;
}

/* A container's mount may begin at its own group, and /proc may still name it from the machine's root. */
static bool place(struct cgroup *cgroup, const struct mount *mount, const char *group)
{
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    if (strncmp(group, "/..", 3) == 0 || strncmp(group, mount->root, root) != 0 ||
        strchr("/", group[root]) == NULL)
        return false; /* not under this mount */
    const char *below = strcmp(group + root, "/") == 0 ? "" : group + root;
    int length = snprintf(cgroup->directory, sizeof cgroup->directory, "%s%s", mount->point, below);
    cgroup->mount_length = strlen(mount->point);
    return length > 0 && (size_t)length < sizeof cgroup->directory;
}

/* Where both versions are mounted, the controller is in version 1 if any mount there has it. */
bool cgroup_find_by(struct cgroup *cgroup, const char *membership, const char *mounts)
{
    AUTO_FCLOSE FILE *file = fopen(mounts, "re");
    AUTO_FREE char *line = NULL;
    size_t line_bytes = 0;
    bool found = false;
    while (file != NULL && getline(&line, &line_bytes, file) > 0) {
        struct mount mount = {.root = NULL};
        char group[CGROUP_PATH_BYTES];
        if (!parse_mount(line, &mount))
            continue;
        bool is_v1 = strcmp(mount.type, "cgroup") == 0 && lists(mount.options, "cpu");
        bool is_v2 = strcmp(mount.type, "cgroup2") == 0 && !found;
        if ((!is_v1 && !is_v2) || !read_group(membership, is_v2, group))
            continue;
        struct cgroup here;
        if (!place(&here, &mount, group))
            continue;
        *cgroup = here;
        found = true;
        if (is_v1)
            return true;
    }
    return found;
}

bool cgroup_find(struct cgroup *cgroup)
{
    return cgroup_find_by(cgroup, "/proc/self/cgroup", "/proc/self/mountinfo");
}

/* ---- what its groups allow ---- */

static bool go_up(struct cgroup *cgroup)
{
    char *slash = strrchr(cgroup->directory, '/');
    if (slash == NULL || strlen(cgroup->directory) <= cgroup->mount_length)
        return false;
    *slash = '\0';
    return true;
}

static FILE *open_file(const struct cgroup *cgroup, const char *name)
{
    char path[CGROUP_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/%s", cgroup->directory, name);
    return fopen(path, "re");
}

/* Up to count numbers of the first line; how many there were. "max" is none. */
static int read_numbers(const struct cgroup *cgroup, const char *name, int64_t *numbers, int count)
{
    AUTO_FCLOSE FILE *file = open_file(cgroup, name);
    char line[64];
    int got = 0;
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        return 0;
    char *at = line, *end;
    for (; got < count; got++, at = end) {
        numbers[got] = strtoll(at, &end, 10);
        if (end == at)
            break;
    }
    return got;
}

static struct cgroup_quota quota_of(const struct cgroup *cgroup)
{
    int64_t v2[2], quota_us, period_us;
    if (read_numbers(cgroup, "cpu.max", v2, 2) == 2)
        return (struct cgroup_quota){.quota_us = v2[0], .period_us = v2[1]};
    bool is_known = read_numbers(cgroup, "cpu.cfs_quota_us", &quota_us, 1) == 1 &&
                    read_numbers(cgroup, "cpu.cfs_period_us", &period_us, 1) == 1;
    if (!is_known || quota_us <= 0) /* -1: no limit */
        return (struct cgroup_quota){.quota_us = 0};
    return (struct cgroup_quota){.quota_us = quota_us, .period_us = period_us};
}

static bool is_tighter(struct cgroup_quota a, struct cgroup_quota b)
{
    if (a.period_us <= 0 || b.period_us <= 0)
        return a.period_us > 0;
    return (double)a.quota_us / (double)a.period_us < (double)b.quota_us / (double)b.period_us;
}

struct cgroup_quota cgroup_read_quota(struct cgroup cgroup)
{
    struct cgroup_quota least = {.quota_us = 0};
    do {
        struct cgroup_quota one = quota_of(&cgroup);
        if (is_tighter(one, least))
            least = one;
    } while (go_up(&cgroup));
    return least;
}

static int64_t throttled_of(const struct cgroup *cgroup)
{
    static const char key[] = "nr_throttled ";
    AUTO_FCLOSE FILE *file = open_file(cgroup, "cpu.stat");
    char line[128];
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, sizeof key - 1) == 0)
            return strtoll(line + sizeof key - 1, NULL, 10);
    return 0;
}

int64_t cgroup_count_throttled(struct cgroup cgroup)
{
    int64_t periods = 0;
    do
        periods += throttled_of(&cgroup);
    while (go_up(&cgroup));
    return periods;
}
