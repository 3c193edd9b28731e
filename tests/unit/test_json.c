#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/support/criterion.h"

static bool accepts(const char *text)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(text, strlen(text), NULL);
    return document != NULL;
}

Test(json, accepts_what_rfc_8259_allows)
{
    static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        " \t\r\n1 ",
        "-0",
        "0.5e-7",
        "1E+2",
        "\"\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "[1,[2,{\"a\":null}]]",
        "\"\xc3\xa9\"",
        "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(accepts(good[i]), "%s", good[i]);
}

Test(json, refuses_what_cjson_lets_through)
{
    static const char *const bad[] = {
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "nul",
        "tru",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "'a'",
        "\"a",
        "\"\x01\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "[1] 2",
        "{} {}",
        "\xef\xbb\xbf{}",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"x\":1,\"y\":2,\"x\":3}}",
        "[",
        "{\"a\":",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(not(accepts(bad[i])), "%s", bad[i]);
}

Test(json, names_the_byte_of_a_fault)
{
    struct err err;
    const char *text = "{\"a\": 1, \"b\": 01}";
    cr_assert(zero(ptr, json_parse(text, strlen(text), &err)));
    cr_expect(strstr(err.text, "byte 16") != NULL, "%s", err.text);
}

Test(json, names_the_place_of_a_name_that_stands_twice)
{
    struct err err;
    const char *text = "{\"a\": [0, {\"b/c\": {\"d\": 1, \"e\": 2, \"d\": 3}}]}";
    cr_assert(zero(ptr, json_parse(text, strlen(text), &err)));
    cr_expect(eq(str, err.text, "/a/1/b~1c/d stands twice in one object"));
    char deep[2048] = "";
    for (int i = 0; i < 15; i++)
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "{\"%0100d\":", i);
    strcat(deep, "{\"x\":1,\"x\":2}}}}}}}}}}}}}}}}");
    cr_assert(zero(ptr, json_parse(deep, strlen(deep), &err)));
    cr_expect(strstr(err.text, "stands twice") != NULL, "%s", err.text);
}

Test(json, writes_integers_exactly_and_doubles_shortest)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_array(&writer, NULL);
    json_write_integer(&writer, NULL, INT64_MIN);
    json_write_unsigned(&writer, NULL, UINT64_MAX);
    json_write_integer(&writer, NULL, JSON_INTEGER_MAX);
    json_write_number(&writer, NULL, 0.1);
    json_write_number(&writer, NULL, 1.0 / 3);
    json_write_number(&writer, NULL, NAN);
    json_write_number(&writer, NULL, INFINITY);
    json_end_array(&writer);
    cr_expect(
        eq(str, text.bytes,
           "[-9223372036854775808,18446744073709551615,9007199254740991,0.1,0.3333333333333333,null,null]"));
}

Test(json, what_is_written_reads_back_equal)
{
    const char *source =
        "{\"s\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\",\"n\":[1,2.5,-3e-9,true,false,null],\"o\":{}}";
    AUTO(json_cleanup) struct json_node *document = json_parse(source, strlen(source), NULL);
    AUTO(text_fini) struct text once = TEXT_EMPTY, twice = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&once);
    json_write_node(&writer, NULL, document);
    AUTO(json_cleanup) struct json_node *again = json_parse(once.bytes, once.length, NULL);
    cr_assert(ne(ptr, again, NULL), "%s", once.bytes);
    writer = json_writer_on(&twice);
    json_write_node(&writer, NULL, again);
    cr_expect(eq(str, once.bytes, twice.bytes));
    cr_expect(eq(str, (char *)json_string_or(json_member(again, "s"), ""), "a\"\\\n\x01\xc3\xa9"));
}

Test(json, a_writer_may_begin_inside_other_text)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    text_append(&text, "data: ");
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_boolean(&writer, "a", true);
    json_end_object(&writer);
    cr_expect(eq(str, text.bytes, "data: {\"a\":true}"));
}

Test(json, integers_are_integers)
{
    const char *source = "[9007199254740991, 9007199254740993, 1.5, 1e3]";
    AUTO(json_cleanup) struct json_node *document = json_parse(source, strlen(source), NULL);
    const struct json_node *node = json_first(document);
    cr_expect(eq(i64, json_integer_or(node, -1), JSON_INTEGER_MAX));
    node = json_next(node);
    cr_expect(eq(i64, json_integer_or(node, -1), -1));
    node = json_next(node);
    cr_expect(eq(i64, json_integer_or(node, -1), -1));
    node = json_next(node);
    cr_expect(eq(i64, json_integer_or(node, -1), 1000));
}

Test(json, a_fault_names_field_bound_and_nearest_word)
{
    static const char *const known[] = {"trials", "seed"};
    static const char *const words[] = {"pipe", "fifo"};
    const char *source = "{\"trials\":0,\"sede\":1,\"kind\":\"pipw\",\"a/b~\":1}";
    AUTO(json_cleanup) struct json_node *document = json_parse(source, strlen(source), NULL);
    struct faults faults = {.count = 0};
    int64_t trials = 7;
    int word = 5;
    cr_expect(not(json_read_integer(document, "trials", 1, 1000, &trials, &faults)));
    cr_expect(eq(i64, trials, 7));
    cr_expect(eq(str, faults.items[0].pointer, "/trials"));
    cr_expect(eq(str, faults.items[0].detail, "must be an integer from 1 to 1000, got 0"));
    cr_expect(not(json_read_word(document, "kind", words, 2, &word, &faults)));
    cr_expect(strstr(faults.items[1].detail, "did you mean \"pipe\"") != NULL, "%s", faults.items[1].detail);
    json_read_only_known(document, known, 2, &faults);
    cr_expect(strstr(faults.items[2].detail, "did you mean \"seed\"") != NULL, "%s", faults.items[2].detail);
    cr_expect(eq(str, faults.items[4].pointer, "/a~1b~0"));
}
