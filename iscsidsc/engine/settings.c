#include "engine/settings.h"
#include "engine/events.h"
#include "engine/isns.h"
#include "engine/options.h"
#include "os/crypto.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PREFIX "iqn.1991-05.com.microsoft:"

static const char node_name_key[] = "node_name";
static const char chap_secret_key[] = "chap_secret";

/* --- node name --- */

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static void fold(const char *name, char out[ISCSI_NAME_MAX + 1])
{
    size_t i = 0;
    for (; name[i] != '\0' && i < ISCSI_NAME_MAX; i++)
        out[i] = folded(name[i]);
    out[i] = '\0';
}

static bool in_host_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Host names may hold what iSCSI names may not: it is left out. */
void settings_default_node_name(char out[ISCSI_NAME_MAX + 1])
{
    char host[256];
    size_t length = sizeof DEFAULT_PREFIX - 1;
    memcpy(out, DEFAULT_PREFIX, sizeof DEFAULT_PREFIX);
    if (!os_host_name(host, sizeof host))
        host[0] = '\0';
    for (const char *c = host; *c != '\0' && length < ISCSI_NAME_MAX; c++) {
        if (in_host_part(folded(*c)))
            out[length++] = folded(*c);
    }
    out[length] = '\0';
    if (length == sizeof DEFAULT_PREFIX - 1)
        strcpy(out + length, "localhost");
}

/* A value that only somebody else can have written is no name. */
static bool take_stored(const struct blob *value, char out[ISCSI_NAME_MAX + 1])
{
    if (value->length > ISCSI_NAME_MAX)
        return false;
    memcpy(out, value->data, value->length);
    out[value->length] = '\0';
    return strlen(out) == value->length && name_characters_valid(out);
}

/* Every login asks for it: it is read again only when the store may have changed. */
static enum status read_stored(struct engine *engine)
{
    struct store *store;
    struct os_arena arena = {0};
    struct blob value = {NULL, 0};
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || store_unchanged(store, &engine->name_seen))
        return status;
    status = store_setting(store, node_name_key, &arena, &value);
    engine->node_name[0] = '\0';
    if (status == STATUS_OK && value.data != NULL && !take_stored(&value, engine->node_name))
        status = STATUS_STORE_DAMAGED;
    if (status != STATUS_OK)
        engine->name_seen = 0;
    os_arena_clear(&arena);
    return status;
}

enum status settings_node_name(struct engine *engine, char out[ISCSI_NAME_MAX + 1])
{
    char configured[ISCSI_NAME_MAX + 1];
    enum status status = read_stored(engine);
    if (status != STATUS_OK)
        return status;
    if (engine->node_name[0] != '\0')
        memcpy(out, engine->node_name, sizeof engine->node_name);
    else if (!os_configured_initiator_name(configured, sizeof configured) ||
             !name_normalize(configured, out))
        settings_default_node_name(out);
    return STATUS_OK;
}

void engine_get_node_name(struct engine_call *call)
{
    char name[ISCSI_NAME_MAX + 1];
    struct reply_get_node_name reply = {.name = name};
    enum status status = settings_node_name(call->engine, name);
    engine_finish(call, status, &reply);
}

/* Windows does not look at the form of the name, only at its characters. */
void engine_set_node_name(struct engine_call *call)
{
    const struct request_set_node_name *request = call->request;
    struct store *store;
    struct blob value = {NULL, 0};
    char name[ISCSI_NAME_MAX + 1];
    if (request->name != NULL && request->name[0] != '\0') {
        if (!name_characters_valid(request->name)) {
            engine_finish(call, STATUS_INVALID_NAME, NULL);
            return;
        }
        fold(request->name, name);
        value = (struct blob){(const uint8_t *)name, (uint32_t)strlen(name)};
    }
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_set_setting(store, node_name_key, &value);
    if (status == STATUS_OK) {
        isns_servers_renamed(call->engine);
        events_adapter(call->engine, EVENT_NODE_CHANGED);
    }
    engine_finish(call, status, NULL);
}

/* --- CHAP secret --- */

static bool secret_valid(const struct blob *secret)
{
    return secret->length >= SECRET_LEAST && secret->length <= SECRET_MOST;
}

enum status settings_chap_secret(struct engine *engine, uint8_t out[16], size_t *length)
{
    struct store *store;
    struct os_arena arena = {0};
    struct blob value = {NULL, 0};
    *length = 0;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_setting(store, chap_secret_key, &arena, &value);
    if (status == STATUS_OK && value.data != NULL) {
        if (secret_valid(&value)) {
            memcpy(out, value.data, value.length);
            *length = value.length;
        } else {
            status = STATUS_STORE_DAMAGED;
        }
        os_wipe((void *)(uintptr_t)value.data, value.length);
    }
    os_arena_clear(&arena);
    return status;
}

void engine_set_chap_secret(struct engine_call *call)
{
    const struct request_set_chap_secret *request = call->request;
    struct store *store;
    struct blob secret = request->secret;
    if (secret.length == 0)
        secret.data = NULL;
    if (secret.data != NULL && !secret_valid(&secret)) {
        engine_finish(call, STATUS_INVALID_INITIATOR_SECRET, NULL);
        return;
    }
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_set_setting(store, chap_secret_key, &secret);
    engine_finish(call, status, NULL);
}

/* --- the machine --- */

void engine_version(struct engine_call *call)
{
    struct reply_version reply = {0};
    os_version(&reply.major, &reply.minor, &reply.build);
    engine_finish(call, STATUS_OK, &reply);
}

void engine_list_initiators(struct engine_call *call)
{
    static const char *const names[] = {INITIATOR_INSTANCE};
    const struct reply_list_initiators reply = {.names = {names, 1}};
    engine_finish(call, STATUS_OK, &reply);
}
