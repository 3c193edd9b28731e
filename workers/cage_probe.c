/* cage-probe: is a cage to be had on this machine? Not by reading settings, of which there are many
 * (user.max_user_namespaces, kernel.unprivileged_userns_clone, AppArmor, seccomp of a container, …), but by
 * building one.
 *
 * Started in the namespaces of a cage, as the server starts it, it furnishes them and says how it went;
 * started by hand it first makes the namespaces, in the same way. One line of JSON; status 0: there is a
 * cage. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "workers/cage.h"

static int exit_status_of(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_namespace(uint64_t flag)
{
    int pidfd;
    pid_t pid = cage_clone(flag | (cage_flags_for(geteuid()) & CLONE_NEWUSER), &pidfd);
    if (pid == 0)
        _exit(EXIT_SUCCESS);
    if (pid < 0)
        return false;
    close(pidfd);
    return exit_status_of(pid) == EXIT_SUCCESS;
}

static void write_namespaces(struct json_writer *writer)
{
    static const struct {
        const char *name;
        uint64_t flag;
    } namespaces[] = {{"user", CLONE_NEWUSER},
                      {"pid", CLONE_NEWPID},
                      {"mount", CLONE_NEWNS},
                      {"ipc", CLONE_NEWIPC},
                      {"net", CLONE_NEWNET}};
    json_begin_object(writer, "namespaces");
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
        json_write_boolean(writer, namespaces[i].name, has_namespace(namespaces[i].flag));
    json_end_object(writer);
}

static int report(int result, const struct err *err)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "cage", cage_names[result == 0 ? CAGE_FULL : CAGE_NONE]);
    json_write_string(&writer, "reason", result == 0 ? NULL : err->text);
    if (result < 0)
        write_namespaces(&writer);
    json_end_object(&writer);
    return puts(text_string(&text)) >= 0 && result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cage_visit(struct err *err)
{
    const char *parent = getenv("TMPDIR");
    char directory[256];
    snprintf(directory, sizeof directory, "%s/ipclab-cage-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(directory) == NULL)
        return err_errno(err, errno, "make the directory %s", directory);
    int result = cage_furnish(directory, err);
    umount2(directory, MNT_DETACH);
    rmdir(directory);
    return result < 0 ? result : cage_drop_capabilities(err);
}

/* The same program in the namespaces of a cage; its line is the answer. */
static int make_cage(void)
{
    struct err err;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    uint64_t flags = cage_flags_for(uid);
    int pidfd;
    pid_t pid = cage_clone(flags, &pidfd);
    if (pid < 0)
        return report(err_errno(&err, -pid, "clone into namespaces"), &err);
    if (pid > 0) {
        close(pidfd);
        return exit_status_of(pid) == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    int settled = (flags & CLONE_NEWUSER) != 0 ? cage_settle_user(uid, gid) : 0;
    if (settled < 0)
        return report(err_errno(&err, -settled, "map the user into a namespace"), &err);
    execl("/proc/self/exe", "ipclab-worker", "cage-probe", (char *)NULL);
    return report(err_errno(&err, errno, "execute /proc/self/exe"), &err);
}

int cage_probe_main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count != 0) {
        fprintf(stderr, "usage: ipclab-worker cage-probe\n");
        return EXIT_FAILURE;
    }
    /* Never furnish a machine's own namespaces: the first process of a cage has pid 1. */
    if (getpid() != 1)
        return make_cage();
    struct err err;
    int result = cage_visit(&err);
    return report(result, &err);
}
