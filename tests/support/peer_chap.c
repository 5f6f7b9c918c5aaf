/* What goes wrong in CHAP, where the target asks and where it has to prove itself. */
#include "peer.h"

#include "os/crypto.h"
#include "protocol/text.h"

#include <stdio.h>

enum { VALUE_ROOM = 4096 };

/* --- the target asks --- */

static bool has_key(const struct target_fault_out *out, const char *key)
{
    char value[VALUE_ROOM];

    return out->pdu->opcode == PDU_LOGIN_RESPONSE && out->length > 0 &&
           get_key(out->data, out->length, key, value, sizeof value);
}

/* `text`=`value` in the PDU that has it; `value` NULL leaves it out. */
static void change_key(struct scene *scene, struct target_connection *connection,
                       struct target_fault_out *out)
{
    (void)connection;
    if (has_key(out, scene->play->text))
        set_key(out, scene->play->text, scene->play->value);
}

/* Adds to the challenge. */
static void add_to_challenge(struct scene *scene, struct target_connection *connection,
                             struct target_fault_out *out)
{
    (void)connection;
    if (has_key(out, "CHAP_C"))
        add_text(out, scene->play->text);
}

static void move_on(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out)
{
    (void)scene;
    (void)connection;
    if (!has_key(out, "AuthMethod"))
        return;
    out->pdu->login_response.transit = true;
    out->pdu->login_response.next_stage = LOGIN_STAGE_OPERATIONAL;
}

static void refuse_proof(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    if (is_login_response(out) && out->pdu->login_response.transit)
        refuse_login(scene, connection, out);
}

/* The T bit leads two stages on. */
static void skip_stage(struct scene *scene, struct target_connection *connection,
                       struct target_fault_out *out)
{
    struct pdu_login_response *response = &out->pdu->login_response;

    (void)scene;
    (void)connection;
    if (is_login_response(out) && response->current_stage == LOGIN_STAGE_SECURITY &&
        response->transit)
        response->next_stage = LOGIN_STAGE_FULL_FEATURE;
}

enum { BARE, LONG, ODD, UPPER, BASE64 };

/* Another spelling of the challenge. */
static void respell(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out)
{
    char value[VALUE_ROOM];
    char spelt[VALUE_ROOM];
    uint8_t bytes[1024];
    long length;

    (void)connection;
    if (out->pdu->opcode != PDU_LOGIN_RESPONSE || out->length == 0 ||
        !get_key(out->data, out->length, "CHAP_C", value, sizeof value))
        return;
    length = text_binary_decode(value, strlen(value), bytes, sizeof bytes);
    switch (scene->play->number) {
    case BARE:
        snprintf(spelt, sizeof spelt, "%s", value + 2);
        break;
    case LONG:
        snprintf(spelt, sizeof spelt, "0x%02050d", 1);
        break;
    case ODD: /* the first digit is 0: see the random numbers of iscsi_test_peer.c */
        snprintf(spelt, sizeof spelt, "0x%s", value + 3);
        break;
    case UPPER:
        snprintf(spelt, sizeof spelt, "%s", value);
        for (char *c = spelt + 1; *c != '\0'; c++)
            *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
        break;
    default:
        text_base64_encode(bytes, (size_t)length, spelt, sizeof spelt);
        break;
    }
    set_key(out, "CHAP_C", spelt);
}

static void reverse_keys(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    static const char *const keys[] = {"CHAP_C", "CHAP_I", "CHAP_A"};
    char value[VALUE_ROOM];

    (void)scene;
    (void)connection;
    if (!has_key(out, "CHAP_C"))
        return;
    for (size_t i = 0; i < 3; i++) { /* each goes to the end */
        if (get_key(out->data, out->length, keys[i], value, sizeof value))
            set_key(out, keys[i], value);
    }
}

static bool request_has(const struct target_fault_in *in, const char *key)
{
    char value[VALUE_ROOM];

    return in->pdu->opcode == PDU_LOGIN_REQUEST && in->length > 0 &&
           get_key(in->data, in->length, key, value, sizeof value);
}

static void ask_twice(struct scene *scene, struct target_connection *connection,
                      struct target_fault_in *in)
{
    static const char text[] = "CHAP_I=5\0CHAP_C=0x00112233445566778899aabbccddeeff";
    struct pdu pdu = {.opcode = PDU_LOGIN_RESPONSE, .itt = in->pdu->itt};

    (void)scene;
    if (!request_has(in, "CHAP_R"))
        return;
    in->swallow = true;
    memcpy(pdu.login_response.isid, in->pdu->login_request.isid, PDU_ISID_LENGTH);
    target_fault_send(connection, &pdu, text, sizeof text, true);
}

static void swallow_proof(struct scene *scene, struct target_connection *connection,
                          struct target_fault_in *in)
{
    (void)scene;
    (void)connection;
    in->swallow = request_has(in, "CHAP_R");
}

static void close_when_asked(struct scene *scene, struct target_connection *connection,
                             struct target_fault_in *in)
{
    (void)scene;
    if (request_has(in, "CHAP_A"))
        target_fault_end(connection, TARGET_END_CLOSE);
}

/* --- the target proves itself --- */

static void forget_secret(struct scene *scene)
{
    target_access_identity(target_access_of(scene->target), STANDARD_IDENTITY, "anothersecret");
}

/* What the initiator's proof said is needed for ours. */
static void note_proof(struct scene *scene, struct target_connection *connection,
                       struct target_fault_in *in)
{
    (void)connection;
    if (!request_has(in, "CHAP_R") || in->length > SCENE_KEPT)
        return;
    memcpy(scene->kept_data, in->data, in->length);
    scene->kept_length = in->length;
}

static void drop_proof(struct scene *scene, struct target_connection *connection,
                       struct target_fault_out *out)
{
    (void)scene;
    (void)connection;
    if (!has_key(out, "CHAP_R"))
        return;
    set_key(out, "CHAP_N", NULL);
    set_key(out, "CHAP_R", NULL);
}

/* The initiator's own value of key `text` comes back. */
static void reflect(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out)
{
    char value[VALUE_ROOM];

    (void)connection;
    if (has_key(out, "CHAP_R") &&
        get_key(scene->kept_data, scene->kept_length, scene->play->text, value, sizeof value))
        set_key(out, scene->play->text, value);
}

static void reflect_challenge(struct scene *scene, struct target_connection *connection,
                              struct target_fault_out *out)
{
    char value[VALUE_ROOM];

    (void)connection;
    if (!has_key(out, "CHAP_R"))
        return;
    if (get_key(scene->kept_data, scene->kept_length, "CHAP_I", value, sizeof value))
        set_key(out, "CHAP_I", value);
    if (get_key(scene->kept_data, scene->kept_length, "CHAP_C", value, sizeof value))
        set_key(out, "CHAP_C", value);
}

static void note_algorithm(struct scene *scene, const struct target_fault_out *out)
{
    char value[VALUE_ROOM];
    uint64_t number = 0;

    if (get_key(out->data, out->length, "CHAP_A", value, sizeof value) &&
        text_number(value, strlen(value), &number))
        scene->count = (unsigned)number;
}

/* The right answer to the initiator's challenge, but with the initiator's secret. */
static void prove_with_its_secret(struct scene *scene, struct target_connection *connection,
                                  struct target_fault_out *out)
{
    char value[VALUE_ROOM];
    uint8_t challenge[CHAP_CHALLENGE_MAX];
    uint8_t digest[CHAP_DIGEST_MAX];
    uint64_t identifier = 0;
    long length;

    (void)connection;
    if (has_key(out, "CHAP_A"))
        note_algorithm(scene, out);
    if (!has_key(out, "CHAP_R") ||
        !get_key(scene->kept_data, scene->kept_length, "CHAP_I", value, sizeof value))
        return;
    text_number(value, strlen(value), &identifier);
    get_key(scene->kept_data, scene->kept_length, "CHAP_C", value, sizeof value);
    length = text_binary_decode(value, strlen(value), challenge, sizeof challenge);
    chap_response(&os_crypto, scene->count, (uint8_t)identifier, STANDARD_SECRET,
                  strlen(STANDARD_SECRET), challenge, (size_t)length, digest);
    text_hex_encode(digest, chap_digest_length(scene->count), value, sizeof value);
    set_key(out, "CHAP_R", value);
}

static void long_proof(struct scene *scene, struct target_connection *connection,
                       struct target_fault_out *out)
{
    char value[VALUE_ROOM];

    (void)scene;
    (void)connection;
    if (!has_key(out, "CHAP_R"))
        return;
    snprintf(value, sizeof value, "0x%02050d", 1);
    set_key(out, "CHAP_R", value);
}

#define CHANGE(name, key, bad)                                                                     \
    {                                                                                              \
        name, .outgoing = change_key, .text = key, .value = bad                                    \
    }
#define RESPELL(name, spelling)                                                                    \
    {                                                                                              \
        name, .outgoing = respell, .number = spelling                                              \
    }

const struct play chap_plays[] = {
    {.name = "chap-good"},
    {"chap-refused", .outgoing = refuse_proof, .number = 0x0201},
    CHANGE("chap-method-none", "AuthMethod", "None"),
    CHANGE("chap-method-unknown", "AuthMethod", "KRB5"),
    CHANGE("chap-method-reject", "AuthMethod", "Reject"),
    CHANGE("chap-method-missing", "AuthMethod", NULL),
    {"chap-moves-on", .outgoing = move_on},
    CHANGE("chap-algorithm-not-offered", "CHAP_A", "99"),
    CHANGE("chap-algorithm-text", "CHAP_A", "MD5"),
    CHANGE("chap-algorithm-list", "CHAP_A", "5,7"),
    CHANGE("chap-algorithm-missing", "CHAP_A", NULL),
    CHANGE("chap-identifier-256", "CHAP_I", "256"),
    CHANGE("chap-identifier-text", "CHAP_I", "one"),
    CHANGE("chap-identifier-missing", "CHAP_I", NULL),
    CHANGE("chap-challenge-missing", "CHAP_C", NULL),
    CHANGE("chap-challenge-empty", "CHAP_C", "0x"),
    RESPELL("chap-challenge-bare", BARE),
    RESPELL("chap-challenge-long", LONG),
    CHANGE("chap-challenge-not-hex", "CHAP_C", "0xzz112233445566778899aabbccddeeff"),
    CHANGE("chap-challenge-not-base64", "CHAP_C", "0b!!!!????"),
    RESPELL("chap-challenge-odd", ODD),
    RESPELL("chap-challenge-upper", UPPER),
    RESPELL("chap-challenge-base64", BASE64),
    {"chap-keys-reversed", .outgoing = reverse_keys},
    {"chap-key-twice", .outgoing = add_to_challenge, .text = "CHAP_I=1\n"},
    {"chap-unknown-key", .outgoing = add_to_challenge, .text = "CHAP_X=1\n"},
    {"chap-asks-twice", .incoming = ask_twice},
    {"chap-skips-stage", .outgoing = skip_stage},
    {"chap-silent", .incoming = swallow_proof},
    {"chap-closes", .incoming = close_when_asked},
    {.name = "mutual-good"},
    {"mutual-wrong-secret", .setup = forget_secret},
    {"mutual-same-secret", .incoming = note_proof, .outgoing = prove_with_its_secret},
    {"mutual-no-response", .outgoing = drop_proof},
    CHANGE("mutual-no-name", "CHAP_N", NULL),
    CHANGE("mutual-name-only", "CHAP_R", NULL),
    CHANGE("mutual-empty-name", "CHAP_N", ""),
    CHANGE("mutual-initiators-name", "CHAP_N", STANDARD_USER),
    {"mutual-reflected", .incoming = note_proof, .outgoing = reflect, .text = "CHAP_R"},
    CHANGE("mutual-short-response", "CHAP_R", "0x1234"),
    {"mutual-long-response", .outgoing = long_proof},
    CHANGE("mutual-response-not-hex", "CHAP_R", "0xzz112233445566778899aabbccddeeff"),
    {"mutual-asks-again", .incoming = note_proof, .outgoing = reflect_challenge},
};
const size_t chap_play_count = sizeof chap_plays / sizeof chap_plays[0];
