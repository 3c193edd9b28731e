/* The strict half of json.h: does this text obey RFC 8259, within our bounds? It builds nothing. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

enum { NUMBER_BYTES_MAX = 64 };

struct scan {
    const char *bytes;
    size_t length;
    size_t at;
    int depth;
    const char *fault; /* what was expected at `at`, NULL while all is well */
};

static bool scan_value(struct scan *scan);

static int peek(const struct scan *scan)
{
    return scan->at < scan->length ? (unsigned char)scan->bytes[scan->at] : -1;
}

static bool fail(struct scan *scan, const char *fault)
{
    if (scan->fault == NULL)
        scan->fault = fault;
    return false;
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->length && strchr(" \t\r\n", scan->bytes[scan->at]) != NULL &&
           scan->bytes[scan->at] != '\0')
        scan->at++;
}

static bool take(struct scan *scan, char c)
{
    if (peek(scan) != c)
        return false;
    scan->at++;
    return true;
}

static size_t take_digits(struct scan *scan)
{
    size_t begin = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at - begin;
}

static bool scan_number(struct scan *scan)
{
    size_t begin = scan->at;
    take(scan, '-');
    bool leading_zero = peek(scan) == '0';
    size_t digits = take_digits(scan);
    if (digits == 0 || (leading_zero && digits > 1))
        return fail(scan, "expected a number without leading zeros");
    if (take(scan, '.') && take_digits(scan) == 0)
        return fail(scan, "expected a digit after the decimal point");
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        if (take_digits(scan) == 0)
            return fail(scan, "expected a digit in the exponent");
    }
    char number[NUMBER_BYTES_MAX];
    size_t length = scan->at - begin;
    if (length >= sizeof number)
        return fail(scan, "number has too many digits");
    memcpy(number, scan->bytes + begin, length);
    number[length] = '\0';
    if (!isfinite(strtod(number, NULL)))
        return fail(scan, "number is too large");
    return true;
}

/* Four hexadecimal digits, or -1. */
static int take_hex4(struct scan *scan)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(scan);
        if (c < 0 || !isxdigit(c))
            return -1;
        value = value * 16 + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
        scan->at++;
    }
    return value;
}

static bool scan_unicode_escape(struct scan *scan)
{
    int unit = take_hex4(scan);
    if (unit < 0)
        return fail(scan, "expected four hexadecimal digits after \\u");
    if (unit == 0)
        return fail(scan, "\\u0000 is not allowed in a string");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return fail(scan, "low surrogate without a high one");
    if (unit < 0xD800 || unit > 0xDBFF)
        return true;
    if (!take(scan, '\\') || !take(scan, 'u'))
        return fail(scan, "high surrogate without a low one");
    int low = take_hex4(scan);
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(scan, "high surrogate without a low one");
    return true;
}

static bool scan_string(struct scan *scan)
{
    if (!take(scan, '"'))
        return fail(scan, "expected a string");
    for (;;) {
        int c = peek(scan);
        if (c < 0)
            return fail(scan, "string does not end");
        if (c < 0x20)
            return fail(scan, "control character in a string: write it as \\u00XX");
        scan->at++;
        if (c == '"')
            return true;
        if (c != '\\')
            continue;
        if (take(scan, 'u')) {
            if (!scan_unicode_escape(scan))
                return false;
        } else if (peek(scan) <= 0 || strchr("\"\\/bfnrt", peek(scan)) == NULL) {
            return fail(scan, "unknown escape in a string");
        } else {
            scan->at++;
        }
    }
}

static bool scan_member(struct scan *scan)
{
    skip_space(scan);
    if (!scan_string(scan))
        return false;
    skip_space(scan);
    if (!take(scan, ':'))
        return fail(scan, "expected ':' after a member name");
    return scan_value(scan);
}

static bool scan_container(struct scan *scan, char close, bool (*scan_element)(struct scan *))
{
    scan->at++;
    if (++scan->depth > JSON_DEPTH_MAX)
        return fail(scan, "nested too deeply (16 levels at most)");
    skip_space(scan);
    if (!take(scan, close)) {
        do {
            if (!scan_element(scan))
                return false;
            skip_space(scan);
        } while (take(scan, ','));
        if (!take(scan, close))
            return fail(scan, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    scan->depth--;
    return true;
}

static bool scan_literal(struct scan *scan, const char *literal)
{
    size_t length = strlen(literal);
    if (scan->length - scan->at < length || memcmp(scan->bytes + scan->at, literal, length) != 0)
        return fail(scan, "expected a JSON value");
    scan->at += length;
    return true;
}

static bool scan_value(struct scan *scan)
{
    skip_space(scan);
    switch (peek(scan)) {
    case '{':
        return scan_container(scan, '}', scan_member);
    case '[':
        return scan_container(scan, ']', scan_value);
    case '"':
        return scan_string(scan);
    case 't':
        return scan_literal(scan, "true");
    case 'f':
        return scan_literal(scan, "false");
    case 'n':
        return scan_literal(scan, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return scan_number(scan);
    default:
        return fail(scan, "expected a JSON value");
    }
}

int json_scan(const char *bytes, size_t length, struct err *err)
{
    size_t valid = text_utf8_valid_prefix(bytes, length);
    if (valid != length)
        return err_set(err, EINVAL, "byte %zu: not valid UTF-8", valid);
    struct scan scan = {.bytes = bytes, .length = length};
    if (scan_value(&scan)) {
        skip_space(&scan);
        if (scan.at != length)
            fail(&scan, "text after the end of the JSON value");
    }
    if (scan.fault != NULL)
        return err_set(err, EINVAL, "byte %zu: %s", scan.at, scan.fault);
    return 0;
}
