/* messages: what labs and claims say to people, in their language.
 *
 * One catalogue a language, web/messages/LANGUAGE.json, which is embedded like every file of the page. What a
 * language lacks is taken from English. A text may have placeholders, {capacity_bytes}, that are filled in
 * from evidence. Everything is borrowed from the catalogues, which live as long as struct messages. */
#ifndef IPCLAB_SERVER_MESSAGES_H
#define IPCLAB_SERVER_MESSAGES_H

#include "common/err.h"
#include "common/json.h"

struct messages;
struct messages_language;

int messages_new(struct messages **messages, struct err *err);
void messages_free(struct messages *messages);

/* The language that an Accept-Language field (RFC 9110 §12.5.4) asks for most; English for NULL and where
 * there is none of those it names. */
const struct messages_language *messages_choose(const struct messages *messages, const char *accept_language);
const char *messages_language_name(const struct messages_language *language);

/* The place of a dotted path, "labs.pipe_gauge.title"; NULL if nobody wrote it. */
__attribute__((format(printf, 2, 3))) const struct json_node *
messages_find(const struct messages_language *language, const char *path, ...);
/* A text, filled in and appended; values is an object, or NULL. The last word of its path if it is not there,
 * so that a gap is seen. */
__attribute__((format(printf, 4, 5))) void messages_append(struct text *out,
                                                           const struct messages_language *language,
                                                           const struct json_node *values, const char *path,
                                                           ...);

#endif
