/* What an initiator's handle asks of the engine. */
#include "libiscsi/initiator_state.h"

#include "engine/mechanism.h"
#include "engine/options.h"
#include "libiscsi/errors.h"
#include "os/memory.h"
#include "os/socket.h"
#include "protocol/scsi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY_PORT UINT32_MAX

enum { ADDRESSES = 16, INQUIRY_LENGTH = 36, NO_UNIT = 3, TEXT_ROOM = PORTAL_HOST_MAX + 64 };

static bool is_value(const struct iscsi_initiator_state *state, const char *name, const char *value)
{
    return strcmp(initiator_value(state, name), value) == 0;
}

/* --- how to log in --- */

struct login_options initiator_options(const struct iscsi_initiator_state *state)
{
    struct login_options options = {.specified = OPTION_HEADER_DIGEST | OPTION_DATA_DIGEST,
                                    .flags = LOGIN_FLAG_MULTIPATH};
    bool both = is_value(state, "digest type", "both") || is_value(state, "digest type", "all");
    const struct auths_account *account;

    options.header_digest = both || is_value(state, "digest type", "header");
    options.data_digest = both || is_value(state, "digest type", "data");
    if (is_value(state, "auth type", "none"))
        return options;
    account = auths_find(&state->auths, initiator_value(state, "user"));
    options.specified |= OPTION_USERNAME | OPTION_PASSWORD | OPTION_AUTH_TYPE;
    options.auth_type = is_value(state, "mutual auth", "none") ? AUTH_CHAP : AUTH_MUTUAL;
    options.username =
        (struct blob){(const uint8_t *)account->user, (uint32_t)strlen(account->user)};
    options.password =
        (struct blob){(const uint8_t *)account->secret, (uint32_t)strlen(account->secret)};
    return options;
}

/* --- where --- */

/* The first address of the family asked for; any will do: the name, for the engine to look up. */
static enum status choose_address(const struct iscsi_initiator_state *state, const char *host,
                                  uint16_t port, char out[PORTAL_HOST_MAX + 1])
{
    const char *family = initiator_value(state, "address family");
    bool v6 = strchr(family, '6') != NULL;
    struct os_address found[ADDRESSES];
    size_t count = 0;
    enum status status;

    if (strlen(host) > PORTAL_HOST_MAX)
        return STATUS_INVALID_ADDRESS;
    strcpy(out, host);
    if (strcmp(family, "unspec") == 0)
        return STATUS_OK;
    status = os_lookup(host, port, found, ADDRESSES, &count);
    for (size_t i = 0; i < count; i++) {
        if (os_address_is_ipv6(&found[i]) == v6) {
            os_address_format(&found[i], out, &port);
            return STATUS_OK;
        }
    }
    return status == STATUS_OK ? STATUS_ADDRESS_FAMILY : status;
}

/* --- discovery --- */

void found_target_free(struct found_target *target)
{
    os_free(target->name);
    os_free(target->address);
    os_free(target);
}

static bool is_listed(const struct portal *portal, enum status *status)
{
    struct os_arena arena = {0};
    struct request_list_portals request = {0};
    struct reply_list_portals reply;
    bool listed = false;

    *status = door_call(OPERATION_list_portals, &request, &reply, &arena);
    for (uint32_t i = 0; *status == STATUS_OK && i < reply.portals.count; i++) {
        const struct portal *other = reply.portals.items[i].portal;

        listed |= other != NULL && other->address != NULL && other->socket == portal->socket &&
                  strcmp(other->address, portal->address) == 0;
    }
    os_arena_clear(&arena);
    return listed;
}

/* The engine gets to know the account by having the portal on its list, for the moment. */
static enum status ask_with_account(const struct iscsi_initiator_state *state,
                                    const struct portal *portal)
{
    struct login_options options = initiator_options(state);
    struct discovery_portal entry = {
        .initiator_port = ANY_PORT, .portal = portal, .options = &options};
    struct request_add_portal add = {.entry = &entry};
    struct request_remove_portal remove = {.initiator_port = ANY_PORT, .portal = portal};
    enum status status = door_call(OPERATION_add_portal, &add, NULL, NULL);

    if (status == STATUS_OK)
        status = door_call(OPERATION_remove_portal, &remove, NULL, NULL);
    return status;
}

/*
 * A portal is asked without getting on the engine's list: first without an account, for many have
 * none for discovery. One that is on the list is asked as the list says.
 */
static enum status ask_portal(const struct iscsi_initiator_state *state,
                              const struct portal *portal)
{
    struct request_refresh_portal request = {.initiator_port = ANY_PORT, .portal = portal};
    enum status asked = door_call(OPERATION_refresh_portal, &request, NULL, NULL);
    enum status status;

    if (error_of_status(asked) != EACCES || is_value(state, "auth type", "none"))
        return asked;
    if (is_listed(portal, &status))
        return asked;
    return status == STATUS_OK ? ask_with_account(state, portal) : status;
}

/* The first portal that the target was told to have. */
static struct portal_address first_portal(const struct reply_get_target *reply,
                                          const struct portal *asked)
{
    struct portal_address address = {.group = 1};
    const struct portal *portal = asked;

    if (reply->groups.count > 0 && reply->groups.items[0].portals.count > 0) {
        portal = &reply->groups.items[0].portals.items[0];
        address.group = reply->groups.items[0].tag;
    }
    address.port = portal->socket;
    snprintf(address.host, sizeof address.host, "%s", portal->address);
    return address;
}

static bool is_found(const struct iscsi_initiator_state *state, const char *name,
                     const struct portal_address *portal)
{
    for (size_t i = 0; i < state->target_count; i++) {
        const struct found_target *target = state->targets[i];

        if (strcmp(target->name, name) == 0 && strcmp(target->portal.host, portal->host) == 0 &&
            target->portal.port == portal->port)
            return true;
    }
    return false;
}

static struct found_target *new_found(const char *name, const struct portal_address *portal)
{
    struct found_target *found = os_alloc(sizeof *found);
    char address[TEXT_ROOM], text[TEXT_ROOM + 8];

    if (found == NULL)
        return NULL;
    if (!portal_format(portal, address, sizeof address))
        address[0] = '\0';
    snprintf(text, sizeof text, "%s,%u", address, portal->group);
    found->portal = *portal;
    found->name = os_copy_text(name);
    found->address = os_copy_text(text);
    if (found->name != NULL && found->address != NULL)
        return found;
    found_target_free(found);
    return NULL;
}

/* The target keeps the number it has, if it was found before. */
static enum status note_target(struct iscsi_initiator_state *state, const char *name,
                               const struct portal_address *portal)
{
    struct found_target **targets;
    struct found_target *found;

    if (is_found(state, name, portal))
        return STATUS_OK;
    found = new_found(name, portal);
    if (found == NULL)
        return STATUS_NO_MEMORY;
    os_mutex_lock(state->mutex);
    targets = os_grow(state->targets, (state->target_count + 1) * sizeof(struct found_target *));
    if (targets != NULL) {
        targets[state->target_count++] = found;
        state->targets = targets;
    }
    os_mutex_unlock(state->mutex);
    if (targets == NULL)
        found_target_free(found);
    return targets != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Is that target of the engine's one of the portal's? Notes it then. */
static enum status look_at(struct iscsi_initiator_state *state, const char *name,
                           const char *mechanism, const struct portal *portal)
{
    struct os_arena arena = {0};
    struct request_get_target request = {.target = name, .mechanism = mechanism};
    struct reply_get_target reply;
    struct portal_address address;
    enum status status = door_call(OPERATION_get_target, &request, &reply, &arena);

    if (status == STATUS_OK) {
        address = first_portal(&reply, portal);
        status = note_target(state, name, &address);
    } else if (status == STATUS_MECHANISM_NOT_FOUND || status == STATUS_TARGET_NOT_FOUND) {
        status = STATUS_OK;
    }
    os_arena_clear(&arena);
    return status;
}

static enum status collect(struct iscsi_initiator_state *state, const struct portal *portal)
{
    struct os_arena arena = {0};
    struct discovery_portal entry = {.initiator_port = ANY_PORT, .portal = portal};
    struct mechanism mechanism = {.key = mechanism_of_portal(&entry)};
    const char *name = mechanism_name(&mechanism, &arena);
    struct request_list_targets request = {0};
    struct reply_list_targets reply;
    enum status status = name != NULL ? STATUS_OK : STATUS_NO_MEMORY;

    if (status == STATUS_OK)
        status = door_call(OPERATION_list_targets, &request, &reply, &arena);
    for (uint32_t i = 0; status == STATUS_OK && i < reply.names.count; i++)
        status = look_at(state, reply.names.items[i], name, portal);
    os_arena_clear(&arena);
    return status;
}

int initiator_find(struct iscsi_initiator_state *state, const char *host)
{
    char address[PORTAL_HOST_MAX + 1], number[16];
    uint16_t port = (uint16_t)strtoul(initiator_value(state, "target port"), NULL, 10);
    struct portal portal = {.address = address, .socket = port};
    enum status status = choose_address(state, host, port, address);

    if (status == STATUS_OK)
        status = ask_portal(state, &portal);
    if (status == STATUS_OK)
        status = collect(state, &portal);
    if (status != STATUS_OK)
        return initiator_fail(state, host, status);
    snprintf(number, sizeof number, "%u", (unsigned)state->target_count);
    variables_put(&state->variables, "targets", number);
    return 0;
}

/* --- sessions --- */

/* A session of our own, whoever else has one with the target. */
static enum status log_in(const struct iscsi_initiator_state *state, struct found_target *target)
{
    struct os_arena arena = {0};
    struct login_options options = initiator_options(state);
    struct portal portal = {.address = target->portal.host, .socket = target->portal.port};
    struct request_login request = {
        .target = target->name, .initiator_port = ANY_PORT, .portal = &portal, .options = &options};
    struct reply_login reply;
    enum status status = door_call(OPERATION_login, &request, &reply, &arena);

    if (status == STATUS_OK && reply.session != NULL) {
        target->session = *reply.session;
        target->logged_in = true;
    }
    os_arena_clear(&arena);
    return status;
}

/* 0, or an errno. */
static int ask_unit(struct iscsi_initiator_state *state, const struct found_target *target, int lun)
{
    struct os_arena arena = {0};
    struct scsi_cdb cdb;
    struct reply_scsi reply;
    enum status status;
    bool there;

    scsi_inquiry(&cdb, 0, 0, INQUIRY_LENGTH);
    struct request_scsi request = {
        .session = &target->session,
        .lun = scsi_lun_encode((uint32_t)lun),
        .cdb = {cdb.bytes, cdb.length},
        .length = INQUIRY_LENGTH,
    };
    status = door_call(OPERATION_scsi, &request, &reply, &arena);
    there = status == STATUS_OK && reply.data.length > 0 && reply.data.data[0] >> 5 != NO_UNIT;
    os_arena_clear(&arena);
    if (there)
        return 0;
    if (status != STATUS_OK && status != STATUS_SCSI_STATUS)
        return initiator_fail(state, target->name, status);
    variables_error(&state->variables, "%s: no logical unit %d", target->name, lun);
    return ENXIO;
}

int initiator_visit(struct iscsi_initiator_state *state, struct found_target *target, int lun)
{
    enum status status = target->logged_in ? STATUS_OK : log_in(state, target);

    if (status != STATUS_OK)
        return initiator_fail(state, target->name, status);
    return ask_unit(state, target, lun);
}

void initiator_leave(struct iscsi_initiator_state *state)
{
    for (size_t i = 0; i < state->target_count; i++) {
        struct request_logout request = {.session = &state->targets[i]->session};

        if (state->targets[i]->logged_in)
            door_call(OPERATION_logout, &request, NULL, NULL);
    }
}
