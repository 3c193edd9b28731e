/* What may be asked of a lab: each value within its range, and all of them together. */
#include <string.h>

#include "common/cleanup.h"
#include "common/lab_range.h"
#include "tests/support/criterion.h"

static const char lab[] =
    "[{\"name\":\"bytes\",\"type\":\"integer\",\"min\":1,\"max\":64,\"step\":1,\"default\":6,\"bounds\":["
    "{\"kind\":\"max\",\"by\":\"how\",\"when\":[\"slow\"],\"limit\":10}]},"
    "{\"name\":\"how\",\"type\":\"choice\",\"choices\":[\"fast\",\"slow\",\"last\"],\"default\":\"fast\","
    "\"bounds\":["
    "{\"kind\":\"not\",\"by\":\"where\",\"when\":[\"here\"],\"limit\":\"last\"}]},"
    "{\"name\":\"where\",\"type\":\"choice\",\"choices\":[\"here\",\"there\"],\"default\":\"here\","
    "\"bounds\":[]},"
    "{\"name\":\"pause\",\"type\":\"integer\",\"min\":0,\"max\":50,\"default\":8,\"bounds\":["
    "{\"kind\":\"product\",\"by\":\"bytes\",\"when\":[],\"limit\":100}]},"
    "{\"name\":\"writes\",\"type\":\"integer\",\"min\":1,\"max\":9,\"default\":1,\"bounds\":["
    "{\"kind\":\"times\",\"by\":\"bytes\",\"when\":[],\"limit\":2}]},"
    "{\"name\":\"buffer\",\"type\":\"integer\",\"min\":1,\"max\":64,\"step\":4,\"default\":64,\"bounds\":["
    "{\"kind\":\"share\",\"by\":\"bytes\",\"when\":[],\"limit\":8}]},"
    "{\"name\":\"said\",\"type\":\"text\",\"min\":1,\"max\":4,\"default\":\"hi\",\"bounds\":[]}]";

static struct err err;

static struct json_node *parse(const char *text)
{
    struct json_node *node = json_parse(text, strlen(text), &err);
    cr_assert(ne(ptr, node, NULL), "%s: %s", text, err.text);
    return node;
}

static void complete(const char *given, struct text *values, struct faults *faults)
{
    AUTO(json_cleanup) struct json_node *parameters = parse(lab);
    AUTO(json_cleanup) struct json_node *request = parse(given);
    *faults = (struct faults){.count = 0};
    lab_range_complete(parameters, request, values, faults);
}

Test(lab_range, completes_what_is_given_with_the_defaults)
{
    struct faults faults;
    AUTO(text_fini) struct text values = TEXT_EMPTY;
    complete("{\"how\":\"slow\",\"said\":\"~ \"}", &values, &faults);
    cr_expect(eq(sz, faults.count, 0));
    cr_expect(eq(str, values.bytes,
                 "{\"bytes\":6,\"how\":\"slow\",\"where\":\"here\",\"pause\":8,\"writes\":1,\"buffer\":64,"
                 "\"said\":\"~ \"}"));
}

Test(lab_range, refuses_with_the_field_and_what_is_allowed)
{
    static const struct {
        const char *given, *pointer, *detail;
    } cases[] = {
        {"[]", "/parameters", "must be an object, got an array"},
        {"{\"byte\":1}", "/parameters/byte", "unknown field, did you mean \"bytes\"?"},
        {"{\"bytes\":65}", "/parameters/bytes", "must be an integer from 1 to 64, got 65"},
        {"{\"bytes\":11,\"how\":\"slow\",\"pause\":0}", "/parameters/bytes",
         "must be 1 to 10 while how is slow, got 11"},
        {"{\"how\":\"last\"}", "/parameters/how", "must be fast or slow while where is here, got last"},
        {"{\"pause\":17}", "/parameters/pause", "must be 0 to 16 while bytes is 6, got 17"},
        {"{\"bytes\":1,\"writes\":3}", "/parameters/writes", "must be 1 to 2 while bytes is 1, got 3"},
        {"{\"bytes\":33,\"buffer\":4,\"pause\":0}", "/parameters/buffer",
         "must be 5 to 64 while bytes is 33, got 4"},
        {"{\"buffer\":6}", "/parameters/buffer", "must be a multiple of 4 from 1 to 64, got 6"},
        {"{\"said\":\"\"}", "/parameters/said",
         "must be a text of 1 to 4 printable ASCII characters, got another length"},
        {"{\"said\":\"hello\"}", "/parameters/said",
         "must be a text of 1 to 4 printable ASCII characters, got another length"},
        {"{\"said\":\"a\\n\"}", "/parameters/said",
         "must be a text of 1 to 4 printable ASCII characters, got another character in it"},
        {"{\"said\":7}", "/parameters/said",
         "must be a text of 1 to 4 printable ASCII characters, got a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct faults faults;
        AUTO(text_fini) struct text values = TEXT_EMPTY;
        complete(cases[i].given, &values, &faults);
        cr_expect(eq(sz, faults.count, 1), "%s", cases[i].given);
        cr_expect(eq(str, faults.items[0].pointer, (char *)cases[i].pointer), "%s", cases[i].given);
        cr_expect(eq(str, faults.items[0].detail, (char *)cases[i].detail), "%s", cases[i].given);
    }
}

Test(lab_range, takes_only_bounds_that_mean_something)
{
    static const char *const bad[] = {
        "{\"kind\":\"most\",\"by\":\"b\",\"when\":[],\"limit\":1}",
        "{\"kind\":\"none\",\"by\":\"b\",\"when\":[],\"limit\":1}",
        "{\"kind\":\"product\",\"by\":\"c\",\"when\":[],\"limit\":1}",
        "{\"kind\":\"share\",\"by\":\"b\",\"when\":[],\"limit\":0}",
        "{\"kind\":\"max\",\"by\":\"b\",\"when\":[\"x\"],\"limit\":1}",
        "{\"kind\":\"max\",\"by\":\"w\",\"when\":[],\"limit\":1}",
        "{\"kind\":\"not\",\"by\":\"w\",\"when\":[\"x\"],\"limit\":\"x\"}",
    };
    AUTO(json_cleanup) struct json_node *whole = parse(lab);
    for (const struct json_node *at = json_first(whole); at != NULL; at = json_next(at))
        cr_expect(lab_range_parameter_is_sound(whole, at));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO(text_fini) struct text text = TEXT_EMPTY;
        text_printf(
            &text,
            "[{\"name\":\"a\",\"type\":\"integer\",\"min\":1,\"max\":9,\"default\":1,\"bounds\":[%s]},"
            "{\"name\":\"b\",\"type\":\"integer\",\"min\":1,\"max\":9,\"default\":1},"
            "{\"name\":\"w\",\"type\":\"choice\",\"choices\":[\"x\"],\"default\":\"x\"}]",
            bad[i]);
        AUTO(json_cleanup) struct json_node *parameters = parse(text_string(&text));
        cr_expect(not(lab_range_parameter_is_sound(parameters, json_first(parameters))), "%s", bad[i]);
    }
}
