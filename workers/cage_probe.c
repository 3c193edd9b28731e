/* cage-probe: is a cage to be had on this machine? Not by reading settings, of which there are many
 * (user.max_user_namespaces, kernel.unprivileged_userns_clone, AppArmor, seccomp of a container, …), but by
 * building one, in the way a crew's leader is started: clone, exec, furnish, drop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "workers/cage.h"

/* In the cage: prints what went wrong, if anything. */
static int probe_inside(const char *directory)
{
    struct err err;
    if (cage_furnish(directory, &err) == 0 && cage_drop_capabilities(&err) == 0)
        return EXIT_SUCCESS;
    printf("%s", err.text);
    return EXIT_FAILURE;
}

static int exit_status_of(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

_Noreturn static void become_probe(uint64_t flags, uid_t uid, gid_t gid, int report, const char *directory)
{
    int settled = (flags & CLONE_NEWUSER) != 0 ? cage_settle_user(uid, gid) : 0;
    if (settled < 0) {
        dprintf(report, "map the user: %s", strerror(-settled));
        _exit(EXIT_FAILURE);
    }
    dup2(report, STDOUT_FILENO);
    char *arguments[] = {"ipclab-worker", "cage-probe", (char *)directory, NULL};
    execv("/proc/self/exe", arguments);
    _exit(EXIT_FAILURE);
}

/* 0, or -errno with the reason. */
static int probe_whole(struct err *err)
{
    const char *parent = getenv("TMPDIR");
    char directory[256];
    snprintf(directory, sizeof directory, "%s/ipclab-cage-XXXXXX", parent != NULL ? parent : "/tmp");
    int report[2], pidfd;
    if (mkdtemp(directory) == NULL)
        return err_errno(err, errno, "make the directory %s", directory);
    if (pipe2(report, O_CLOEXEC) != 0) {
        rmdir(directory);
        return err_errno(err, errno, "pipe2");
    }
    uid_t uid = geteuid();
    gid_t gid = getegid();
    uint64_t flags = cage_flags_for(uid);
    pid_t pid = cage_clone(flags, &pidfd);
    if (pid == 0)
        become_probe(flags, uid, gid, report[1], directory);
    close(report[1]);
    int result = 0;
    if (pid < 0) {
        result = err_errno(err, -pid, "clone into namespaces");
    } else {
        char reason[ERR_TEXT_BYTES] = "";
        ssize_t length = read(report[0], reason, sizeof reason - 1);
        reason[length > 0 ? length : 0] = '\0';
        if (exit_status_of(pid) != EXIT_SUCCESS)
            result = err_set(err, EPERM, "%s", reason[0] != '\0' ? reason : "the process in the cage failed");
        close(pidfd);
    }
    close(report[0]);
    rmdir(directory);
    return result;
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

int cage_probe_main(int argument_count, char **arguments)
{
    static const struct {
        const char *name;
        uint64_t flag;
    } namespaces[] = {{"user", CLONE_NEWUSER},
                      {"pid", CLONE_NEWPID},
                      {"mount", CLONE_NEWNS},
                      {"ipc", CLONE_NEWIPC},
                      {"net", CLONE_NEWNET}};
    if (argument_count == 1)
        return probe_inside(arguments[0]);
    struct err err;
    int result = probe_whole(&err);
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "cage", cage_names[result == 0 ? CAGE_FULL : CAGE_NONE]);
    json_begin_object(&writer, "namespaces");
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
        json_write_boolean(&writer, namespaces[i].name, has_namespace(namespaces[i].flag));
    json_end_object(&writer);
    json_write_string(&writer, "reason", result == 0 ? NULL : err.text);
    json_end_object(&writer);
    return puts(text_string(&text)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
