#include "server/lab_catalogue.h"

#include <errno.h>
#include <string.h>

#include "common/lab_range.h"

static const char *string_of(const struct json_node *object, const char *name)
{
    return json_string_or(json_member(object, name), "");
}

/* ---- reading ---- */

static int check_lab(const struct json_node *lab, struct err *err)
{
    const char *name = lab_name(lab);
    if (name[0] == '\0' || lab_duration_ms_max(lab) <= 0)
        return err_set(err, EPROTO, "a lab has no name or no duration");
    const struct json_node *parameters = json_member(lab, "parameters");
    const struct json_node *parameter = json_first(parameters);
    for (; parameter != NULL; parameter = json_next(parameter))
        if (!lab_range_parameter_is_sound(parameters, parameter))
            return err_set(err, EPROTO,
                           "a parameter of lab %.40s has no name, range, default or sound bounds", name);
    if (!lab_range_is_sound(json_member(lab, "prediction")))
        return err_set(err, EPROTO, "lab %.40s does not say what can be predicted", name);
    return 0;
}

int lab_catalogue_init(struct lab_catalogue *catalogue, struct json_node *labs, struct json_node *claims,
                       struct err *err)
{
    *catalogue = (struct lab_catalogue){labs, claims};
    for (const struct json_node *lab = lab_catalogue_first_lab(catalogue); lab != NULL; lab = json_next(lab))
        if (check_lab(lab, err) < 0)
            return -EPROTO;
    int64_t number = 0;
    const struct json_node *claim = lab_catalogue_first_claim(catalogue);
    for (; claim != NULL; claim = json_next(claim)) {
        if (claim_number(claim) <= number || claim_number(claim) > INT32_MAX)
            return err_set(err, EPROTO, "the claims are not in the order of their numbers");
        number = claim_number(claim);
    }
    return 0;
}

void lab_catalogue_fini(struct lab_catalogue *catalogue)
{
    json_free(catalogue->labs);
    json_free(catalogue->claims);
    *catalogue = (struct lab_catalogue){NULL, NULL};
}

/* ---- finding ---- */

const struct json_node *lab_catalogue_first_lab(const struct lab_catalogue *catalogue)
{
    return json_first(json_member(catalogue->labs, "labs"));
}

const struct json_node *lab_catalogue_first_claim(const struct lab_catalogue *catalogue)
{
    return json_first(json_member(catalogue->claims, "claims"));
}

const struct json_node *lab_catalogue_find_lab(const struct lab_catalogue *catalogue, const char *name)
{
    const struct json_node *lab = lab_catalogue_first_lab(catalogue);
    while (lab != NULL && strcmp(lab_name(lab), name) != 0)
        lab = json_next(lab);
    return lab;
}

const struct json_node *lab_catalogue_find_claim(const struct lab_catalogue *catalogue, int64_t number)
{
    const struct json_node *claim = lab_catalogue_first_claim(catalogue);
    while (claim != NULL && claim_number(claim) != number)
        claim = json_next(claim);
    return claim;
}

size_t lab_catalogue_claim_count(const struct lab_catalogue *catalogue)
{
    return json_count(json_member(catalogue->claims, "claims"));
}

const char *lab_name(const struct json_node *lab)
{
    return string_of(lab, "name");
}

int64_t lab_duration_ms_max(const struct json_node *lab)
{
    return json_integer_or(json_member(lab, "duration_ms_max"), 0);
}

bool lab_shows_claim(const struct json_node *lab, const struct json_node *claim)
{
    const struct json_node *number = json_first(json_member(lab, "claims"));
    for (; number != NULL; number = json_next(number))
        if (json_integer_or(number, 0) == claim_number(claim))
            return true;
    const struct json_node *name = json_first(json_member(claim, "labs"));
    for (; name != NULL; name = json_next(name))
        if (strcmp(json_string_or(name, ""), lab_name(lab)) == 0)
            return true;
    return false;
}

int64_t claim_number(const struct json_node *claim)
{
    return json_integer_or(json_member(claim, "number"), 0);
}

bool claim_is_timed(const struct json_node *claim)
{
    return json_boolean_or(json_member(claim, "timed"), false);
}

/* ---- what may be asked ---- */

void lab_read_parameters(const struct json_node *lab, const struct json_node *given, struct text *parameters,
                         struct faults *faults)
{
    lab_range_complete(json_member(lab, "parameters"), given, parameters, faults);
}

void lab_check_answer(const struct json_node *lab, const struct json_node *prediction, struct faults *faults)
{
    if (json_member(prediction, "answer") == NULL)
        faults_add(faults, "/answer", "is missing");
    else
        lab_range_check(json_member(lab, "prediction"), prediction, "answer", faults);
}

int lab_judge_answer(const struct json_node *lab, const struct json_node *answer,
                     const struct json_node *outcome)
{
    if (json_is(answer, JSON_NULL) || json_is(outcome, JSON_NULL) || answer == NULL || outcome == NULL)
        return -1;
    if (json_kind_of(answer) != json_kind_of(outcome))
        return 0;
    if (json_is(answer, JSON_STRING))
        return strcmp(json_string_or(answer, ""), json_string_or(outcome, "")) == 0;
    if (json_is(answer, JSON_BOOLEAN))
        return json_boolean_or(answer, false) == json_boolean_or(outcome, false);
    double tolerance = json_number_or(json_member(json_member(lab, "prediction"), "tolerance_percent"), 0);
    double off = json_number_or(answer, 0) - json_number_or(outcome, 0);
    double allowed = json_number_or(outcome, 0) * tolerance / 100;
    return (off < 0 ? -off : off) <= (allowed < 0 ? -allowed : allowed);
}
