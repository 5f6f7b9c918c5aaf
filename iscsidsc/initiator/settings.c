/* Copies of settings: with secrets in them, wiped when they go. */
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

struct texts *settings_keep(struct session_settings *to, const struct session_settings *from)
{
    const struct chap_credentials *chap = &from->chap;
    size_t size = text_size(from->initiator_name) + text_size(from->initiator_alias) +
                  text_size(from->target_name) + text_size(chap->name) +
                  text_size(chap->peer_name) + chap->secret_length + chap->peer_secret_length;
    struct texts *texts = os_alloc(sizeof *texts + size);

    if (!texts)
        return NULL;
    *to = *from;
    to->initiator_name = keep_text(texts, from->initiator_name);
    to->initiator_alias = keep_text(texts, from->initiator_alias);
    to->target_name = keep_text(texts, from->target_name);
    to->chap.name = keep_text(texts, chap->name);
    to->chap.peer_name = keep_text(texts, chap->peer_name);
    to->chap.secret = keep(texts, chap->secret, chap->secret_length);
    to->chap.peer_secret = keep(texts, chap->peer_secret, chap->peer_secret_length);
    return texts;
}

void settings_forget(struct texts *texts)
{
    if (!texts)
        return;
    os_wipe(texts->bytes, texts->length);
    os_free(texts);
}
