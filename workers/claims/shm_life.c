/* How long System V segments live and who may have them: shmctl(2), svipc(7). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/segment.h"
#include "workers/claims/subject.h"

enum { SEGMENT_BYTES = 25600 };

static int remove_errno(int id)
{
    return shmctl(id, IPC_RMID, NULL) != 0 ? errno : 0;
}

/* ---- 15: one process removes ---- */

static int check_one_removal(struct check *check)
{
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, NULL);
    int spare = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, NULL);
    if (id < 0 || spare < 0)
        return id < 0 ? id : spare;
    int first = remove_errno(id), second = remove_errno(check_is_sabotaged(check, "another") ? spare : id);
    check_errno(check, "first_removal_errno", first);
    check_errno(check, "second_removal_errno", second);
    return check_conclude(check, first == 0 && (second == EINVAL || second == EIDRM), false);
}

const struct claim claim_15 = {
    .number = 15,
    .mechanism = "shm_sysv",
    .criteria = {"persists"},
    .source = "shmctl(id, IPC_RMID, NULL); /* 0 */\n"
              "shmctl(id, IPC_RMID, NULL); /* -1, EINVAL */",
    .sabotages = {"another"},
    .run = check_one_removal,
};

/* ---- 20: when permissions are looked at ---- */

enum { GET_WITH_MODE, GET_WITHOUT, ATTACH, REMOVE, IS_OTHER_USER };

static int check_permissions(struct check *check)
{
    key_t key = segment_key();
    int id = segment_make(check, key, SEGMENT_BYTES, IPC_CREAT | IPC_EXCL, NULL);
    if (id < 0)
        return id;
    /* Who cannot become another user looks at a segment that even its owner may not use. */
    struct shmid_ds status;
    bool open_to_all = check_is_sabotaged(check, "mode_0666");
    if (shmctl(id, IPC_STAT, &status) != 0)
        return check_skip(check, "shmctl", errno, "refused");
    status.shm_perm.mode = open_to_all ? 0666 : geteuid() == 0 ? 0600 : 0;
    if (shmctl(id, IPC_SET, &status) != 0)
        return check_skip(check, "shmctl", errno, "refused");
    struct subject *stranger = subject_new();
    if (subject_fork(stranger) == 0) {
        stranger->values[IS_OTHER_USER] = subject_become_stranger(stranger);
        stranger->values[GET_WITH_MODE] = shmget(key, 0, 0600) < 0 ? errno : 0;
        stranger->values[GET_WITHOUT] = shmget(key, 0, 0) < 0 ? errno : 0;
        stranger->values[ATTACH] = shmat(id, NULL, 0) == (void *)-1 ? errno : 0;
        stranger->values[REMOVE] = remove_errno(id);
        _exit(0);
    }
    subject_wait(stranger, SUBJECT_PATIENCE_MS);
    check_boolean(check, "tried_by_another_user", stranger->values[IS_OTHER_USER] != 0);
    check_errno(check, "shmget_with_mode_0600_errno", (int)stranger->values[GET_WITH_MODE]);
    check_errno(check, "shmget_with_mode_0_errno", (int)stranger->values[GET_WITHOUT]);
    check_errno(check, "shmat_errno", (int)stranger->values[ATTACH]);
    check_errno(check, "ipc_rmid_errno", (int)stranger->values[REMOVE]);
    return check_conclude(check, stranger->values[GET_WITH_MODE] == EACCES,
                          stranger->values[GET_WITHOUT] == 0 && stranger->values[ATTACH] == EACCES);
}

const struct claim claim_20 = {
    .number = 20,
    .mechanism = "shm_sysv",
    .criteria = {"reach"},
    .source = "/* another user's segment, mode 0600 */\n"
              "shmget(key, 0, 0600);       /* -1, EACCES: asks for what is not granted */\n"
              "id = shmget(key, 0, 0);     /* an id: asks for nothing */\n"
              "shmat(id, NULL, 0);         /* -1, EACCES: here it counts */\n"
              "shmctl(id, IPC_RMID, NULL); /* -1, EPERM: owners only */",
    .sabotages = {"mode_0666"},
    .keeps_capabilities = true,
    .run = check_permissions,
};

/* ---- 21: marked for destruction ---- */

static int check_marked(struct check *check)
{
    char *memory;
    key_t key = segment_key();
    int id = segment_make(check, key, SEGMENT_BYTES, IPC_CREAT | IPC_EXCL, &memory);
    if (id < 0)
        return id;
    memory[0] = 'M';
    if (remove_errno(id) != 0)
        return check_skip(check, "shmctl", errno, "refused");
    int error = shmget(key, 0, 0) < 0 ? errno : 0;
    int made = segment_make(check, key, SEGMENT_BYTES, IPC_CREAT, NULL);
    char *again = shmat(id, NULL, 0);
    bool attached = again != (void *)-1 && again[0] == 'M';
    check_integer(check, "marked_id", id);
    check_errno(check, "shmget_errno", error);
    check_integer(check, "shmget_with_ipc_creat_id", made);
    check_boolean(check, "marked_one_can_still_be_attached", attached);
    return check_conclude(check, error == EIDRM || error == EINVAL, false);
}

const struct claim claim_21 = {
    .number = 21,
    .mechanism = "shm_sysv",
    .criteria = {"persists"},
    .source = "shmctl(id, IPC_RMID, NULL);           /* while somebody has it attached */\n"
              "shmget(key, 0, 0);                    /* -1, ENOENT: it lost its key */\n"
              "shmget(key, 25600, IPC_CREAT | 0600); /* a new segment */\n"
              "shmat(id, NULL, 0);                   /* the old one, by its id: works */",
    .sabotages = {NULL},
    .run = check_marked,
};

/* ---- 22: the last detach ---- */

static bool exists(int id)
{
    struct shmid_ds status;
    return shmctl(id, IPC_STAT, &status) == 0;
}

/* Does a segment outlive its one user, who is killed? */
static bool survives_kill(struct check *check, bool removes_first)
{
    char *memory;
    struct subject *user = subject_new();
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, NULL);
    if (id < 0)
        return false;
    if (subject_fork(user) == 0) {
        memory = shmat(id, NULL, 0);
        if (memory == (void *)-1 || (removes_first && remove_errno(id) != 0))
            _exit(1);
        subject_announce(user);
        pause();
        _exit(0);
    }
    subject_blocks(user);
    subject_kill(user);
    return exists(id);
}

static int check_last_detach(struct check *check)
{
    char *memory;
    struct shmid_ds status = {.shm_nattch = 0};
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &memory);
    if (id < 0)
        return id;
    memory[0] = 'D';
    if (check_is_sabotaged(check, "remove_first"))
        remove_errno(id);
    shmdt(memory);
    bool remains = shmctl(id, IPC_STAT, &status) == 0;
    memory = remains ? shmat(id, NULL, 0) : (void *)-1;
    bool kept = memory != (void *)-1 && memory[0] == 'D';
    bool leaks = survives_kill(check, false), leaks_removed = survives_kill(check, true);
    check_boolean(check, "there_after_the_last_detach", remains);
    check_integer(check, "attached_count", (int64_t)status.shm_nattch);
    check_boolean(check, "data_still_there", kept);
    check_boolean(check, "there_after_sigkill_of_its_user", leaks);
    check_boolean(check, "there_after_sigkill_if_removed_while_attached", leaks_removed);
    return check_conclude(check, !remains, false);
}

const struct claim claim_22 = {
    .number = 22,
    .mechanism = "shm_sysv",
    .criteria = {"persists"},
    .source = "shmdt(p);                   /* nattch is 0 now, and the segment stays */\n"
              "p = shmat(id, NULL, 0);     /* so does what was in it */\n"
              "/* right after shmat: then it goes with its last user */\n"
              "shmctl(id, IPC_RMID, NULL);",
    .sabotages = {"remove_first"},
    .run = check_last_detach,
};
