/* Authentication and digests: what is accepted, and every way of being refused, against every peer.
 */
#include "msapi_support.h"

#define OPEN          TARGET_BASE ":open"
#define CHAP          TARGET_BASE ":chap"
#define MUTUAL        TARGET_BASE ":mutual"
#define USER          "chapuser"
#define SECRET        "chapsecret123"
#define TARGET_SECRET "targetsecret1"

static void set_initiator_secret(const char *secret)
{
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret((ULONG)strlen(secret), (PUCHAR)(uintptr_t)secret));
}

/* The session is there, with that authentication, and can be used; then it goes. */
static void check_and_leave(const ISCSI_UNIQUE_SESSION_ID *id, ISCSI_AUTH_TYPES type, ULONGLONG lun)
{
    UCHAR status = 0xff, data[255], sense[18];
    ULONG size = sizeof data, sense_size = sizeof sense;
    ISCSI_UNIQUE_SESSION_ID session = *id;
    PISCSI_SESSION_INFO_EX info = find_session_ex(id);
    assert_non_null(info);
    assert_int_equal(info->Connections[0].AuthType, type);
    SUCCEEDS(SendScsiInquiry(&session, lun, 0, 0, &status, &size, data, &sense_size, sense));
    SUCCEEDS(LogoutIScsiTarget(&session));
}

static void refused(ISDSC_STATUS code, const char *target, const struct peer *peer,
                    ISCSI_LOGIN_OPTIONS *options)
{
    ISCSI_UNIQUE_SESSION_ID id;
    EXPECT(code, login(target, &peer->portal, options, false, &id));
    assert_int_equal(count_sessions(), 0);
}

/* -------------------------------------------------------------------- CHAP */

static void chap_is_accepted(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, SECRET);
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(CHAP, &peer->portal, &options, false, &id));
    check_and_leave(&id, ISCSI_CHAP_AUTH_TYPE, peer->lun);
}

static void chap_is_refused(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS wrong_secret = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, "chapsecret124");
    ISCSI_LOGIN_OPTIONS wrong_user = chap_options(ISCSI_CHAP_AUTH_TYPE, "nobody", SECRET);
    ISCSI_LOGIN_OPTIONS longer = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, SECRET "4");
    SUCCEEDS(add_portal(&peer->portal, NULL));
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, &wrong_secret);
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, &wrong_user);
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, &longer);
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, NULL);
}

/* Without a user name the node name is the CHAP name. */
static void the_node_name_is_the_user(void **state)
{
    const struct peer *peer = *state;
    char user[] = USER;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, NULL, SECRET);
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, &options);
    if (strcmp(peer->kind, "tgtd") != 0)
        return; /* the others look at the form of an initiator's name */
    SUCCEEDS(SetIScsiInitiatorNodeNameA(user));
    SUCCEEDS(login(CHAP, &peer->portal, &options, false, &id));
    check_and_leave(&id, ISCSI_CHAP_AUTH_TYPE, peer->lun);
}

/*
 * Whoever asks for CHAP gets CHAP: with a target that has no account for the user there is no
 * falling back to none.
 */
static void chap_asked_for_is_not_dropped(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, "nobody", SECRET);
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    ISDSC_STATUS status = login(OPEN, &peer->portal, &options, false, &id);
    if (status == ERROR_SUCCESS || status == ERROR_SEM_TIMEOUT)
        fail_msg("the login ended with 0x%lx", (unsigned long)status);
    assert_int_equal(count_sessions(), 0);
}

static void secrets_have_a_length(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS short_secret = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, "elevenbytes");
    ISCSI_LOGIN_OPTIONS long_secret = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, "17 bytes are many");
    ISCSI_LOGIN_OPTIONS none = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, "");
    ISCSI_LOGIN_OPTIONS not_given = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, SECRET);
    ISCSI_LOGIN_OPTIONS control = chap_options(ISCSI_CHAP_AUTH_TYPE, "chap\nuser", SECRET);
    ISCSI_LOGIN_OPTIONS unknown = chap_options((ISCSI_AUTH_TYPES)3, USER, SECRET);
    not_given.InformationSpecified &= ~(ULONG)ISCSI_LOGIN_OPTIONS_PASSWORD;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    refused(ISDSC_INVALID_TARGET_CHAP_SECRET, CHAP, peer, &short_secret);
    refused(ISDSC_INVALID_TARGET_CHAP_SECRET, CHAP, peer, &long_secret);
    refused(ISDSC_INVALID_TARGET_CHAP_SECRET, CHAP, peer, &none);
    refused(ISDSC_INVALID_TARGET_CHAP_SECRET, CHAP, peer, &not_given);
    refused(ISDSC_INVALID_CHAP_USER_NAME, CHAP, peer, &control);
    refused(ISDSC_INVALID_LOGON_AUTH_TYPE, CHAP, peer, &unknown);
}

/* Without the bit for it AuthType means nothing. */
static void auth_type_counts_only_if_specified(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options((ISCSI_AUTH_TYPES)77, USER, "short");
    ISCSI_UNIQUE_SESSION_ID id;
    options.InformationSpecified = 0;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(OPEN, &peer->portal, &options, false, &id));
    check_and_leave(&id, ISCSI_NO_AUTH_TYPE, peer->lun);
}

/* ------------------------------------------------------------- mutual CHAP */

static void mutual_chap_is_accepted(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, USER, SECRET);
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    set_initiator_secret(TARGET_SECRET);
    SUCCEEDS(login(MUTUAL, &peer->portal, &options, false, &id));
    check_and_leave(&id, ISCSI_MUTUAL_CHAP_AUTH_TYPE, peer->lun);
}

/* One way is enough for a target that could prove itself. */
static void one_way_on_a_mutual_target(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, USER, SECRET);
    ISCSI_UNIQUE_SESSION_ID id;
    if (strcmp(peer->kind, "istgt") == 0)
        return; /* configured for mutual CHAP it takes nothing less */
    SUCCEEDS(add_portal(&peer->portal, NULL));
    SUCCEEDS(login(MUTUAL, &peer->portal, &options, false, &id));
    check_and_leave(&id, ISCSI_CHAP_AUTH_TYPE, peer->lun);
}

static void mutual_chap_is_refused(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, USER, SECRET);
    ISCSI_LOGIN_OPTIONS wrong = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, USER, "chapsecret124");
    SUCCEEDS(add_portal(&peer->portal, NULL));
    refused(ISDSC_INVALID_INITIATOR_CHAP_SECRET, MUTUAL, peer, &options);
    set_initiator_secret("targetsecret2"); /* the target proves something else */
    refused(ISDSC_AUTHENTICATION_FAILURE, MUTUAL, peer, &options);
    set_initiator_secret(TARGET_SECRET);
    refused(ISDSC_AUTHENTICATION_FAILURE, MUTUAL, peer, &wrong);
    refused(ISDSC_AUTHENTICATION_FAILURE, CHAP, peer, &options); /* it cannot prove itself */
}

/* The same secret both ways would let a target answer with what it was sent (RFC 7143, 9.2.1). */
static void the_secrets_have_to_differ(void **state)
{
    const struct peer *peer = *state;
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, USER, SECRET);
    SUCCEEDS(add_portal(&peer->portal, NULL));
    set_initiator_secret(SECRET);
    refused(ISDSC_INVALID_CHAP_SECRET, MUTUAL, peer, &options);
}

/* ----------------------------------------------------------------- digests */

static void check_digests(const struct peer *peer, ULONG specified, ISCSI_DIGEST_TYPES header,
                          ISCSI_DIGEST_TYPES data, UCHAR header_result, UCHAR data_result)
{
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID id;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = specified;
    options.HeaderDigest = header;
    options.DataDigest = data;
    SUCCEEDS(login(OPEN, &peer->portal, &options, false, &id));
    PISCSI_SESSION_INFO_EX session = find_session_ex(&id);
    assert_non_null(session);
    assert_int_equal(session->Connections[0].HeaderDigest, header_result);
    assert_int_equal(session->Connections[0].DataDigest, data_result);
    check_and_leave(&id, ISCSI_NO_AUTH_TYPE, peer->lun);
}

static void digests_are_as_asked(void **state)
{
    const struct peer *peer = *state;
    const ULONG both = ISCSI_LOGIN_OPTIONS_HEADER_DIGEST | ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    const UCHAR on = strcmp(peer->kind, "tgtd") != 0; /* tgtd has them only where it is told to */
    const ISCSI_DIGEST_TYPES none = ISCSI_DIGEST_TYPE_NONE, crc = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_portal(&peer->portal, NULL));
    check_digests(peer, 0, none, none, 0, 0);
    check_digests(peer, both, none, none, 0, 0);
    check_digests(peer, both, crc, crc, on, on);
    check_digests(peer, both, crc, none, on, 0);
    check_digests(peer, both, none, crc, 0, on);
    check_digests(peer, 0, crc, crc, 0, 0); /* not specified: the default */
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(chap_is_accepted),          PEER_CASE(chap_is_refused),
        PEER_CASE(the_node_name_is_the_user), PEER_CASE(chap_asked_for_is_not_dropped),
        PEER_CASE(secrets_have_a_length),     PEER_CASE(auth_type_counts_only_if_specified),
        PEER_CASE(mutual_chap_is_accepted),   PEER_CASE(one_way_on_a_mutual_target),
        PEER_CASE(mutual_chap_is_refused),    PEER_CASE(the_secrets_have_to_differ),
        PEER_CASE(digests_are_as_asked),
    };
    return run_peer_cases("msapi chap", cases, sizeof cases / sizeof *cases);
}
