/* Inside the fault scripts: what the lines become. */
#ifndef TARGET_RULES_H
#define TARGET_RULES_H

#include "target/internal.h"
#include "target/script.h"

#define RULE_PARTS 8u /* conditions, and actions, of one rule */

enum rule_event {
    RULE_CONNECT = 1,
    RULE_FULL_FEATURE = 2,
    RULE_TIME = 4,
    RULE_REQUEST = 8,   /* a PDU that comes in */
    RULE_RESPONSE = 16, /* a PDU that goes out */
};

enum { RULE_ANY_PDU = 0xff, RULE_STATUS = 0xfe }; /* in place of an opcode */

/* --- fields.c: the numbers in a header --- */

struct rule_field {
    uint8_t kind; /* enum rule_field_kind */
    uint8_t offset;
    uint8_t width; /* bytes */
    uint64_t mask; /* 0: all of them */
};

enum rule_field_kind {
    RULE_FIELD_HEADER,
    RULE_FIELD_CONNECTION, /* which connection of the script, from 1 */
    RULE_FIELD_CID,
    RULE_FIELD_DISCOVERY,
    RULE_FIELD_AGAIN,
};

/* `events`: who asks. False: no such field there. */
bool rule_field_find(const char *name, unsigned events, struct rule_field *out);
uint64_t rule_field_get(const struct rule_field *field, const uint8_t *bhs);
void rule_field_set(const struct rule_field *field, uint8_t *bhs, uint64_t value);

/* --- rules --- */

struct rule_condition {
    struct rule_field field;
    char compare; /* '=', '!', '<', '>' */
    uint64_t value;
};

/* Has the action wait until the PDU that it is about is on its way; false: it need not wait. */
struct rule_action;
struct rule_scene;
bool rule_later(const struct rule_action *action, const struct rule_scene *scene);

/* What an action works on; members are NULL where there is none of it. */
struct rule_scene {
    struct target_script *script;
    struct target_connection *connection;
    struct target_fault_in *in;
    struct target_fault_out *out;
};

struct rule_action {
    void (*obey)(const struct rule_action *action, const struct rule_scene *scene);
    struct rule_field field;
    char sign; /* of `value`: '+', '-', or 0 for as it is */
    uint64_t value;
    uint32_t more[4];
    char *text; /* owned */
    size_t length;
};

struct rule {
    struct list link;
    unsigned event; /* enum rule_event */
    uint8_t opcode; /* of a PDU, or RULE_ANY_PDU, RULE_STATUS */
    uint32_t milliseconds;
    uint64_t first; /* which of them */
    uint64_t last;
    uint64_t every; /* 0 or 1: each */
    double chance;
    unsigned conditions;
    unsigned actions;
    struct rule_condition condition[RULE_PARTS];
    struct rule_action action[RULE_PARTS];
    uint64_t seen; /* events that met the conditions */
    uint64_t hits;
};

void rule_free(struct rule *rule);

/* --- parse.c --- */

#define RULE_WORDS 64u

/* The words of a line, and where the reader is. */
struct rule_words {
    char *word[RULE_WORDS];
    unsigned count;
    unsigned at;
    char *error;
    size_t room;
};

/* The next word, or NULL at the end of the action (" and ") or line. */
char *rule_word(struct rule_words *words);
/* Puts a message; returns false. */
bool rule_wrong(struct rule_words *words, const char *word, const char *what);
bool rule_number(const char *text, uint64_t *out);
/* A number that has to be there, resp. that may be (else `*out` is left). */
bool rule_take_number(struct rule_words *words, uint64_t most, uint64_t *out);
bool rule_may_take_number(struct rule_words *words, uint64_t most, uint64_t *out);
/* A rule from one line without its comment; NULL with `error` empty: a blank line. */
struct rule *rule_parse(char *line, char *error, size_t room);

/* --- actions.c --- */

/* Reads an action for those events. */
bool rule_action_parse(struct rule_words *words, unsigned event, uint8_t opcode,
                       struct rule_action *action);

#endif
