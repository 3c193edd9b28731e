#include "workers/spec.h"

#include <errno.h>
#include <unistd.h>

#include "workers/placement.h"

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

/* Several senders or receivers. */
static int check_shared(const struct mechanism *mechanism, const struct ipc_case *one, struct err *err)
{
    if (one->pattern != PATTERN_STREAM)
        return err_set(err, EINVAL, "pattern \"%s\" is between one sender and one receiver",
                       pattern_names[one->pattern]);
    if (one->senders > 1 && (mechanism->traits & TRAIT_MANY_SENDERS) == 0)
        return err_set(err, EINVAL, "%s takes one sender, not %d senders", mechanism->name, one->senders);
    if (one->receivers > 1 && (mechanism->traits & TRAIT_MANY_RECEIVERS) == 0)
        return err_set(err, EINVAL, "%s takes one receiver, not %d receivers", mechanism->name,
                       one->receivers);
    if (one->message_bytes < CASE_SHARED_BYTES_MIN)
        return err_set(err, EINVAL, "below %d bytes a message does not say which sender it is from",
                       CASE_SHARED_BYTES_MIN);
    return 0;
}

static int check_fit(const struct mechanism *mechanism, const struct ipc_case *one, struct err *err)
{
    if (mechanism_check_message_bytes(mechanism, one->message_bytes, err) < 0)
        return -err->code;
    if ((mechanism->waits >> one->wait & 1) == 0)
        return err_set(err, EINVAL, "%s does not wait by \"%s\"", mechanism->name, wait_names[one->wait]);
    if (one->relation == RELATION_UNRELATED && (mechanism->traits & TRAIT_RELATED_ONLY) != 0)
        return err_set(err, EINVAL, "%s joins relatives only", mechanism->name);
    if (wait_spins(one->wait) && placement_is_crowded(one->placement, one->senders + one->receivers))
        return err_set(err, EINVAL, "wait \"%s\" with %d workers would spin while another one needs the CPU",
                       wait_names[one->wait], one->senders + one->receivers);
    if (one->pattern == PATTERN_PACED &&
        !(one->rate_hz >= CASE_RATE_HZ_MIN && one->rate_hz <= CASE_RATE_HZ_MAX))
        return err_set(err, EINVAL, "a paced case needs a rate of %d to %d messages a second",
                       CASE_RATE_HZ_MIN, CASE_RATE_HZ_MAX);
    return case_is_shared(one) ? check_shared(mechanism, one, err) : 0;
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
