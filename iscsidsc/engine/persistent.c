#include "engine/persistent.h"
#include "engine/adapter.h"
#include "engine/checks.h"

/* Callers compare names by their bytes: the target's stays as it was spelt. */
enum status persistent_add(struct engine *engine, const struct request_login *request)
{
    const struct persistent_login login = {
        .target = request->target,
        .informational = request->informational != 0,
        .initiator = INITIATOR_INSTANCE,
        .initiator_port = request->initiator_port,
        .portal = request->portal,
        .security_flags = request->security_flags,
        .options = request->options,
        .key = request->key,
        .mapping = request->mapping,
    };
    struct store *store;
    enum status status = engine_store(engine, &store);
    return status == STATUS_OK ? store_add_login(store, &login) : status;
}

void engine_list_persistent(struct engine_call *call)
{
    struct reply_list_persistent reply = {0};
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_logins(store, &call->arena, false, &reply.logins);
    engine_finish(call, status, &reply);
}

/* --- removing --- */

static enum status check(const struct request_remove_persistent *request)
{
    enum status status = check_target_name(request->target);
    if (status != STATUS_OK)
        return status;
    if (!adapter_any(request->initiator) && !name_equal(request->initiator, INITIATOR_INSTANCE))
        return STATUS_INITIATOR_NOT_FOUND;
    return STATUS_OK;
}

/* Is there any login for the target, whatever its portal? */
static enum status why_none_fits(struct store *store, const char *target)
{
    struct os_arena arena = {0};
    struct persistent_login_list logins;
    enum status status = store_logins(store, &arena, false, &logins);
    if (status == STATUS_OK)
        status = STATUS_TARGET_NOT_FOUND;
    for (uint32_t i = 0; status == STATUS_TARGET_NOT_FOUND && i < logins.count; i++) {
        if (name_equal(logins.items[i].target, target))
            status = STATUS_LOGIN_NOT_STORED;
    }
    os_arena_clear(&arena);
    return status;
}

static enum status remove_fitting(struct store *store,
                                  const struct request_remove_persistent *request)
{
    bool all = !portal_given(request->portal);
    const struct persistent_login login = {
        .target = request->target,
        .initiator = request->initiator,
        .initiator_port = request->initiator_port,
        .portal = all ? NULL : request->portal,
    };
    uint32_t removed;
    enum status status = store_remove_logins(store, &login, all, &removed);
    if (status == STATUS_OK && removed == 0)
        status = why_none_fits(store, request->target);
    return status;
}

/*
 * Of several logins that are alike one goes with each call that names their portal: a caller that
 * removes what it was told of calls once for each. Without a portal all that fit go.
 */
void engine_remove_persistent(struct engine_call *call)
{
    const struct request_remove_persistent *request = call->request;
    struct store *store;
    enum status status = check(request);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = remove_fitting(store, request);
    engine_finish(call, status, NULL);
}
