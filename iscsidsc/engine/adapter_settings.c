#include "engine/adapter_settings.h"
#include "engine/events.h"
#include "os/crypto.h"

#include <string.h>

static const char alias_key[] = "node_alias";
static const char discovery_key[] = "discovery";
static const char methods_key[] = "auth_methods";
static const char chap_name_key[] = "adapter_chap_name";
static const char chap_secret_key[] = "adapter_chap_secret";

/* --- reading --- */

/* Values that only somebody else can have written do not count. */
static void take_alias(const struct blob *value, struct adapter_settings *out)
{
    if (value->length >= sizeof out->alias)
        return;
    if (value->length > 0)
        memcpy(out->alias, value->data, value->length);
    out->alias[value->length] = '\0';
    if (!alias_valid(out->alias))
        out->alias[0] = '\0';
}

static void take_discovery(const struct blob *value, struct adapter_settings *out)
{
    out->discovery = value->length == 1 ? value->data[0] & DISCOVERY_ALL : DISCOVERY_ALL;
}

static bool methods_valid(const struct blob *methods)
{
    if (methods->length == 0 || methods->length > ADAPTER_METHODS)
        return false;
    for (uint32_t i = 0; i < methods->length; i++) {
        if (methods->data[i] > AUTH_CHAP || (i > 0 && methods->data[i] == methods->data[0]))
            return false;
    }
    return true;
}

static void take_methods(const struct blob *value, struct adapter_settings *out)
{
    out->method_count = 1;
    out->methods[0] = AUTH_NONE;
    if (!methods_valid(value))
        return;
    memcpy(out->methods, value->data, value->length);
    out->method_count = value->length;
    out->methods_set = true;
}

static enum status read_all(struct store *store, struct os_arena *arena,
                            struct adapter_settings *out)
{
    struct blob alias, discovery, methods;
    enum status status = store_setting(store, alias_key, arena, &alias);
    if (status == STATUS_OK)
        status = store_setting(store, discovery_key, arena, &discovery);
    if (status == STATUS_OK)
        status = store_setting(store, methods_key, arena, &methods);
    if (status == STATUS_OK)
        status = store_login_parameters(store, "", &out->parameters);
    if (status != STATUS_OK)
        return status;
    take_alias(&alias, out);
    take_discovery(&discovery, out);
    take_methods(&methods, out);
    return STATUS_OK;
}

enum status adapter_settings(struct engine *engine, const struct adapter_settings **out)
{
    struct store *store;
    struct os_arena arena = {0};
    uint64_t seen = engine->adapter_settings.seen;
    *out = &engine->adapter_settings;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || store_unchanged(store, &seen))
        return status;
    struct adapter_settings read = {.seen = seen};
    status = read_all(store, &arena, &read);
    if (status == STATUS_OK)
        engine->adapter_settings = read;
    else
        engine->adapter_settings.seen = 0;
    os_arena_clear(&arena);
    return status;
}

void adapter_settings_changed(struct engine *engine)
{
    engine->adapter_settings.seen = 0;
    events_adapter(engine, EVENT_ADAPTER_CHANGED);
}

bool discovery_enabled(struct engine *engine, enum discovery_method method)
{
    const struct adapter_settings *settings;
    return adapter_settings(engine, &settings) != STATUS_OK ||
           (settings->discovery & (uint32_t)method) != 0;
}

/* --- alias --- */

void engine_get_node_alias(struct engine_call *call)
{
    const struct adapter_settings *settings;
    struct reply_get_node_alias reply = {0};
    enum status status = adapter_settings(call->engine, &settings);
    if (status == STATUS_OK && settings->alias[0] != '\0')
        reply.alias = settings->alias;
    engine_finish(call, status, &reply);
}

/* Empty: none. */
static enum status store_text(struct engine *engine, const char *key, const char *text)
{
    struct store *store;
    struct blob value = {NULL, 0};
    if (text != NULL && text[0] != '\0')
        value = (struct blob){(const uint8_t *)text, (uint32_t)strlen(text)};
    enum status status = engine_store(engine, &store);
    return status == STATUS_OK ? store_set_setting(store, key, &value) : status;
}

/* RFC 7143, 13.6: an alias has at most 255 bytes. */
void engine_set_node_alias(struct engine_call *call)
{
    const struct request_set_node_alias *request = call->request;
    const char *alias = request->alias;
    enum status status = STATUS_OK;
    if (alias != NULL && alias[0] != '\0' &&
        (!alias_valid(alias) || strlen(alias) >= ADAPTER_ALIAS_ROOM))
        status = STATUS_INVALID_NAME;
    if (status == STATUS_OK)
        status = store_text(call->engine, alias_key, alias);
    if (status == STATUS_OK) {
        call->engine->adapter_settings.seen = 0;
        events_adapter(call->engine, EVENT_NODE_CHANGED);
    }
    engine_finish(call, status, NULL);
}

/* --- authentication --- */

static enum status read_chap(struct engine *engine, struct os_arena *arena, struct blob *name,
                             struct blob *secret)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_setting(store, chap_name_key, arena, name);
    if (status == STATUS_OK)
        status = store_setting(store, chap_secret_key, arena, secret);
    return status;
}

static bool chap_name_fits(const struct blob *name)
{
    return name->length > 0 && name->length <= CHAP_NAME_MAX && chap_name_clean(name);
}

/* RFC 7143, 9.2.1: without IPsec a secret has 96 bits. */
static bool secret_fits(const struct blob *secret)
{
    return secret->length >= CHAP_SECRET_MINIMUM && secret->length <= CHAP_SECRET_MAX;
}

/* Without a name it is the node's. */
static void use_chap(struct engine *engine, const struct blob *name, const struct blob *secret,
                     struct option_settings *out)
{
    struct chap_credentials *chap = &out->session.chap;
    out->session.auth = SESSION_AUTH_CHAP;
    chap->memory = &engine->challenges;
    chap->name = out->initiator_name;
    if (chap_name_fits(name)) {
        memcpy(out->user_name, name->data, name->length);
        out->user_name[name->length] = '\0';
        chap->name = out->user_name;
    }
    memcpy(out->secret, secret->data, secret->length);
    chap->secret = out->secret;
    chap->secret_length = secret->length;
}

enum status adapter_authentication(struct engine *engine, struct option_settings *out)
{
    const struct adapter_settings *settings;
    struct os_arena arena = {0};
    struct blob name, secret;
    enum status status = adapter_settings(engine, &settings);
    if (status != STATUS_OK || (settings->method_count == 1 && settings->methods[0] == AUTH_NONE))
        return status;
    if (settings->method_count > 1)
        out->session.auth_methods = settings->methods[0] == AUTH_CHAP ? "CHAP,None" : "None,CHAP";
    status = read_chap(engine, &arena, &name, &secret);
    if (status == STATUS_OK && !secret_fits(&secret))
        status = STATUS_INVALID_TARGET_SECRET;
    if (status == STATUS_OK)
        use_chap(engine, &name, &secret, out);
    os_arena_wipe(&arena);
    return status;
}

void engine_get_authentication(struct engine_call *call)
{
    const struct adapter_settings *settings;
    struct os_arena arena = {0};
    struct reply_get_authentication reply = {0};
    struct blob secret = {NULL, 0};
    enum status status = adapter_settings(call->engine, &settings);
    if (status == STATUS_OK)
        status = read_chap(call->engine, &arena, &reply.chap_name, &secret);
    if (status == STATUS_OK) {
        reply.methods = (struct blob){settings->methods, (uint32_t)settings->method_count};
        reply.has_secret = secret.length > 0;
    }
    engine_finish(call, status, &reply);
    os_arena_wipe(&arena);
}

/* CHAP only when it can be done. */
static enum status check_methods(struct engine *engine, const struct blob *methods)
{
    struct os_arena arena = {0};
    struct blob name, secret;
    if (!methods_valid(methods))
        return STATUS_INVALID_PARAMETER;
    if (memchr(methods->data, AUTH_CHAP, methods->length) == NULL)
        return STATUS_OK;
    enum status status = read_chap(engine, &arena, &name, &secret);
    if (status == STATUS_OK && !secret_fits(&secret))
        status = STATUS_INVALID_TARGET_SECRET;
    os_arena_wipe(&arena);
    return status;
}

void engine_set_auth_methods(struct engine_call *call)
{
    const struct request_set_auth_methods *request = call->request;
    struct store *store;
    enum status status = check_methods(call->engine, &request->methods);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_set_setting(store, methods_key, &request->methods);
    if (status == STATUS_OK)
        adapter_settings_changed(call->engine);
    engine_finish(call, status, NULL);
}

static enum status check_chap(const struct request_set_chap_parameters *request)
{
    if (!chap_name_fits(&request->name))
        return STATUS_INVALID_CHAP_NAME;
    return request->secret.length == 0 || secret_fits(&request->secret)
               ? STATUS_OK
               : STATUS_INVALID_TARGET_SECRET;
}

void engine_set_chap_parameters(struct engine_call *call)
{
    const struct request_set_chap_parameters *request = call->request;
    struct store *store;
    enum status status = check_chap(request);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK && request->secret.length > 0)
        status = store_set_setting(store, chap_secret_key, &request->secret);
    if (status == STATUS_OK)
        status = store_set_setting(store, chap_name_key, &request->name);
    if (status == STATUS_OK)
        adapter_settings_changed(call->engine);
    engine_finish(call, status, NULL);
}
