/* Who may come in: names, networks, accounts, and the target's own proof. */
#include "os/crypto.h"
#include "target/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct allowed_name {
    struct list link;
    char *name; /* as it is compared */
};

struct allowed_network {
    struct list link;
    uint8_t ip[OS_IP_LENGTH];
    uint8_t mask[OS_IP_LENGTH];
};

void target_access_init(struct target_access *access)
{
    list_init(&access->accounts);
    list_init(&access->names);
    list_init(&access->networks);
    access->identity = NULL;
}

static void free_account(struct target_account *account)
{
    if (account != NULL)
        os_wipe(account->secret, sizeof account->secret);
    os_free(account);
}

void target_access_clear(struct target_access *access)
{
    LIST_EACH_SAFE(node, &access->accounts)
    free_account(LIST_OWNER(node, struct target_account, link));
    LIST_EACH_SAFE(name_node, &access->names)
    {
        struct allowed_name *name = LIST_OWNER(name_node, struct allowed_name, link);

        os_free(name->name);
        os_free(name);
    }
    LIST_EACH_SAFE(network_node, &access->networks)
    os_free(LIST_OWNER(network_node, struct allowed_network, link));
    free_account(access->identity);
    target_access_init(access);
}

struct target_access *target_access_of(struct target *target)
{
    return &target->access;
}

struct target_access *target_access_of_discovery(struct target_entity *entity)
{
    return &entity->discovery;
}

static enum status new_account(const char *user, const char *secret, struct target_account **out)
{
    struct target_account *account;

    if (*user == '\0' || strlen(user) > CHAP_NAME_MAX)
        return STATUS_INVALID_CHAP_NAME;
    if (*secret == '\0' || strlen(secret) > CHAP_SECRET_MAX)
        return STATUS_INVALID_SECRET;
    account = os_alloc(sizeof *account);
    if (account == NULL)
        return STATUS_NO_MEMORY;
    memcpy(account->user, user, strlen(user) + 1);
    memcpy(account->secret, secret, strlen(secret) + 1);
    list_init(&account->link);
    *out = account;
    return STATUS_OK;
}

enum status target_access_add(struct target_access *access, const char *user, const char *secret)
{
    struct target_account *account;
    enum status status = new_account(user, secret, &account);

    if (status == STATUS_OK)
        list_append(&access->accounts, &account->link);
    return status;
}

enum status target_access_identity(struct target_access *access, const char *user,
                                   const char *secret)
{
    struct target_account *account;
    enum status status = new_account(user, secret, &account);

    if (status != STATUS_OK)
        return status;
    free_account(access->identity);
    access->identity = account;
    return STATUS_OK;
}

bool target_access_find(void *context, const char *name, struct chap_credentials *credentials)
{
    const struct target_access *access = context;
    const struct target_account *identity = access->identity;

    LIST_EACH(node, &access->accounts)
    {
        const struct target_account *account = LIST_OWNER(node, struct target_account, link);

        if (strcmp(account->user, name) != 0)
            continue;
        memset(credentials, 0, sizeof *credentials);
        credentials->peer_name = account->user;
        credentials->peer_secret = (const uint8_t *)account->secret;
        credentials->peer_secret_length = strlen(account->secret);
        if (identity != NULL) {
            credentials->name = identity->user;
            credentials->secret = (const uint8_t *)identity->secret;
            credentials->secret_length = strlen(identity->secret);
        }
        return true;
    }
    return false;
}

/* --- names and networks --- */

enum status target_access_allow_name(struct target_access *access, const char *initiator)
{
    char normal[ISCSI_NAME_MAX + 1];
    struct allowed_name *allowed;

    if (!name_normalize(initiator, normal))
        return STATUS_INVALID_NAME;
    allowed = os_alloc(sizeof *allowed);
    if (allowed != NULL)
        allowed->name = os_copy_text(normal);
    if (allowed == NULL || allowed->name == NULL) {
        os_free(allowed);
        return STATUS_NO_MEMORY;
    }
    list_append(&access->names, &allowed->link);
    return STATUS_OK;
}

/* The leading bits of the address, its family's own; IPv4 is the last 32 of the 128. */
static bool mask_of_length(const char *text, bool ipv6, uint8_t mask[OS_IP_LENGTH])
{
    char *end;
    unsigned long bits = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || bits > (ipv6 ? 128u : 32u))
        return false;
    bits += ipv6 ? 0 : 96;
    for (unsigned i = 0; i < OS_IP_LENGTH; i++) {
        unsigned long here = bits > 8 * i ? bits - 8 * i : 0;

        mask[i] = (uint8_t)(here >= 8 ? 0xffu : 0xff00u >> here);
    }
    return true;
}

/* 255.255.0.0, or its length. */
static bool read_mask(const char *text, bool ipv6, uint8_t mask[OS_IP_LENGTH])
{
    struct os_address address;

    if (ipv6 || !os_address_parse(&address, text, 0) || os_address_is_ipv6(&address))
        return mask_of_length(text, ipv6, mask);
    os_address_to_ip(&address, mask);
    memset(mask, 0xff, OS_IP_LENGTH - 4);
    return true;
}

static bool read_network(const char *text, struct allowed_network *network)
{
    char copy[128];
    struct os_address address;
    char *slash;

    if (strcmp(text, "any") == 0 || strcmp(text, "all") == 0 || strcmp(text, "0/0") == 0)
        return true; /* an empty mask */
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return false;
    slash = strchr(copy, '/');
    if (slash != NULL)
        *slash++ = '\0';
    if (!os_address_parse(&address, copy, 0))
        return false;
    os_address_to_ip(&address, network->ip);
    memset(network->mask, 0xff, sizeof network->mask);
    return slash == NULL || read_mask(slash, os_address_is_ipv6(&address), network->mask);
}

enum status target_access_allow_network(struct target_access *access, const char *text)
{
    struct allowed_network *network = os_alloc(sizeof *network);

    if (network == NULL)
        return STATUS_NO_MEMORY;
    if (!read_network(text, network)) {
        os_free(network);
        return STATUS_INVALID_ADDRESS;
    }
    list_append(&access->networks, &network->link);
    return STATUS_OK;
}

static bool name_fits(const struct target_access *access, const char *initiator)
{
    LIST_EACH(node, &access->names)
    {
        if (strcmp(LIST_OWNER(node, struct allowed_name, link)->name, initiator) == 0)
            return true;
    }
    return list_empty(&access->names);
}

static bool is_in(const struct allowed_network *network, const struct target_connection *connection)
{
    uint8_t difference = 0;
    uint8_t mask = 0;

    for (size_t i = 0; i < OS_IP_LENGTH; i++) {
        mask |= network->mask[i];
        difference |= (uint8_t)((network->ip[i] ^ connection->from[i]) & network->mask[i]);
    }
    return difference == 0 && (mask == 0 || connection->from_known);
}

static bool network_fits(const struct target_access *access,
                         const struct target_connection *connection)
{
    LIST_EACH(node, &access->networks)
    {
        if (is_in(LIST_OWNER(node, struct allowed_network, link), connection))
            return true;
    }
    return list_empty(&access->networks);
}

bool target_access_permits(const struct target_access *access, const char *initiator,
                           const struct target_connection *connection)
{
    return name_fits(access, initiator) && network_fits(access, connection);
}
