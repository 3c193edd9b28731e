#include "common/words.h"

#define WORDS_NAME(symbol, name) [symbol] = (name),

const char *const pattern_names[PATTERN_COUNT] = {PATTERN_WORDS(WORDS_NAME)};
const char *const wait_names[WAIT_COUNT] = {WAIT_WORDS(WORDS_NAME)};
const char *const placement_names[PLACEMENT_COUNT] = {PLACEMENT_WORDS(WORDS_NAME)};
const char *const relation_names[RELATION_COUNT] = {RELATION_WORDS(WORDS_NAME)};
const char *const verify_names[VERIFY_COUNT] = {VERIFY_WORDS(WORDS_NAME)};
const char *const distance_names[DISTANCE_COUNT] = {DISTANCE_WORDS(WORDS_NAME)};
const char *const run_state_names[RUN_STATE_COUNT] = {RUN_STATE_WORDS(WORDS_NAME)};
const char *const activity_state_names[ACTIVITY_STATE_COUNT] = {ACTIVITY_STATE_WORDS(WORDS_NAME)};
const char *const verdict_names[VERDICT_COUNT] = {VERDICT_WORDS(WORDS_NAME)};
