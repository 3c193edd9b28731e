#include "common/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* struct json_node is cJSON's node under a name of our own: the pointer is cast here and nowhere else. */
static const cJSON *as_cjson(const struct json_node *node)
{
    return (const cJSON *)(const void *)node;
}

static const struct json_node *as_node(const cJSON *item)
{
    return (const struct json_node *)(const void *)item;
}

/* "~" and "/" in a member name are written ~0 and ~1 in a pointer. */
static void escape_pointer(const char *name, char *pointer, size_t pointer_bytes)
{
    size_t at = 0;
    pointer[at++] = '/';
    for (; *name != '\0' && at + 3 < pointer_bytes; name++) {
        if (*name == '~' || *name == '/') {
            pointer[at++] = '~';
            pointer[at++] = *name == '~' ? '0' : '1';
        } else {
            pointer[at++] = *name;
        }
    }
    pointer[text_utf8_valid_prefix(pointer, at)] =
        '\0'; /* a long name may have been cut inside a character */
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_before(const char *name, char *pointer, size_t pointer_bytes)
{
    char rest[FAULT_POINTER_BYTES];
    text_copy(rest, sizeof rest, pointer);
    escape_pointer(name, pointer, pointer_bytes);
    size_t length = strlen(pointer);
    text_copy(pointer + length, pointer_bytes - length, rest);
}

/* The pointer to a name that stands twice in one object; 1 if there is one, -ENOMEM. Sorting keeps a hostile
 * object of many names cheap. */
static int find_duplicate(const cJSON *item, char *pointer, size_t pointer_bytes)
{
    size_t count = 0;
    for (const cJSON *child = item->child; child != NULL; child = child->next, count++) {
        int found = find_duplicate(child, pointer, pointer_bytes);
        if (found == 0)
            continue;
        char index[24];
        snprintf(index, sizeof index, "%zu", count);
        put_before(child->string != NULL ? child->string : index, pointer, pointer_bytes);
        return found;
    }
    if (!cJSON_IsObject(item) || count < 2)
        return 0;
    AUTO_FREE const char **names = calloc(count, sizeof *names);
    if (names == NULL)
        return -ENOMEM;
    size_t at = 0;
    for (const cJSON *child = item->child; child != NULL; child = child->next)
        names[at++] = child->string;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0) {
            escape_pointer(names[i], pointer, pointer_bytes);
            return 1;
        }
    return 0;
}

struct json_node *json_parse(const char *bytes, size_t length, struct err *err)
{
    if (json_scan(bytes, length, err) < 0)
        return NULL;
    cJSON *root = cJSON_ParseWithLength(bytes, length);
    if (root == NULL) {
        err_set(err, ENOMEM, "out of memory while reading JSON");
        return NULL;
    }
    char pointer[FAULT_POINTER_BYTES] = "";
    int found = find_duplicate(root, pointer, sizeof pointer);
    if (found == 0)
        return (struct json_node *)(void *)root;
    if (found < 0)
        err_set(err, -found, "out of memory while reading JSON");
    else
        err_set(err, EINVAL, "%s stands twice in one object", pointer);
    cJSON_Delete(root);
    return NULL;
}

void json_free(struct json_node *document)
{
    cJSON_Delete((cJSON *)(void *)document);
}

enum json_kind json_kind_of(const struct json_node *node)
{
    const cJSON *item = as_cjson(node);
    if (cJSON_IsBool(item))
        return JSON_BOOLEAN;
    if (cJSON_IsNumber(item))
        return JSON_NUMBER;
    if (cJSON_IsString(item))
        return JSON_STRING;
    if (cJSON_IsArray(item))
        return JSON_ARRAY;
    if (cJSON_IsObject(item))
        return JSON_OBJECT;
    return JSON_NULL;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOLEAN] = "a boolean", [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",    [JSON_OBJECT] = "an object",
    };
    return names[kind];
}

bool json_is(const struct json_node *node, enum json_kind kind)
{
    return node != NULL && json_kind_of(node) == kind;
}

const struct json_node *json_member(const struct json_node *object, const char *name)
{
    return as_node(cJSON_GetObjectItemCaseSensitive(as_cjson(object), name));
}

const struct json_node *json_first(const struct json_node *container)
{
    return container != NULL ? as_node(as_cjson(container)->child) : NULL;
}

const struct json_node *json_next(const struct json_node *node)
{
    return as_node(as_cjson(node)->next);
}

size_t json_count(const struct json_node *container)
{
    size_t count = 0;
    for (const struct json_node *child = json_first(container); child != NULL; child = json_next(child))
        count++;
    return count;
}

const char *json_name(const struct json_node *node)
{
    return as_cjson(node)->string;
}

const char *json_string_or(const struct json_node *node, const char *fallback)
{
    return json_is(node, JSON_STRING) ? as_cjson(node)->valuestring : fallback;
}

double json_number_or(const struct json_node *node, double fallback)
{
    return json_is(node, JSON_NUMBER) ? as_cjson(node)->valuedouble : fallback;
}

bool json_is_integer(const struct json_node *node)
{
    double value = json_number_or(node, 0.5);
    return fabs(value) <= (double)JSON_INTEGER_MAX && value == floor(value);
}

int64_t json_integer_or(const struct json_node *node, int64_t fallback)
{
    return json_is_integer(node) ? (int64_t)as_cjson(node)->valuedouble : fallback;
}

bool json_boolean_or(const struct json_node *node, bool fallback)
{
    return json_is(node, JSON_BOOLEAN) ? cJSON_IsTrue(as_cjson(node)) != 0 : fallback;
}

/* ---- one member with its faults ---- */

static void add_fault(struct faults *faults, const char *name, const char *expected,
                      const struct json_node *got)
{
    char pointer[FAULT_POINTER_BYTES];
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (json_is(got, JSON_NUMBER))
        faults_add(faults, pointer, "must be %s, got %.15g", expected, json_number_or(got, 0));
    else
        faults_add(faults, pointer, "must be %s, got %s", expected, json_kind_name(json_kind_of(got)));
}

bool json_read_integer(const struct json_node *object, const char *name, int64_t min, int64_t max,
                       int64_t *value, struct faults *faults)
{
    const struct json_node *node = json_member(object, name);
    if (node == NULL)
        return false;
    if (!json_is_integer(node) || json_integer_or(node, 0) < min || json_integer_or(node, 0) > max) {
        char expected[96];
        snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)min, (long long)max);
        add_fault(faults, name, expected, node);
        return false;
    }
    *value = json_integer_or(node, 0);
    return true;
}

bool json_read_number(const struct json_node *object, const char *name, double min, double max, double *value,
                      struct faults *faults)
{
    const struct json_node *node = json_member(object, name);
    if (node == NULL)
        return false;
    double number = json_number_or(node, NAN);
    if (!(number >= min && number <= max)) {
        char expected[96];
        snprintf(expected, sizeof expected, "a number from %.15g to %.15g", min, max);
        add_fault(faults, name, expected, node);
        return false;
    }
    *value = number;
    return true;
}

bool json_read_boolean(const struct json_node *object, const char *name, bool *value, struct faults *faults)
{
    const struct json_node *node = json_member(object, name);
    if (node == NULL)
        return false;
    if (!json_is(node, JSON_BOOLEAN)) {
        add_fault(faults, name, "true or false", node);
        return false;
    }
    *value = json_boolean_or(node, false);
    return true;
}

bool json_read_string(const struct json_node *object, const char *name, size_t length_max, char *value,
                      struct faults *faults)
{
    const struct json_node *node = json_member(object, name);
    if (node == NULL)
        return false;
    const char *string = json_string_or(node, NULL);
    if (string == NULL || strlen(string) > length_max) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/%s", name);
        if (string == NULL)
            faults_add(faults, pointer, "must be a string, got %s", json_kind_name(json_kind_of(node)));
        else
            faults_add(faults, pointer, "must be at most %zu bytes of UTF-8, got %zu", length_max,
                       strlen(string));
        return false;
    }
    text_copy(value, length_max + 1, string);
    return true;
}

bool json_word(const struct json_node *node, const char *pointer, const char *const *table, size_t count,
               int *value, struct faults *faults)
{
    const char *word = json_string_or(node, NULL);
    int index = word != NULL ? text_index_of(word, table, count) : -1;
    if (index >= 0) {
        *value = index;
        return true;
    }
    char known[FAULT_LIST_BYTES];
    text_list(table, count, known, sizeof known);
    const char *nearest = word != NULL ? text_nearest(word, table, count) : NULL;
    if (nearest != NULL)
        faults_add(faults, pointer, "unknown \"%.40s\", did you mean \"%s\"? Known: %s", word, nearest,
                   known);
    else
        faults_add(faults, pointer, "must be one of: %s", known);
    return false;
}

bool json_read_word(const struct json_node *object, const char *name, const char *const *table, size_t count,
                    int *value, struct faults *faults)
{
    const struct json_node *node = json_member(object, name);
    if (node == NULL)
        return false;
    char pointer[FAULT_POINTER_BYTES];
    snprintf(pointer, sizeof pointer, "/%s", name);
    return json_word(node, pointer, table, count, value, faults);
}

void json_read_only_known(const struct json_node *object, const char *const *table, size_t count,
                          struct faults *faults)
{
    char known[FAULT_LIST_BYTES];
    text_list(table, count, known, sizeof known);
    for (const struct json_node *child = json_first(object); child != NULL; child = json_next(child)) {
        if (text_index_of(json_name(child), table, count) >= 0)
            continue;
        char pointer[FAULT_POINTER_BYTES];
        escape_pointer(json_name(child), pointer, sizeof pointer);
        const char *nearest = text_nearest(json_name(child), table, count);
        if (nearest != NULL)
            faults_add(faults, pointer, "unknown field, did you mean \"%s\"?", nearest);
        else
            faults_add(faults, pointer, "unknown field; known: %s", count > 0 ? known : "none");
    }
}
