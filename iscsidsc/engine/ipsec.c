#include "engine/ipsec.h"
#include "engine/adapter.h"
#include "os/crypto.h"
#include "os/memory.h"
#include "os/socket.h"

#include <string.h>

/* Types of IKE identities, as in IKE_AUTHENTICATION_PRESHARED_KEY (RFC 2407, 4.6.2.1). */
enum { ID_IPV4 = 1, ID_NAME = 2, ID_USER = 3, ID_IPV6 = 5 };
enum { ID_NAME_MOST = 255, AUTH_PRESHARED_KEY = 1 };

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

/* --- the keys of identities --- */

static bool same_id(const struct ike_info *info, uint8_t type, const struct blob *id)
{
    return info->id_type == type && info->id.length == id->length &&
           memcmp(info->id.data, id->data, id->length) == 0;
}

static struct passing_key *find_passing(struct engine *engine, const char *initiator, uint32_t port,
                                        uint8_t type, const struct blob *id)
{
    LIST_EACH(node, &engine->passing_keys)
    {
        struct passing_key *key = KEY(node);
        if (key->initiator_port == port && name_equal(key->initiator, initiator) &&
            same_id(&key->info, type, id))
            return key;
    }
    return NULL;
}

static enum status check_id(uint8_t type, const struct blob *id)
{
    switch (type) {
    case ID_IPV4:
        return id->length == 4 ? STATUS_OK : STATUS_IKE_ID_SIZE;
    case ID_IPV6:
        return id->length == 16 ? STATUS_OK : STATUS_IKE_ID_SIZE;
    case ID_NAME:
    case ID_USER:
        return id->length > 0 && id->length <= ID_NAME_MOST ? STATUS_OK : STATUS_IKE_ID_SIZE;
    default:
        return STATUS_IKE_ID_TYPE;
    }
}

static enum status check_place(const char *initiator, uint32_t port)
{
    struct os_address source;
    bool has_source;
    return adapter_source(initiator, port, &source, &has_source);
}

/* Microsoft's driver refuses aggressive mode as well. */
static enum status check_info(const struct ike_info *info)
{
    if (info == NULL || info->auth_method != AUTH_PRESHARED_KEY)
        return STATUS_INVALID_PARAMETER;
    if (contradicting(info->security_flags) ||
        (info->security_flags & SECURITY_AGGRESSIVE_MODE) != 0)
        return STATUS_INVALID_PARAMETER;
    return check_id(info->id_type, &info->id);
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
    enum status status = check_place(request->initiator, request->initiator_port);
    if (status == STATUS_OK)
        status = check_info(request->info);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    struct passing_key *before = find_passing(call->engine, initiator, request->initiator_port,
                                              request->info->id_type, &request->info->id);
    status = request->persistent
                 ? store_key(call->engine, initiator, request->initiator_port, request->info)
                 : keep_passing(call->engine, initiator, request->initiator_port, request->info);
    /* What is stored now counts, and no longer what was set before it. */
    if (status == STATUS_OK && before != NULL)
        free_key(before);
    engine_finish(call, status, NULL);
}

/* NO_AUTH_INFO: none. What was set for no initiator in particular is for all of them. */
static enum status find_key(struct engine *engine, const char *initiator, uint32_t port,
                            uint8_t type, const struct blob *id, struct os_arena *arena,
                            const struct ike_info **out)
{
    struct passing_key *key = find_passing(engine, initiator, port, type, id);
    struct store *store;
    *out = NULL;
    if (key != NULL) {
        *out = &key->info;
        return key->info.key.length > 0 ? STATUS_OK : STATUS_NO_AUTH_INFO;
    }
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_ike(store, initiator, port, type, id, arena, out);
    return status == STATUS_OK && *out == NULL ? STATUS_NO_AUTH_INFO : status;
}

static enum status find_nearest(struct engine *engine, const char *initiator, uint32_t port,
                                uint8_t type, const struct blob *id, struct os_arena *arena,
                                const struct ike_info **out)
{
    enum status status = find_key(engine, initiator, port, type, id, arena, out);
    if (status == STATUS_NO_AUTH_INFO && port != ANY_INITIATOR_PORT)
        status = find_key(engine, initiator, ANY_INITIATOR_PORT, type, id, arena, out);
    if (status == STATUS_NO_AUTH_INFO && initiator[0] != '\0')
        status = find_key(engine, "", ANY_INITIATOR_PORT, type, id, arena, out);
    return status;
}

void engine_get_ike_info(struct engine_call *call)
{
    const struct request_get_ike_info *request = call->request;
    const char *initiator = adapter_any(request->initiator) ? "" : INITIATOR_INSTANCE;
    const struct ike_info *found = NULL;
    struct ike_info info;
    struct reply_get_ike_info reply = {.info = &info};
    enum status status = check_place(request->initiator, request->initiator_port);
    if (status == STATUS_OK)
        status = check_id(request->id_type, &request->id);
    if (status == STATUS_OK)
        status = find_nearest(call->engine, initiator, request->initiator_port, request->id_type,
                              &request->id, &call->arena, &found);
    if (status == STATUS_OK) {
        info = *found;
        info.key = (struct blob){NULL, 0};
    }
    engine_finish(call, status, &reply);
}

/* --- who demands it --- */

/* The identity of an address literal; false for a name. */
static bool id_of(const char *host, uint8_t *type, uint8_t bytes[OS_IP_LENGTH], struct blob *id)
{
    struct os_address address;
    if (!os_address_parse(&address, host, 1))
        return false;
    bool long_one = os_address_is_ipv6(&address);
    *type = long_one ? ID_IPV6 : ID_IPV4;
    os_address_to_ip(&address, bytes);
    *id = long_one ? (struct blob){bytes, 16} : (struct blob){bytes + 12, 4};
    return true;
}

/* Every login asks: the store is read again only when it may have changed. */
static enum status know_whether_stored(struct engine *engine)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || store_unchanged(store, &engine->ike_seen))
        return status;
    status = store_has_ike(store, &engine->ike_stored);
    if (status != STATUS_OK)
        engine->ike_seen = 0;
    return status;
}

enum status ipsec_check_host(struct engine *engine, const char *host)
{
    struct os_arena arena = {0};
    const struct ike_info *info = NULL;
    uint8_t type, bytes[OS_IP_LENGTH];
    struct blob id;
    enum status status = know_whether_stored(engine);
    if (status != STATUS_OK || (!engine->ike_stored && list_empty(&engine->passing_keys)) ||
        !id_of(host, &type, bytes, &id))
        return status;
    status = find_nearest(engine, INITIATOR_INSTANCE, ANY_INITIATOR_PORT, type, &id, &arena, &info);
    if (status == STATUS_OK)
        status = ipsec_check_flags(info->security_flags);
    os_arena_clear(&arena);
    return status == STATUS_NO_AUTH_INFO ? STATUS_OK : status;
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
