/* A session: what its connections share. */
#include "initiator/internal.h"
#include "os/crypto.h"
#include "os/memory.h"

#include <string.h>

/* All that the settings point to, in one block. */
struct texts {
    size_t length;
    char bytes[];
};

static const void *keep(struct texts *texts, const void *data, size_t length)
{
    char *place = texts->bytes + texts->length;

    if (!data)
        return NULL;
    memcpy(place, data, length);
    texts->length += length;
    return place;
}

static const char *keep_text(struct texts *texts, const char *text)
{
    return text ? keep(texts, text, strlen(text) + 1) : NULL;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static bool copy_settings(struct session *session, const struct session_settings *from)
{
    const struct chap_credentials *chap = &from->chap;
    struct session_settings *to = &session->settings;
    size_t size = text_size(from->initiator_name) + text_size(from->initiator_alias) +
                  text_size(from->target_name) + text_size(chap->name) +
                  text_size(chap->peer_name) + chap->secret_length + chap->peer_secret_length;
    struct texts *texts = os_alloc(sizeof *texts + size);

    if (!texts)
        return false;
    *to = *from;
    to->initiator_name = keep_text(texts, from->initiator_name);
    to->initiator_alias = keep_text(texts, from->initiator_alias);
    to->target_name = keep_text(texts, from->target_name);
    to->chap.name = keep_text(texts, chap->name);
    to->chap.peer_name = keep_text(texts, chap->peer_name);
    to->chap.secret = keep(texts, chap->secret, chap->secret_length);
    to->chap.peer_secret = keep(texts, chap->peer_secret, chap->peer_secret_length);
    session->texts = texts;
    return true;
}

struct session *session_new(const struct session_settings *settings,
                            const struct chap_crypto *crypto,
                            const struct session_callbacks *callbacks, void *owner)
{
    struct session *session = os_alloc(sizeof *session);

    if (!session)
        return NULL;
    if (!copy_settings(session, settings)) {
        os_free(session);
        return NULL;
    }
    session->crypto = crypto;
    session->callbacks = callbacks;
    session->owner = owner;
    session->cmd_sn = session->exp_cmd_sn = 1;
    session->max_cmd_sn = 0; /* closed until the login tells */
    session->task_due = INITIATOR_NEVER;
    list_init(&session->connections);
    list_init(&session->waiting);
    list_init(&session->active);
    key_values_default(&session->values);
    return session;
}

static void fail_all(struct list *tasks)
{
    struct list *first;

    while ((first = list_first(tasks)))
        task_finish(LIST_OWNER(first, struct task, link), STATUS_CANCELLED);
}

void session_free(struct session *session)
{
    struct list *first;
    struct texts *texts;

    if (!session)
        return;
    LIST_EACH(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        connection->state = CONNECTION_CLOSED;
        output_clear(connection);
    }
    fail_all(&session->active);
    fail_all(&session->waiting);
    text_finish(session, STATUS_CANCELLED);
    while ((first = list_first(&session->connections)))
        connection_free(LIST_OWNER(first, struct connection, link));
    texts = session->texts;
    os_wipe(texts->bytes, texts->length);
    os_free(texts);
    os_free(session->tags.slots);
    os_free(session->target_alias);
    os_free(session);
}

const struct session_settings *session_settings(const struct session *session)
{
    return &session->settings;
}

const struct key_values *session_values(const struct session *session)
{
    return &session->values;
}

uint16_t session_tsih(const struct session *session)
{
    return session->tsih;
}

const char *session_target_alias(const struct session *session)
{
    return session->target_alias ? session->target_alias : "";
}

uint16_t session_portal_group(const struct session *session)
{
    return session->portal_group;
}
