/* Who may come in: accounts, and the target's own proof. */
#include "os/crypto.h"
#include "target/internal.h"

void target_access_init(struct target_access *access)
{
    list_init(&access->accounts);
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
