#include "workers/spec.h"

#include <errno.h>
#include <unistd.h>

#include "workers/loops.h"

int spec_read(int fd, struct text *document, struct trial_spec *spec, struct err *err)
{
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, errno, "read the trial spec");
        text_append_bytes(document, chunk, (size_t)got);
        if (document->length > TRIAL_SPEC_BYTES_MAX)
            return err_set(err, EFBIG, "the trial spec is longer than %d bytes", TRIAL_SPEC_BYTES_MAX);
    }
    if (!text_ok(document))
        return err_set(err, ENOMEM, "out of memory");
    return trial_spec_decode(text_string(document), document->length, spec, err);
}

static int check_fit(const struct mechanism *mechanism, const struct ipc_case *one, struct err *err)
{
    if (one->message_bytes > mechanism->message_bytes_max)
        return err_set(err, EINVAL, "%s carries messages of at most %lld bytes", mechanism->name,
                       (long long)mechanism->message_bytes_max);
    if ((mechanism->waits >> one->wait & 1) == 0)
        return err_set(err, EINVAL, "%s does not wait by \"%s\"", mechanism->name, wait_names[one->wait]);
    if (one->relation == RELATION_UNRELATED && (mechanism->traits & TRAIT_RELATED_ONLY) != 0)
        return err_set(err, EINVAL, "%s joins relatives only", mechanism->name);
    if (one->placement == PLACEMENT_SAME_CPU && (one->wait == WAIT_SPIN || one->wait == WAIT_SPIN_FUTEX))
        return err_set(err, EINVAL, "wait \"%s\" on one CPU would spin while the peer needs the CPU",
                       wait_names[one->wait]);
    if (loop_for(one->pattern, SEAT_SENDER).run == NULL)
        return err_set(err, EINVAL, "pattern \"%s\" is not known here", pattern_names[one->pattern]);
    if (one->senders != 1 || one->receivers != 1)
        return err_set(err, EINVAL, "%d senders and %d receivers: one of each is known here", one->senders,
                       one->receivers);
    return 0;
}

const struct mechanism *spec_mechanism(const struct trial_spec *spec, struct err *err)
{
    const struct mechanism *mechanism = mechanism_find(spec->one.mechanism);
    if (mechanism == NULL) {
        err_set(err, EINVAL, "there is no mechanism \"%s\"", spec->one.mechanism);
        return NULL;
    }
    return check_fit(mechanism, &spec->one, err) < 0 ? NULL : mechanism;
}
