/* Fault scripts: what a rule does. */
#include "protocol/scsi.h"

#include "target/rules.h"

#include <stdlib.h>

typedef void obey(const struct rule_action *action, const struct rule_scene *scene);

/* --- the fate of a PDU --- */

static void omit(const struct rule_action *action, const struct rule_scene *scene)
{
    (void)action;
    if (scene->in != NULL)
        scene->in->swallow = true;
    else
        scene->out->copies = 0;
}

static void delay(const struct rule_action *action, const struct rule_scene *scene)
{
    if (scene->in != NULL)
        scene->in->delay = (uint32_t)action->value;
    else
        scene->out->delay = (uint32_t)action->value;
}

static void duplicate(const struct rule_action *action, const struct rule_scene *scene)
{
    scene->out->copies = (unsigned)action->value;
}

static void behind(const struct rule_action *action, const struct rule_scene *scene)
{
    scene->out->behind = (unsigned)action->value;
}

static void corrupt(const struct rule_action *action, const struct rule_scene *scene)
{
    if (scene->in != NULL) {
        scene->in->broken = true;
        return;
    }
    scene->out->flips |= action->more[0];
    scene->out->flip_at = (uint32_t)action->value;
}

/* --- what it says --- */

static void set_field(const struct rule_action *action, const struct rule_scene *scene)
{
    struct pdu *pdu = scene->in != NULL ? scene->in->pdu : scene->out->pdu;
    uint8_t bhs[PDU_BHS_LENGTH];
    uint64_t value = action->value;

    if (scene->out != NULL && scene->out->raw) {
        memcpy(bhs, scene->out->bhs, sizeof bhs);
    } else {
        pdu->data_length = scene->in != NULL ? pdu->data_length : scene->out->length;
        pdu_encode(pdu, bhs);
    }
    if (action->sign == '+')
        value = rule_field_get(&action->field, bhs) + action->value;
    else if (action->sign == '-')
        value = rule_field_get(&action->field, bhs) - action->value;
    rule_field_set(&action->field, bhs, value);
    if (scene->in != NULL) {
        pdu_decode(pdu, bhs);
    } else {
        scene->out->raw = true;
        memcpy(scene->out->bhs, bhs, sizeof bhs);
    }
}

/* The header tells the length of other data, unless a rule has set it to a lie. */
static void replace_data(const struct rule_scene *scene, const void *data, uint32_t length)
{
    struct target_fault_out *out = scene->out;

    if (out->raw && get_be24(out->bhs + 5) == out->length)
        put_be24(out->bhs + 5, length);
    target_fault_data(out, data, length);
}

static void truncate(const struct rule_action *action, const struct rule_scene *scene)
{
    if (action->value < scene->out->length)
        replace_data(scene, scene->out->data, (uint32_t)action->value);
}

static void set_data(const struct rule_action *action, const struct rule_scene *scene)
{
    replace_data(scene, action->text, (uint32_t)action->length);
}

/* Another byte than the disk has, under a digest that is right. */
static void spoil(const struct rule_action *action, const struct rule_scene *scene)
{
    struct target_buffer *copy;

    if (action->value >= scene->out->length)
        return;
    copy = target_buffer_copy(NULL, scene->out->data, scene->out->length);
    if (copy == NULL)
        return;
    copy->bytes[action->value] ^= 0xff;
    target_fault_data(scene->out, copy->bytes, scene->out->length);
    target_buffer_release(copy);
}

/* Text without the pairs of `key`, then `value` (NULL: nothing). */
static void set_key(const struct rule_scene *scene, const char *key, const char *value)
{
    struct target_fault_out *out = scene->out;
    size_t room = out->length + strlen(key) + (value != NULL ? strlen(value) : 0) + 2;
    char *text = os_grow(NULL, room);
    size_t length = 0;
    size_t offset = 0;
    struct text_pair pair;

    if (text == NULL)
        return;
    while (text_next((const char *)out->data, out->length, &offset, &pair) == 1) {
        size_t size = pair.key_length + 1 + pair.value_length + 1;

        if (text_key_is(&pair, key))
            continue;
        memcpy(text + length, pair.key, size);
        length += size;
    }
    if (value != NULL)
        text_append(text, room, &length, key, value);
    replace_data(scene, text, (uint32_t)length);
    os_free(text);
}

static void lie(const struct rule_action *action, const struct rule_scene *scene)
{
    set_key(scene, action->text, action->text + strlen(action->text) + 1);
}

static void remove_key(const struct rule_action *action, const struct rule_scene *scene)
{
    set_key(scene, action->text, NULL);
}

/* --- the connection --- */

/* more[0]: enum target_end; more[1]: 0 in place of the PDU, 1 after `value` bytes, 2 after it. */
static void end(const struct rule_action *action, const struct rule_scene *scene)
{
    enum target_end how = (enum target_end)action->more[0];

    if (scene->out == NULL) {
        if (scene->in != NULL)
            scene->in->swallow = true;
        target_connection_end(scene->connection, how);
        return;
    }
    scene->out->end = how;
    if (action->more[1] == 0)
        scene->out->copies = 0;
    if (action->more[1] == 1)
        scene->out->end_at = (size_t)action->value;
}

static void mute(const struct rule_action *action, const struct rule_scene *scene)
{
    (void)action;
    target_fault_mute(scene->connection);
}

static void dribble(const struct rule_action *action, const struct rule_scene *scene)
{
    target_fault_dribble(scene->connection, (size_t)action->value, action->more[0]);
}

static void window(const struct rule_action *action, const struct rule_scene *scene)
{
    if (!rule_later(action, scene))
        target_connection_window(scene->connection, (uint32_t)action->value);
}

static void ping(const struct rule_action *action, const struct rule_scene *scene)
{
    if (!rule_later(action, scene))
        target_connection_ping(scene->connection);
}

static void tell(const struct rule_action *action, const struct rule_scene *scene)
{
    struct pdu_async_message message = {
        .event = (uint8_t)action->value,
        .parameter1 = (uint16_t)action->more[0],
        .parameter2 = (uint16_t)action->more[1],
        .parameter3 = (uint16_t)action->more[2],
    };

    if (rule_later(action, scene))
        return;
    if (action->value == ASYNC_SCSI)
        target_connection_async_scsi(scene->connection, 0, (uint8_t)action->more[0],
                                     SCSI_ASC(action->more[1], action->more[2]));
    else
        target_connection_async(scene->connection, &message);
}

/* --- answers in place of the right ones --- */

static void answer(const struct rule_action *action, const struct rule_scene *scene)
{
    scene->in->refuse = true;
    scene->in->response = (uint8_t)action->more[3];
    scene->in->status = (uint8_t)action->value;
    scene->in->sense_key = (uint8_t)action->more[0];
    scene->in->asc = SCSI_ASC(action->more[1], action->more[2]);
}

static void refuse(const struct rule_action *action, const struct rule_scene *scene)
{
    target_reject(scene->connection, (enum reject_reason)action->value);
    scene->in->answered = true;
}

/* --- reading them --- */

static bool keep_text(struct rule_words *words, struct rule_action *action, const char *text)
{
    action->text = os_copy_text(text);
    return action->text != NULL || rule_wrong(words, text, "out of memory");
}

static bool read_none(struct rule_words *words, struct rule_action *action)
{
    (void)words;
    (void)action;
    return true;
}

static bool read_milliseconds(struct rule_words *words, struct rule_action *action)
{
    return rule_take_number(words, UINT32_MAX, &action->value);
}

static bool read_copies(struct rule_words *words, struct rule_action *action)
{
    action->value = 1;
    if (!rule_may_take_number(words, 1000, &action->value))
        return false;
    action->value++;
    return true;
}

static bool read_places(struct rule_words *words, struct rule_action *action)
{
    action->value = 1;
    return rule_may_take_number(words, 1000, &action->value);
}

static bool read_flip(struct rule_words *words, struct rule_action *action)
{
    static const struct {
        const char *name;
        enum target_flip flip;
    } parts[] = {{"header", TARGET_FLIP_HEADER},
                 {"header-digest", TARGET_FLIP_HEADER_DIGEST},
                 {"data", TARGET_FLIP_DATA},
                 {"data-digest", TARGET_FLIP_DATA_DIGEST}};
    const char *word = rule_word(words);

    if (word == NULL)
        return rule_wrong(words, NULL, "what is corrupted");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].name, word) == 0)
            action->more[0] = parts[i].flip;
    }
    if (action->more[0] == 0)
        return rule_wrong(words, word, "not a part of a PDU");
    return rule_may_take_number(words, PDU_DATA_MAX, &action->value);
}

static bool read_broken(struct rule_words *words, struct rule_action *action)
{
    const char *word = rule_word(words);

    (void)action;
    if (word == NULL)
        return rule_wrong(words, NULL, "what is corrupted");
    return strcmp(word, "data-digest") == 0 ||
           rule_wrong(words, word, "of a request only data-digest can be corrupted");
}

static bool read_field(struct rule_words *words, struct rule_action *action, unsigned event)
{
    const char *word = rule_word(words);
    char *value;

    if (word == NULL)
        return rule_wrong(words, NULL, "a field");
    if (!rule_field_find(word, event, &action->field) || action->field.kind != RULE_FIELD_HEADER)
        return rule_wrong(words, word, "no such field here");
    value = rule_word(words);
    if (value == NULL)
        return rule_wrong(words, NULL, "a value");
    if (*value == '+' || *value == '-')
        action->sign = *value++;
    return rule_number(value, &action->value) || rule_wrong(words, value, "not a number");
}

static bool read_response_field(struct rule_words *words, struct rule_action *action)
{
    return read_field(words, action, RULE_RESPONSE);
}

static bool read_request_field(struct rule_words *words, struct rule_action *action)
{
    return read_field(words, action, RULE_REQUEST);
}

static bool read_length(struct rule_words *words, struct rule_action *action)
{
    return rule_take_number(words, PDU_DATA_MAX, &action->value);
}

static bool read_hex(struct rule_words *words, struct rule_action *action)
{
    const char *word = rule_word(words);
    size_t digits = word != NULL ? strlen(word) : 0;

    if (word == NULL)
        return rule_wrong(words, NULL, "data in hexadecimal");
    if (digits % 2 != 0 || strspn(word, "0123456789abcdefABCDEF") != digits)
        return rule_wrong(words, word, "not bytes in hexadecimal");
    if (!keep_text(words, action, word))
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        char two[5] = {'0', 'x', word[i], word[i + 1], '\0'};
        uint64_t byte;

        rule_number(two, &byte);
        action->text[i / 2] = (char)byte;
    }
    action->length = digits / 2;
    return true;
}

static bool read_byte_at(struct rule_words *words, struct rule_action *action)
{
    return rule_may_take_number(words, PDU_DATA_MAX, &action->value);
}

static bool read_pair(struct rule_words *words, struct rule_action *action)
{
    char *word = rule_word(words);
    char *sign = word != NULL ? strchr(word, '=') : NULL;

    if (word == NULL || sign == NULL || sign == word)
        return rule_wrong(words, word, "key=value");
    if (!keep_text(words, action, word))
        return false;
    action->text[sign - word] = '\0';
    return true;
}

static bool read_key(struct rule_words *words, struct rule_action *action)
{
    const char *word = rule_word(words);

    return word != NULL ? keep_text(words, action, word) : rule_wrong(words, NULL, "a key");
}

/* "close", "close at 20", "close after" */
static bool read_place(struct rule_words *words, struct rule_action *action)
{
    const char *word = rule_word(words);

    if (word == NULL)
        return true;
    if (strcmp(word, "after") == 0) {
        action->more[1] = 2;
        return true;
    }
    action->more[1] = 1;
    if (strcmp(word, "at") != 0)
        return rule_wrong(words, word, "neither \"at\" nor \"after\"");
    return rule_take_number(words, PDU_DATA_MAX, &action->value);
}

static bool read_dribble(struct rule_words *words, struct rule_action *action)
{
    uint64_t interval;

    if (!rule_take_number(words, PDU_DATA_MAX, &action->value) ||
        !rule_take_number(words, UINT32_MAX, &interval))
        return false;
    action->more[0] = (uint32_t)interval;
    return true;
}

/* Up to three numbers that may be left out. */
static bool read_more(struct rule_words *words, struct rule_action *action, uint64_t most)
{
    for (size_t i = 0; i < 3; i++) {
        uint64_t number = 0;

        if (!rule_may_take_number(words, most, &number))
            return false;
        action->more[i] = (uint32_t)number;
    }
    return true;
}

struct named_value {
    const char *name;
    uint8_t value;
};

/* A name of the table, or a number up to 255. */
static bool read_named(struct rule_words *words, const struct named_value *names, size_t count,
                       const char *what, uint64_t *out)
{
    const char *word = rule_word(words);

    if (word == NULL)
        return rule_wrong(words, NULL, what);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].name, word) == 0) {
            *out = names[i].value;
            return true;
        }
    }
    return (rule_number(word, out) && *out <= 255) || rule_wrong(words, word, "not known");
}

/* RFC 7143, 11.9.1: the time to log out or to negotiate is Parameter3, a session's times are the
 * second and third. */
static void shift_parameters(struct rule_action *action)
{
    unsigned by = 0;

    if (action->value == ASYNC_LOGOUT_REQUESTED || action->value == ASYNC_RENEGOTIATE)
        by = 2;
    else if (action->value == ASYNC_DROP_SESSION)
        by = 1;
    for (unsigned i = 3; by > 0 && i-- > 0;)
        action->more[i] = i >= by ? action->more[i - by] : 0;
}

static bool read_async(struct rule_words *words, struct rule_action *action)
{
    static const struct named_value events[] = {
        {"scsi", ASYNC_SCSI},
        {"logout", ASYNC_LOGOUT_REQUESTED},
        {"drop-connection", ASYNC_DROP_CONNECTION},
        {"drop-session", ASYNC_DROP_SESSION},
        {"renegotiate", ASYNC_RENEGOTIATE},
        {"tasks-terminated", ASYNC_TASKS_TERMINATED},
        {"vendor", ASYNC_VENDOR},
    };

    if (!read_named(words, events, sizeof events / sizeof events[0], "an asynchronous event",
                    &action->value) ||
        !read_more(words, action, 65535))
        return false;
    shift_parameters(action);
    return true;
}

static bool read_status(struct rule_words *words, struct rule_action *action)
{
    static const struct named_value statuses[] = {
        {"good", SCSI_GOOD},
        {"check-condition", SCSI_CHECK_CONDITION},
        {"condition-met", SCSI_CONDITION_MET},
        {"busy", SCSI_BUSY},
        {"reservation-conflict", SCSI_RESERVATION_CONFLICT},
        {"task-set-full", SCSI_TASK_SET_FULL},
        {"aca-active", SCSI_ACA_ACTIVE},
        {"task-aborted", SCSI_TASK_ABORTED},
    };

    return read_named(words, statuses, sizeof statuses / sizeof statuses[0], "a SCSI status",
                      &action->value) &&
           (action->value != SCSI_CHECK_CONDITION || read_more(words, action, 255));
}

static bool read_response(struct rule_words *words, struct rule_action *action)
{
    uint64_t response;

    if (!rule_take_number(words, 255, &response))
        return false;
    action->more[3] = (uint32_t)response;
    return true;
}

static bool read_reason(struct rule_words *words, struct rule_action *action)
{
    return rule_take_number(words, 255, &action->value);
}

static bool read_commands(struct rule_words *words, struct rule_action *action)
{
    return rule_take_number(words, 65535, &action->value);
}

/* --- the table --- */

enum { IN = RULE_REQUEST, OUT = RULE_RESPONSE, ALL = 31 };

static const struct {
    const char *name;
    unsigned events;
    obey *obey;
    bool (*read)(struct rule_words *words, struct rule_action *action);
    uint32_t more; /* first of `more` */
} action_table[] = {
    {"omit", IN | OUT, omit, read_none, 0},
    {"delay", IN | OUT, delay, read_milliseconds, 0},
    {"duplicate", OUT, duplicate, read_copies, 0},
    {"behind", OUT, behind, read_places, 0},
    {"corrupt", OUT, corrupt, read_flip, 0},
    {"corrupt", IN, corrupt, read_broken, 0},
    {"set", OUT, set_field, read_response_field, 0},
    {"set", IN, set_field, read_request_field, 0},
    {"truncate", OUT, truncate, read_length, 0},
    {"data", OUT, set_data, read_hex, 0},
    {"spoil", OUT, spoil, read_byte_at, 0},
    {"key", OUT, lie, read_pair, 0},
    {"remove-key", OUT, remove_key, read_key, 0},
    {"close", OUT, end, read_place, TARGET_END_CLOSE},
    {"close", (unsigned)ALL & ~(unsigned)OUT, end, read_none, TARGET_END_CLOSE},
    {"reset", OUT, end, read_place, TARGET_END_RESET},
    {"reset", (unsigned)ALL & ~(unsigned)OUT, end, read_none, TARGET_END_RESET},
    {"mute", ALL, mute, read_none, 0},
    {"dribble", ALL, dribble, read_dribble, 0},
    {"window", ALL, window, read_commands, 0},
    {"ping", ALL, ping, read_none, 0},
    {"async", ALL, tell, read_async, 0},
    {"answer", IN, answer, read_status, 0},
    {"respond", IN, answer, read_response, 0},
    {"reject", IN, refuse, read_reason, 0},
};

static bool fits(const char *name, uint8_t opcode)
{
    if (strcmp(name, "answer") == 0 || strcmp(name, "respond") == 0)
        return opcode == PDU_SCSI_COMMAND;
    if (strcmp(name, "key") == 0 || strcmp(name, "remove-key") == 0)
        return opcode == PDU_LOGIN_RESPONSE || opcode == PDU_TEXT_RESPONSE;
    return true;
}

bool rule_action_parse(struct rule_words *words, unsigned event, uint8_t opcode,
                       struct rule_action *action)
{
    const char *name = rule_word(words);
    bool known = false;

    if (name == NULL)
        return rule_wrong(words, NULL, "an action");
    for (size_t i = 0; i < sizeof action_table / sizeof action_table[0]; i++) {
        if (strcmp(action_table[i].name, name) != 0)
            continue;
        known = true;
        if ((action_table[i].events & event) == 0 || !fits(name, opcode))
            continue;
        action->obey = action_table[i].obey;
        action->more[0] = action_table[i].more;
        return action_table[i].read(words, action);
    }
    return rule_wrong(words, name, known ? "not possible here" : "no such action");
}
