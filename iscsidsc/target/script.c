/* Fault scripts: which rules an event meets. */
#include "target/rules.h"

#include <stdio.h>

struct target_script {
    struct target_fault fault;
    struct list rules;
    uint64_t random;
    uint32_t connections; /* so far */
    bool busy;            /* what a rule sends meets no rule */
    const struct rule_action *later[RULE_PARTS];
    unsigned later_count;
};

/* What a connection remembers (target_fault_memory). */
enum { MEMORY_ORDINAL, MEMORY_BEGAN, MEMORY_ELAPSED };

/* --- meeting --- */

/* xorshift: the same for the same seed. Between 0 and 1. */
static double draw(struct target_script *script)
{
    script->random ^= script->random << 13;
    script->random ^= script->random >> 7;
    script->random ^= script->random << 17;
    return (double)(script->random >> 11) / (double)(1ull << 53);
}

/* A header is only made for rules that look at it. */
struct look {
    const struct rule_scene *scene;
    bool encoded;
    uint8_t bhs[PDU_BHS_LENGTH];
};

static const uint8_t *header(struct look *look)
{
    const struct rule_scene *scene = look->scene;
    struct pdu pdu;

    if (look->encoded)
        return look->bhs;
    if (scene->in != NULL)
        pdu = *scene->in->pdu;
    else
        pdu = *scene->out->pdu;
    if (scene->out != NULL)
        pdu.data_length = scene->out->length;
    pdu_encode(&pdu, look->bhs);
    look->encoded = true;
    return look->bhs;
}

static uint64_t value_of(const struct rule_field *field, struct look *look)
{
    const struct rule_scene *scene = look->scene;

    switch (field->kind) {
    case RULE_FIELD_CONNECTION:
        return target_fault_memory(scene->connection)[MEMORY_ORDINAL];
    case RULE_FIELD_CID:
        return scene->connection->cid;
    case RULE_FIELD_DISCOVERY:
        return target_connection_discovery(scene->connection);
    case RULE_FIELD_AGAIN:
        return scene->out != NULL && scene->out->again;
    default:
        return rule_field_get(field, header(look));
    }
}

static bool holds(const struct rule_condition *condition, struct look *look)
{
    uint64_t value = value_of(&condition->field, look);

    switch (condition->compare) {
    case '=':
        return value == condition->value;
    case '!':
        return value != condition->value;
    case '<':
        return value < condition->value;
    default:
        return value > condition->value;
    }
}

static bool meets(struct target_script *script, struct rule *rule, struct look *look)
{
    for (unsigned i = 0; i < rule->conditions; i++) {
        if (!holds(&rule->condition[i], look))
            return false;
    }
    rule->seen++;
    if (rule->seen < rule->first || rule->seen > rule->last ||
        (rule->every > 1 && rule->seen % rule->every != 0))
        return false;
    return rule->chance >= 1 || draw(script) < rule->chance;
}

static void obey_rule(struct rule *rule, const struct rule_scene *scene)
{
    rule->hits++;
    for (unsigned i = 0; i < rule->actions; i++)
        rule->action[i].obey(&rule->action[i], scene);
}

static bool is_status(const struct pdu *pdu)
{
    return pdu->opcode == PDU_SCSI_RESPONSE ||
           (pdu->opcode == PDU_DATA_IN && pdu->data_in.status_present);
}

static bool is_about(const struct rule *rule, const struct pdu *pdu)
{
    return rule->opcode == pdu->opcode || rule->opcode == RULE_ANY_PDU ||
           (rule->opcode == RULE_STATUS && is_status(pdu));
}

/* All rules of the event; `pdu` NULL: it is about none. */
static void happen(unsigned event, const struct pdu *pdu, const struct rule_scene *scene)
{
    struct target_script *script = scene->script;

    if (script->busy)
        return;
    script->busy = true;
    LIST_EACH_SAFE(node, &script->rules)
    {
        struct rule *rule = LIST_OWNER(node, struct rule, link);
        struct look look = {.scene = scene};

        if (rule->event == event && (pdu == NULL || is_about(rule, pdu)) &&
            meets(script, rule, &look))
            obey_rule(rule, scene);
    }
    script->busy = false;
}

bool rule_later(const struct rule_action *action, const struct rule_scene *scene)
{
    struct target_script *script = scene->script;

    if (scene->out == NULL)
        return false;
    if (script->later_count < RULE_PARTS)
        script->later[script->later_count++] = action;
    scene->out->tell_sent = true;
    return true;
}

/* --- events --- */

/* Asks to be woken for the next rule of a time. */
static void await(struct target_script *script, struct target_connection *connection)
{
    const uint32_t *memory = target_fault_memory(connection);
    uint32_t next = UINT32_MAX;

    LIST_EACH(node, &script->rules)
    {
        const struct rule *rule = LIST_OWNER(node, struct rule, link);

        if (rule->event == RULE_TIME && rule->milliseconds >= memory[MEMORY_ELAPSED] &&
            rule->milliseconds < next)
            next = rule->milliseconds;
    }
    if (next != UINT32_MAX)
        target_fault_timer(connection, memory[MEMORY_BEGAN] + next - (uint32_t)connection->now);
}

static void on_connected(void *context, struct target_connection *connection)
{
    struct target_script *script = context;
    struct rule_scene scene = {.script = script, .connection = connection};
    uint32_t *memory = target_fault_memory(connection);

    memory[MEMORY_ORDINAL] = ++script->connections;
    memory[MEMORY_BEGAN] = (uint32_t)connection->now;
    await(script, connection);
    happen(RULE_CONNECT, NULL, &scene);
}

static void on_full_feature(void *context, struct target_connection *connection)
{
    struct rule_scene scene = {.script = context, .connection = connection};

    happen(RULE_FULL_FEATURE, NULL, &scene);
}

static void on_timer(void *context, struct target_connection *connection)
{
    struct target_script *script = context;
    struct rule_scene scene = {.script = script, .connection = connection};
    uint32_t *memory = target_fault_memory(connection);
    uint32_t since = memory[MEMORY_ELAPSED];
    uint32_t elapsed = (uint32_t)connection->now - memory[MEMORY_BEGAN];

    memory[MEMORY_ELAPSED] = elapsed + 1;
    script->busy = true;
    LIST_EACH_SAFE(node, &script->rules)
    {
        struct rule *rule = LIST_OWNER(node, struct rule, link);
        struct look look = {.scene = &scene};

        if (rule->event == RULE_TIME && rule->milliseconds >= since &&
            rule->milliseconds <= elapsed && meets(script, rule, &look))
            obey_rule(rule, &scene);
    }
    script->busy = false;
    await(script, connection);
}

/* What waited for a PDU to be on its way. */
static void on_sent(void *context, struct target_connection *connection)
{
    struct target_script *script = context;
    struct rule_scene scene = {.script = script, .connection = connection};
    unsigned count = script->later_count;

    script->later_count = 0;
    script->busy = true;
    for (unsigned i = 0; i < count; i++)
        script->later[i]->obey(script->later[i], &scene);
    script->busy = false;
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    struct rule_scene scene = {.script = context, .connection = connection, .in = in};

    happen(RULE_REQUEST, in->pdu, &scene);
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    struct rule_scene scene = {.script = context, .connection = connection, .out = out};

    happen(RULE_RESPONSE, out->pdu, &scene);
}

/* --- life --- */

struct target_script *target_script_new(uint32_t seed)
{
    struct target_script *script = os_alloc(sizeof *script);

    if (script == NULL)
        return NULL;
    list_init(&script->rules);
    script->random = (uint64_t)seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    script->fault = (struct target_fault){
        .context = script,
        .connected = on_connected,
        .full_feature = on_full_feature,
        .timer = on_timer,
        .incoming = on_incoming,
        .outgoing = on_outgoing,
        .sent = on_sent,
    };
    return script;
}

void target_script_clear(struct target_script *script)
{
    LIST_EACH_SAFE(node, &script->rules)
    {
        list_remove(node);
        rule_free(LIST_OWNER(node, struct rule, link));
    }
}

void target_script_free(struct target_script *script)
{
    if (script == NULL)
        return;
    target_script_clear(script);
    os_free(script);
}

const struct target_fault *target_script_fault(struct target_script *script)
{
    return &script->fault;
}

uint64_t target_script_hits(const struct target_script *script, unsigned rule)
{
    LIST_EACH(node, &script->rules)
    {
        if (rule-- == 0)
            return LIST_OWNER(node, struct rule, link)->hits;
    }
    return 0;
}

/* --- text --- */

static bool add_line(struct list *rules, char *line, unsigned number, char *error, size_t room)
{
    char message[256];
    struct rule *rule = rule_parse(line, message, sizeof message);

    if (rule == NULL) {
        if (message[0] != '\0')
            snprintf(error, room, "line %u: %s", number, message);
        return message[0] == '\0';
    }
    list_append(rules, &rule->link);
    return true;
}

/* Cuts the text, which it may change, into lines. */
static bool add_lines(struct list *rules, char *text, char *error, size_t room)
{
    for (unsigned number = 1; text != NULL; number++) {
        char *next = strchr(text, '\n');

        if (next != NULL)
            *next++ = '\0';
        if (!add_line(rules, text, number, error, room))
            return false;
        text = next;
    }
    return true;
}

bool target_script_add(struct target_script *script, const char *text, char *error, size_t room)
{
    struct list rules;
    char *copy = os_copy_text(text);
    bool good;

    if (copy == NULL) {
        snprintf(error, room, "out of memory");
        return false;
    }
    list_init(&rules);
    good = add_lines(&rules, copy, error, room);
    os_free(copy);
    LIST_EACH_SAFE(node, &rules)
    {
        list_remove(node);
        if (good)
            list_append(&script->rules, node);
        else
            rule_free(LIST_OWNER(node, struct rule, link));
    }
    return good;
}
