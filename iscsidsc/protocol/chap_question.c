/* CHAP where somebody else has a secret: what he is asked, and what becomes of his answer. */
#include "protocol/chap.h"

#include <string.h>

void chap_fail(struct chap *chap)
{
    chap->state = CHAP_FAILED;
    chap->pending = false;
    chap->asking = CHAP_ASK_NOTHING;
}

bool chap_question(const struct chap *chap, struct chap_question *out)
{
    bool verdict = chap->asking == CHAP_ASK_VERDICT;

    memset(out, 0, sizeof *out);
    if (chap->asking == CHAP_ASK_NOTHING)
        return false;
    out->asking = chap->asking;
    out->name = verdict ? chap->peer_name : chap->credentials.name;
    out->identifier = verdict ? chap->identifier : chap->peer_identifier;
    out->challenge = verdict ? chap->challenge : chap->peer_challenge;
    out->challenge_length = verdict ? chap->challenge_length : chap->peer_challenge_length;
    out->response = verdict ? chap->peer_response : NULL;
    return true;
}

enum status chap_answer(struct chap *chap, enum status status,
                        const uint8_t response[CHAP_MD5_LENGTH])
{
    enum chap_asking asked = chap->asking;

    if (asked == CHAP_ASK_NOTHING)
        return STATUS_INTERNAL;
    if (status != STATUS_OK) {
        chap_fail(chap);
        return status;
    }
    chap->asking = CHAP_ASK_NOTHING;
    if (asked == CHAP_ASK_VERDICT) {
        chap->state = CHAP_DONE;
        return STATUS_OK;
    }
    memcpy(chap->response, response, CHAP_MD5_LENGTH);
    chap->pending = true;
    return STATUS_OK;
}
