/* Fault scripts: a line of text becomes a rule. */
#include "target/rules.h"

#include <stdio.h>

/* --- words --- */

bool rule_wrong(struct rule_words *words, const char *word, const char *what)
{
    if (word != NULL)
        snprintf(words->error, words->room, "%s: %s", word, what);
    else
        snprintf(words->error, words->room, "%s is missing", what);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool split(char *line, struct rule_words *words)
{
    char *comment = strchr(line, '#');

    if (comment != NULL)
        *comment = '\0';
    for (;;) {
        while (is_blank(*line))
            *line++ = '\0';
        if (*line == '\0')
            return true;
        if (words->count == RULE_WORDS)
            return rule_wrong(words, "the line", "has too many words");
        words->word[words->count++] = line;
        while (*line != '\0' && !is_blank(*line))
            line++;
    }
}

static char *peek(struct rule_words *words)
{
    return words->at < words->count ? words->word[words->at] : NULL;
}

char *rule_word(struct rule_words *words)
{
    char *word = peek(words);

    if (word == NULL || strcmp(word, "and") == 0)
        return NULL;
    words->at++;
    return word;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Decimal, or hexadecimal with 0x. */
bool rule_number(const char *text, uint64_t *out)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t base = hex ? 16 : 10;
    uint64_t number = 0;

    if (hex)
        text += 2;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)digit_of(*text);

        if (digit >= base || number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    *out = number;
    return true;
}

bool rule_take_number(struct rule_words *words, uint64_t most, uint64_t *out)
{
    const char *word = rule_word(words);

    if (word == NULL)
        return rule_wrong(words, NULL, "a number");
    if (!rule_number(word, out))
        return rule_wrong(words, word, "not a number");
    return *out <= most || rule_wrong(words, word, "too large");
}

bool rule_may_take_number(struct rule_words *words, uint64_t most, uint64_t *out)
{
    const char *word = peek(words);
    uint64_t number;

    if (word == NULL || !rule_number(word, &number))
        return true;
    return rule_take_number(words, most, out);
}

/* --- when --- */

static const struct {
    const char *name;
    unsigned event;
    uint8_t opcode;
} event_names[] = {
    {"connect", RULE_CONNECT, 0},
    {"full-feature", RULE_FULL_FEATURE, 0},
    {"time", RULE_TIME, 0},
    {"nop-out", RULE_REQUEST, PDU_NOP_OUT},
    {"scsi-command", RULE_REQUEST, PDU_SCSI_COMMAND},
    {"task-request", RULE_REQUEST, PDU_TASK_REQUEST},
    {"login-request", RULE_REQUEST, PDU_LOGIN_REQUEST},
    {"text-request", RULE_REQUEST, PDU_TEXT_REQUEST},
    {"data-out", RULE_REQUEST, PDU_DATA_OUT},
    {"logout-request", RULE_REQUEST, PDU_LOGOUT_REQUEST},
    {"snack", RULE_REQUEST, PDU_SNACK},
    {"any-request", RULE_REQUEST, RULE_ANY_PDU},
    {"nop-in", RULE_RESPONSE, PDU_NOP_IN},
    {"scsi-response", RULE_RESPONSE, PDU_SCSI_RESPONSE},
    {"task-response", RULE_RESPONSE, PDU_TASK_RESPONSE},
    {"login-response", RULE_RESPONSE, PDU_LOGIN_RESPONSE},
    {"text-response", RULE_RESPONSE, PDU_TEXT_RESPONSE},
    {"data-in", RULE_RESPONSE, PDU_DATA_IN},
    {"logout-response", RULE_RESPONSE, PDU_LOGOUT_RESPONSE},
    {"r2t", RULE_RESPONSE, PDU_R2T},
    {"async-message", RULE_RESPONSE, PDU_ASYNC_MESSAGE},
    {"reject", RULE_RESPONSE, PDU_REJECT},
    {"status", RULE_RESPONSE, RULE_STATUS},
    {"any-response", RULE_RESPONSE, RULE_ANY_PDU},
};

static bool parse_event(struct rule_words *words, struct rule *rule)
{
    const char *word = rule_word(words);
    uint64_t number;

    if (word == NULL)
        return rule_wrong(words, NULL, "an event");
    for (size_t i = 0; i < sizeof event_names / sizeof event_names[0]; i++) {
        if (strcmp(event_names[i].name, word) == 0) {
            rule->event = event_names[i].event;
            rule->opcode = event_names[i].opcode;
        }
    }
    if (rule->event == 0)
        return rule_wrong(words, word, "no such event");
    if (rule->event != RULE_TIME)
        return true;
    if (!rule_take_number(words, UINT32_MAX, &number))
        return false;
    rule->milliseconds = (uint32_t)number;
    return true;
}

/* "3", "3-", "3-5": which of those that meet the conditions. */
static bool read_range(char *word, struct rule *rule)
{
    char *dash = strchr(word, '-');

    if (dash != NULL)
        *dash = '\0';
    if (!rule_number(word, &rule->first) || rule->first == 0)
        return false;
    rule->last = dash == NULL ? rule->first : UINT64_MAX;
    return dash == NULL || dash[1] == '\0' ||
           (rule_number(dash + 1, &rule->last) && rule->last >= rule->first);
}

static bool parse_ordinal(struct rule_words *words, struct rule *rule)
{
    char *word = peek(words);

    rule->first = 1;
    rule->last = UINT64_MAX;
    if (word == NULL || rule->event == RULE_TIME)
        return true;
    if (strcmp(word, "every") == 0) {
        words->at++;
        if (!rule_take_number(words, UINT64_MAX, &rule->every))
            return false;
        return rule->every > 0 || rule_wrong(words, "every 0", "not an interval");
    }
    if (digit_of(word[0]) > 9)
        return true;
    words->at++;
    return read_range(word, rule) || rule_wrong(words, word, "not a place in the order");
}

/* "field=value", also with != < > */
static bool parse_condition(struct rule_words *words, struct rule *rule)
{
    char *word = rule_word(words);
    struct rule_condition *condition = &rule->condition[rule->conditions];
    size_t length;
    char *value;

    if (word == NULL)
        return rule_wrong(words, NULL, "a condition");
    if (rule->conditions == RULE_PARTS)
        return rule_wrong(words, word, "too many conditions");
    length = strcspn(word, "=!<>");
    condition->compare = word[length];
    if (condition->compare == '\0')
        return rule_wrong(words, word, "not a condition");
    value = word + length + 1;
    if (condition->compare == '!' && *value++ != '=')
        return rule_wrong(words, word, "not a condition");
    if (!rule_number(value, &condition->value))
        return rule_wrong(words, word, "its value is not a number");
    word[length] = '\0';
    if (!rule_field_find(word, rule->event, &condition->field))
        return rule_wrong(words, word, "no such field here");
    rule->conditions++;
    return true;
}

/* "1/20", "0.05" */
static bool parse_chance(struct rule_words *words, struct rule *rule)
{
    char *word = rule_word(words);
    char *slash = word != NULL ? strchr(word, '/') : NULL;
    uint64_t part, whole;

    if (word == NULL)
        return rule_wrong(words, NULL, "a chance");
    if (slash == NULL)
        return rule_wrong(words, word, "not a chance such as 1/20");
    *slash = '\0';
    if (!rule_number(word, &part) || !rule_number(slash + 1, &whole) || whole == 0 || part > whole)
        return rule_wrong(words, word, "not a chance such as 1/20");
    rule->chance = (double)part / (double)whole;
    return true;
}

/* --- the line --- */

static bool parse_when(struct rule_words *words, struct rule *rule)
{
    const char *word = rule_word(words);

    if (word == NULL || strcmp(word, "on") != 0)
        return rule_wrong(words, word != NULL ? word : "and", "a rule begins with \"on\"");
    if (!parse_event(words, rule) || !parse_ordinal(words, rule))
        return false;
    rule->chance = 1;
    while ((word = peek(words)) != NULL) {
        bool good = true;

        if (strcmp(word, "with") != 0 && strcmp(word, "chance") != 0)
            return true;
        words->at++;
        good = word[0] == 'w' ? parse_condition(words, rule) : parse_chance(words, rule);
        if (!good)
            return false;
    }
    return true;
}

static bool parse_actions(struct rule_words *words, struct rule *rule)
{
    for (;;) {
        const char *left;

        if (rule->actions == RULE_PARTS)
            return rule_wrong(words, "the rule", "has too many actions");
        if (!rule_action_parse(words, rule->event, rule->opcode, &rule->action[rule->actions]))
            return false;
        rule->actions++;
        left = rule_word(words);
        if (left != NULL)
            return rule_wrong(words, left, "too much here");
        if (peek(words) == NULL)
            return true;
        words->at++; /* "and" */
    }
}

void rule_free(struct rule *rule)
{
    if (rule == NULL)
        return;
    for (size_t i = 0; i < RULE_PARTS; i++)
        os_free(rule->action[i].text);
    os_free(rule);
}

struct rule *rule_parse(char *line, char *error, size_t room)
{
    struct rule_words words = {.error = error, .room = room};
    struct rule *rule;

    *error = '\0';
    if (!split(line, &words) || words.count == 0)
        return NULL;
    rule = os_alloc(sizeof *rule);
    if (rule == NULL) {
        rule_wrong(&words, "the rule", "out of memory");
        return NULL;
    }
    if (!parse_when(&words, rule) || !parse_actions(&words, rule)) {
        rule_free(rule);
        return NULL;
    }
    return rule;
}
