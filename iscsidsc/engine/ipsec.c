#include "engine/ipsec.h"
#include "engine/adapter.h"
#include "os/crypto.h"
#include "os/memory.h"
#include "os/socket.h"

#include <string.h>

/* Types of IKE identities, as in IKE_AUTHENTICATION_PRESHARED_KEY (RFC 2407, 4.6.2.1). */
enum { ID_IPV4 = 1, ID_NAME = 2, ID_USER = 3, ID_IPV6 = 5 };
enum { AUTH_PRESHARED_KEY = 1 };

static const char group_key_name[] = "group_key";

/*
 * Set until the engine stops: comes before what is stored. One without a key says that there is to
 * be none.
 */
struct passing_key {
    struct list link;
    char *initiator;
    uint32_t initiator_port;
    struct ike_info info; /* id and key are its own */
};

struct passing_tunnel {
    struct list link;
    char *initiator;
    uint32_t initiator_port;
    char *destination;
    char *outer; /* NULL: there is to be none */
};

#define KEY(node)    LIST_OWNER(node, struct passing_key, link)
#define TUNNEL(node) LIST_OWNER(node, struct passing_tunnel, link)

/* --- keeping until the end --- */

static void wipe_blob(struct blob *blob)
{
    if (blob->data != NULL)
        os_wipe((void *)(uintptr_t)blob->data, blob->length);
    os_free((void *)(uintptr_t)blob->data);
    *blob = (struct blob){NULL, 0};
}

/* False: out of memory. */
static bool copy_blob(struct blob *out, const struct blob *from)
{
    *out = (struct blob){NULL, 0};
    if (from->length == 0)
        return true;
    uint8_t *copy = os_alloc(from->length);
    if (copy == NULL)
        return false;
    memcpy(copy, from->data, from->length);
    *out = (struct blob){copy, from->length};
    return true;
}

static void free_key(struct passing_key *key)
{
    list_remove(&key->link);
    wipe_blob(&key->info.id);
    wipe_blob(&key->info.key);
    os_free(key->initiator);
    os_free(key);
}

static void free_tunnel(struct passing_tunnel *tunnel)
{
    list_remove(&tunnel->link);
    os_free(tunnel->initiator);
    os_free(tunnel->destination);
    os_free(tunnel->outer);
    os_free(tunnel);
}

void ipsec_init(struct engine *engine)
{
    list_init(&engine->passing_keys);
    list_init(&engine->passing_tunnels);
}

void ipsec_clear(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->passing_keys)) != NULL)
        free_key(KEY(first));
    while ((first = list_first(&engine->passing_tunnels)) != NULL)
        free_tunnel(TUNNEL(first));
    wipe_blob(&engine->passing_group_key);
}

/* --- flags --- */

static bool both(uint64_t flags, uint64_t pair)
{
    return (flags & pair) == pair;
}

static bool contradicting(uint64_t flags)
{
    return both(flags, SECURITY_MAIN_MODE | SECURITY_AGGRESSIVE_MODE) ||
           both(flags, SECURITY_TRANSPORT_MODE | SECURITY_TUNNEL_MODE);
}

enum status ipsec_check_flags(uint64_t flags)
{
    if ((flags & SECURITY_VALID) == 0)
        return STATUS_OK;
    if (contradicting(flags))
        return STATUS_INVALID_PARAMETER;
    return (flags & SECURITY_IPSEC) != 0 ? STATUS_NO_IPSEC : STATUS_OK;
}

/* --- identities --- */

static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* RFC 4291, 2.5.5.2 */

static void take_ip(const uint8_t ip[OS_IP_LENGTH], struct ipsec_identity *out)
{
    bool v4 = memcmp(ip, mapped, sizeof mapped) == 0;
    out->type = v4 ? ID_IPV4 : ID_IPV6;
    out->length = v4 ? 4 : OS_IP_LENGTH;
    memcpy(out->bytes, ip + (OS_IP_LENGTH - out->length), out->length);
}

static enum status take_name(uint8_t type, const void *name, size_t length,
                             struct ipsec_identity *out)
{
    const uint8_t *bytes = name;
    if (length == 0 || length > IPSEC_NAME_MOST)
        return STATUS_IKE_ID_SIZE;
    if (length > 1 && bytes[length - 1] == '.')
        length--;
    out->type = type;
    out->length = (uint32_t)length;
    for (size_t i = 0; i < length; i++)
        out->bytes[i] = (uint8_t)(bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] | 0x20 : bytes[i]);
    return STATUS_OK;
}

static enum status take_identity(uint8_t type, const struct blob *id, struct ipsec_identity *out)
{
    uint8_t ip[OS_IP_LENGTH];
    switch (type) {
    case ID_IPV4:
        if (id->length != 4)
            return STATUS_IKE_ID_SIZE;
        memcpy(ip, mapped, sizeof mapped);
        memcpy(ip + sizeof mapped, id->data, 4);
        take_ip(ip, out);
        return STATUS_OK;
    case ID_IPV6:
        if (id->length != OS_IP_LENGTH)
            return STATUS_IKE_ID_SIZE;
        take_ip(id->data, out);
        return STATUS_OK;
    case ID_NAME:
    case ID_USER:
        return take_name(type, id->data, id->length, out);
    default:
        return STATUS_IKE_ID_TYPE;
    }
}

void ipsec_identity_of_address(const struct os_address *address, struct ipsec_identity *out)
{
    uint8_t ip[OS_IP_LENGTH];
    os_address_to_ip(address, ip);
    take_ip(ip, out);
}

bool ipsec_identity_of_name(const char *host, struct ipsec_identity *out)
{
    struct os_address address;
    return !os_address_parse(&address, host, 1) &&
           take_name(ID_NAME, host, strlen(host), out) == STATUS_OK;
}

static struct blob blob_of(const struct ipsec_identity *identity)
{
    return (struct blob){identity->bytes, identity->length};
}

/* --- the keys of identities --- */

static struct passing_key *find_passing(struct engine *engine, const char *initiator, uint32_t port,
                                        const struct ipsec_identity *identity)
{
    LIST_EACH(node, &engine->passing_keys)
    {
        struct passing_key *key = KEY(node);
        if (key->initiator_port == port && name_equal(key->initiator, initiator) &&
            key->info.id_type == identity->type && key->info.id.length == identity->length &&
            memcmp(key->info.id.data, identity->bytes, identity->length) == 0)
            return key;
    }
    return NULL;
}

static enum status check_place(const char *initiator, uint32_t port)
{
    struct os_address source;
    bool has_source;
    return adapter_source(initiator, port, &source, &has_source);
}

/* Microsoft's driver refuses aggressive mode as well. */
static enum status check_info(const struct ike_info *info, struct ipsec_identity *identity)
{
    if (info == NULL || info->auth_method != AUTH_PRESHARED_KEY)
        return STATUS_INVALID_PARAMETER;
    if (contradicting(info->security_flags) ||
        (info->security_flags & SECURITY_AGGRESSIVE_MODE) != 0)
        return STATUS_INVALID_PARAMETER;
    return take_identity(info->id_type, &info->id, identity);
}

static enum status keep_passing(struct engine *engine, const char *initiator, uint32_t port,
                                const struct ike_info *info)
{
    struct passing_key *key = os_alloc(sizeof *key);
    if (key == NULL)
        return STATUS_NO_MEMORY;
    list_init(&key->link);
    key->initiator_port = port;
    key->info = *info;
    key->info.id = key->info.key = (struct blob){NULL, 0};
    key->initiator = os_copy_text(initiator);
    if (key->initiator == NULL || !copy_blob(&key->info.id, &info->id) ||
        !copy_blob(&key->info.key, &info->key)) {
        free_key(key);
        return STATUS_NO_MEMORY;
    }
    list_append(&engine->passing_keys, &key->link);
    return STATUS_OK;
}

static enum status store_key(struct engine *engine, const char *initiator, uint32_t port,
                             const struct ike_info *info)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK)
        return status;
    return info->key.length > 0 ? store_put_ike(store, initiator, port, info)
                                : store_delete_ike(store, initiator, port, info);
}

void engine_set_ike_info(struct engine_call *call)
{
    const struct request_set_ike_info *request = call->request;
    const char *initiator = adapter_any(request->initiator) ? "" : INITIATOR_INSTANCE;
    struct ipsec_identity identity;
    enum status status = check_place(request->initiator, request->initiator_port);
    if (status == STATUS_OK)
        status = check_info(request->info, &identity);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    struct passing_key *before =
        find_passing(call->engine, initiator, request->initiator_port, &identity);
    struct ike_info info = *request->info;
    info.id_type = identity.type;
    info.id = blob_of(&identity);
    status = request->persistent
                 ? store_key(call->engine, initiator, request->initiator_port, &info)
                 : keep_passing(call->engine, initiator, request->initiator_port, &info);
    /* What is stored now counts, and no longer what was set before it. */
    if (status == STATUS_OK && before != NULL)
        free_key(before);
    engine_finish(call, status, NULL);
}

/* NO_AUTH_INFO: none. What was set for no initiator in particular is for all of them. */
static enum status find_key(struct engine *engine, const char *initiator, uint32_t port,
                            const struct ipsec_identity *identity, struct os_arena *arena,
                            const struct ike_info **out)
{
    struct passing_key *key = find_passing(engine, initiator, port, identity);
    const struct blob id = blob_of(identity);
    struct store *store;
    *out = NULL;
    if (key != NULL) {
        *out = &key->info;
        return key->info.key.length > 0 ? STATUS_OK : STATUS_NO_AUTH_INFO;
    }
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_ike(store, initiator, port, identity->type, &id, arena, out);
    return status == STATUS_OK && *out == NULL ? STATUS_NO_AUTH_INFO : status;
}

static enum status find_nearest(struct engine *engine, const char *initiator, uint32_t port,
                                const struct ipsec_identity *identity, struct os_arena *arena,
                                const struct ike_info **out)
{
    enum status status = find_key(engine, initiator, port, identity, arena, out);
    if (status == STATUS_NO_AUTH_INFO && port != ANY_INITIATOR_PORT)
        status = find_key(engine, initiator, ANY_INITIATOR_PORT, identity, arena, out);
    if (status == STATUS_NO_AUTH_INFO && initiator[0] != '\0')
        status = find_key(engine, "", ANY_INITIATOR_PORT, identity, arena, out);
    return status;
}

void engine_get_ike_info(struct engine_call *call)
{
    const struct request_get_ike_info *request = call->request;
    const char *initiator = adapter_any(request->initiator) ? "" : INITIATOR_INSTANCE;
    const struct ike_info *found = NULL;
    struct ipsec_identity identity;
    struct ike_info info;
    struct reply_get_ike_info reply = {.info = &info};
    enum status status = check_place(request->initiator, request->initiator_port);
    if (status == STATUS_OK)
        status = take_identity(request->id_type, &request->id, &identity);
    if (status == STATUS_OK)
        status = find_nearest(call->engine, initiator, request->initiator_port, &identity,
                              &call->arena, &found);
    if (status == STATUS_OK) {
        info = *found;
        info.id_type = request->id_type;
        info.id = request->id;
        info.key = (struct blob){NULL, 0};
    }
    engine_finish(call, status, &reply);
}

/* --- for the gate --- */

enum status ipsec_any(struct engine *engine, bool *any)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK && !store_unchanged(store, &engine->ike_seen)) {
        status = store_has_ike(store, &engine->ike_stored);
        if (status != STATUS_OK)
            engine->ike_seen = 0;
    }
    *any = engine->ike_stored || !list_empty(&engine->passing_keys);
    return status;
}

enum status ipsec_flags(struct engine *engine, uint32_t port, const struct ipsec_identity *identity,
                        uint64_t *flags)
{
    struct os_arena arena = {0};
    const struct ike_info *info = NULL;
    enum status status = find_nearest(engine, INITIATOR_INSTANCE, port, identity, &arena, &info);
    if (status == STATUS_OK)
        *flags = info->security_flags;
    os_arena_clear(&arena);
    return status;
}

/* --- the group's key --- */

void engine_set_group_key(struct engine_call *call)
{
    const struct request_set_group_key *request = call->request;
    struct blob key = request->key;
    struct store *store;
    enum status status = STATUS_OK;
    if (key.length == 0)
        key.data = NULL;
    if (request->persistent) {
        status = engine_store(call->engine, &store);
        if (status == STATUS_OK)
            status = store_set_setting(store, group_key_name, &key);
        if (status == STATUS_OK)
            wipe_blob(&call->engine->passing_group_key);
    } else {
        struct blob copy;
        if (copy_blob(&copy, &key)) {
            wipe_blob(&call->engine->passing_group_key);
            call->engine->passing_group_key = copy;
        } else {
            status = STATUS_NO_MEMORY;
        }
    }
    engine_finish(call, status, NULL);
}

/* --- outer addresses of tunnels --- */

static bool is_address(const char *text)
{
    struct os_address address;
    return os_address_parse(&address, text, 1);
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum status check_tunnel(const struct request_set_tunnel_address *request)
{
    enum status status = check_place(request->initiator, request->initiator_port);
    if (status != STATUS_OK)
        return status;
    if (given(request->destination) && !is_address(request->destination))
        return STATUS_INVALID_ADDRESS;
    return !given(request->outer) || is_address(request->outer) ? STATUS_OK
                                                                : STATUS_INVALID_ADDRESS;
}

static enum status keep_tunnel(struct engine *engine, const char *initiator, uint32_t port,
                               const char *destination, const char *outer)
{
    struct passing_tunnel *tunnel = os_alloc(sizeof *tunnel);
    if (tunnel == NULL)
        return STATUS_NO_MEMORY;
    list_init(&tunnel->link);
    tunnel->initiator_port = port;
    tunnel->initiator = os_copy_text(initiator);
    tunnel->destination = os_copy_text(destination);
    tunnel->outer = outer != NULL ? os_copy_text(outer) : NULL;
    if (tunnel->initiator == NULL || tunnel->destination == NULL ||
        (outer != NULL && tunnel->outer == NULL)) {
        free_tunnel(tunnel);
        return STATUS_NO_MEMORY;
    }
    list_append(&engine->passing_tunnels, &tunnel->link);
    return STATUS_OK;
}

static void forget_tunnel(struct engine *engine, const char *initiator, uint32_t port,
                          const char *destination, const struct list *but)
{
    LIST_EACH_SAFE(node, &engine->passing_tunnels)
    {
        struct passing_tunnel *tunnel = TUNNEL(node);
        if (node != but && tunnel->initiator_port == port &&
            name_equal(tunnel->initiator, initiator) &&
            name_equal(tunnel->destination, destination))
            free_tunnel(tunnel);
    }
}

static enum status store_the_tunnel(struct engine *engine, const char *initiator, uint32_t port,
                                    const char *destination, const char *outer)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK)
        return status;
    return store_set_tunnel(store, initiator, port, destination, outer);
}

void engine_set_tunnel_address(struct engine_call *call)
{
    const struct request_set_tunnel_address *request = call->request;
    struct engine *engine = call->engine;
    const char *initiator = adapter_any(request->initiator) ? "" : INITIATOR_INSTANCE;
    const char *destination = given(request->destination) ? request->destination : "";
    const char *outer = given(request->outer) ? request->outer : NULL;
    uint32_t port = request->initiator_port;
    enum status status = check_tunnel(request);
    if (status == STATUS_OK)
        status = request->persistent ? store_the_tunnel(engine, initiator, port, destination, outer)
                                     : keep_tunnel(engine, initiator, port, destination, outer);
    if (status == STATUS_OK)
        forget_tunnel(engine, initiator, port, destination,
                      request->persistent ? NULL : engine->passing_tunnels.previous);
    engine_finish(call, status, NULL);
}
