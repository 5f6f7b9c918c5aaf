/* A target made of function calls: what the initiator says comes as PDUs, answers go as PDUs. */
#ifndef TESTS_INITIATOR_PEER_H
#define TESTS_INITIATOR_PEER_H

#include "initiator/initiator.h"
#include "os/crypto.h"
#include "protocol/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct peer {
    struct session *session;
    struct connection *connection;
    uint64_t now;
    uint32_t stat_sn;
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn;
    bool logged_in;
    bool closed;
    enum status status; /* of `closed` */
    unsigned async;
    struct chap_question question; /* the last that was asked */
    struct framer framer;          /* reads what the initiator sends */
    uint8_t look_ahead[65536];
    uint8_t theirs[8192];
    uint8_t text[8193];       /* data segment of the last PDU that was taken */
    uint8_t ahs[PDU_AHS_MAX]; /* and its additional headers */
    size_t ahs_length;
    bool digests; /* in what the target says */
    struct iov place;
    uint8_t unread[65536]; /* bytes of the initiator not looked at yet */
    size_t unread_length;
};

static inline void peer_output(void *owner, struct connection *connection)
{
    (void)owner;
    (void)connection;
}

static inline void peer_logged_in(void *owner, struct connection *connection)
{
    struct peer *peer = owner;

    (void)connection;
    peer->logged_in = true;
}

static inline void peer_closed(void *owner, struct connection *connection, enum status status)
{
    struct peer *peer = owner;

    (void)connection;
    assert_false(peer->closed);
    peer->closed = true;
    peer->status = status;
}

static inline void peer_async(void *owner, struct connection *connection,
                              const struct pdu_async_message *message)
{
    struct peer *peer = owner;

    (void)connection;
    (void)message;
    peer->async++;
}

/* The question is left where the test finds it. */
static inline void peer_ask(void *owner, struct connection *connection,
                            const struct chap_question *question)
{
    struct peer *peer = owner;

    (void)connection;
    peer->question = *question;
}

static const struct session_callbacks peer_callbacks = {peer_output, peer_logged_in, peer_closed,
                                                        peer_async, peer_ask};

static const struct session_settings peer_settings = {
    .initiator_name = "iqn.2026-11.test:initiator",
    .target_name = "iqn.2026-11.test:target",
    .isid = {0x40, 0, 1, 0x37, 0, 1},
    .offers = {.header_digest = "None,CRC32C",
               .data_digest = "None,CRC32C",
               .max_recv_data_segment_length = 65536,
               .max_connections = 1,
               .immediate_data = true,
               .max_burst_length = 262144,
               .first_burst_length = 65536,
               .default_time2wait = 2,
               .default_time2retain = 20,
               .max_outstanding_r2t = 16,
               .data_pdu_in_order = true,
               .data_sequence_in_order = true},
    .timeouts = {.login = 1000, .command = 2000, .logout = 500},
};

static inline void peer_init(struct peer *peer)
{
    memset(peer, 0, sizeof *peer);
    framer_init(&peer->framer);
    peer->stat_sn = 100;
    peer->max_cmd_sn = 33;
    peer->now = 1000000;
}

/* Another connection of the session; its login is under way. */
static inline void peer_join(struct peer *peer, const struct peer *first, uint16_t cid)
{
    peer_init(peer);
    peer->stat_sn = 500;
    peer->session = first->session;
    peer->connection = connection_new(peer->session, cid, peer);
    assert_non_null(peer->connection);
    connection_start(peer->connection, peer->now);
}

static inline void peer_start(struct peer *peer, const struct session_settings *settings)
{
    peer_init(peer);
    peer->session = session_new(settings, &os_crypto, &peer_callbacks, peer);
    assert_non_null(peer->session);
    peer->connection = connection_new(peer->session, 1, peer);
    assert_non_null(peer->connection);
    connection_start(peer->connection, peer->now);
}

static inline void peer_stop(struct peer *peer)
{
    session_free(peer->session);
}

static inline void peer_collect(struct peer *peer)
{
    struct iov pieces[64];
    size_t count;

    while ((count = connection_write_pieces(peer->connection, pieces, 64)) > 0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++) {
            assert_true(peer->unread_length + pieces[i].length <= sizeof peer->unread);
            memcpy(peer->unread + peer->unread_length, pieces[i].base, pieces[i].length);
            peer->unread_length += pieces[i].length;
            total += pieces[i].length;
        }
        connection_written(peer->connection, total);
    }
}

/* The next PDU the initiator sent, of this kind. */
static const struct pdu *peer_take(struct peer *peer, enum pdu_opcode opcode)
{
    enum framer_event event;
    struct iov pieces[4];

    peer_collect(peer);
    peer->framer.carry_length = 0;
    framer_attach(&peer->framer, peer->look_ahead, sizeof peer->look_ahead);
    framer_buffers(&peer->framer, pieces, 4);
    assert_true(peer->unread_length > 0 && peer->unread_length <= sizeof peer->look_ahead);
    memcpy(pieces[0].base, peer->unread, peer->unread_length);
    framer_filled(&peer->framer, peer->unread_length);
    event = framer_next(&peer->framer);
    assert_int_equal(event, FRAMER_HEADER);
    peer->ahs_length = peer->framer.pdu.ahs_length;
    memcpy(peer->ahs, peer->framer.ahs, peer->ahs_length);
    peer->place.base = peer->text;
    peer->place.length = sizeof peer->text - 1;
    framer_place(&peer->framer, &peer->place, 1);
    event = framer_next(&peer->framer);
    assert_int_equal(event, FRAMER_PDU);
    peer->text[peer->framer.pdu.data_length] = 0;
    /* What follows stays unread. */
    peer->unread_length = peer->framer.end - peer->framer.start;
    memmove(peer->unread, peer->framer.ahead + peer->framer.start, peer->unread_length);
    peer->framer.start = peer->framer.end;
    framer_detach(&peer->framer);
    assert_int_equal(peer->framer.pdu.opcode, opcode);
    return &peer->framer.pdu;
}

/* The next PDU is of this kind: it is passed over. Else nothing happens. */
static inline void peer_skip(struct peer *peer, enum pdu_opcode opcode)
{
    peer_collect(peer);
    if (peer->unread_length > 0 && (peer->unread[0] & 0x3f) == opcode)
        peer_take(peer, opcode);
}

static inline bool peer_silent(struct peer *peer)
{
    peer_collect(peer);
    return peer->unread_length == 0;
}

static inline void peer_bytes(struct peer *peer, const void *bytes, size_t length)
{
    static uint8_t look_ahead[16384];
    const uint8_t *from = bytes;
    struct iov pieces[8];

    while (length > 0 && !peer->closed) {
        size_t count, taken = 0;

        connection_read_begin(peer->connection, look_ahead, sizeof look_ahead);
        count = connection_read_pieces(peer->connection, pieces, 8);
        for (size_t i = 0; i < count && taken < length; i++) {
            size_t now = pieces[i].length < length - taken ? pieces[i].length : length - taken;

            memcpy(pieces[i].base, from + taken, now);
            taken += now;
        }
        connection_read(peer->connection, taken, peer->now);
        connection_read_end(peer->connection);
        from += taken;
        length -= taken;
    }
}

enum peer_damage { PEER_SOUND, PEER_BAD_HEADER, PEER_BAD_DATA };

/* Sends a PDU, with digests when they were agreed on: `damage` makes one of them wrong. */
static inline void peer_say_damaged(struct peer *peer, struct pdu *pdu, const void *data,
                                    size_t length, enum peer_damage damage)
{
    uint8_t wire[PDU_BHS_LENGTH + 20000] = {0};
    struct iov piece = {(void *)(uintptr_t)data, length};
    struct frame_tail tail;
    size_t at = PDU_BHS_LENGTH;

    assert_true(length + 16 <= sizeof wire - PDU_BHS_LENGTH);
    pdu->data_length = (uint32_t)length;
    pdu_encode(pdu, wire);
    if (peer->digests) {
        frame_header_digest(wire, at);
        wire[at] ^= damage == PEER_BAD_HEADER;
        at += PDU_DIGEST_LENGTH;
    }
    if (length > 0)
        memcpy(wire + at, data, length);
    at += length;
    frame_tail(&tail, &piece, 1, peer->digests);
    memcpy(wire + at, tail.bytes, tail.length);
    at += tail.length;
    wire[at - 1] ^= damage == PEER_BAD_DATA;
    peer_bytes(peer, wire, at);
}

static inline void peer_say(struct peer *peer, struct pdu *pdu, const void *data, size_t length)
{
    peer_say_damaged(peer, pdu, data, length, PEER_SOUND);
}

static inline struct pdu_sequence peer_sn(struct peer *peer, bool counts)
{
    struct pdu_sequence sn = {peer->stat_sn, peer->exp_cmd_sn, peer->max_cmd_sn};

    peer->stat_sn += counts;
    return sn;
}

/* Answers the login request just taken; `next` < 0: no T bit. */
static inline struct pdu peer_login_answer(struct peer *peer, int next)
{
    const struct pdu *request = &peer->framer.pdu;
    struct pdu pdu = {.opcode = PDU_LOGIN_RESPONSE, .itt = request->itt};

    peer->exp_cmd_sn = request->login_request.cmd_sn;
    pdu.login_response.transit = next >= 0;
    pdu.login_response.current_stage = request->login_request.current_stage;
    pdu.login_response.next_stage = next >= 0 ? (uint8_t)next : 0;
    memcpy(pdu.login_response.isid, request->login_request.isid, PDU_ISID_LENGTH);
    pdu.login_response.tsih = next == LOGIN_STAGE_FULL_FEATURE ? 0x27 : 0;
    pdu.login_response.sn = peer_sn(peer, true);
    return pdu;
}

#define OPERATIONAL_ANSWER                                                                         \
    "HeaderDigest=None\0DataDigest=None\0MaxConnections=1\0InitialR2T=Yes\0ImmediateData=Yes\0"    \
    "MaxRecvDataSegmentLength=8192\0MaxBurstLength=262144\0FirstBurstLength=65536\0"               \
    "DefaultTime2Wait=2\0DefaultTime2Retain=0\0MaxOutstandingR2T=1\0DataPDUInOrder=Yes\0"          \
    "DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0"

static inline void peer_say_no_authentication(struct peer *peer)
{
    static const char none[] = "AuthMethod=None";
    uint32_t exp_cmd_sn = peer->exp_cmd_sn;
    struct pdu answer = peer_login_answer(peer, LOGIN_STAGE_OPERATIONAL);

    if (exp_cmd_sn > 0) /* told by the test */
        answer.login_response.sn.exp_cmd_sn = peer->exp_cmd_sn = exp_cmd_sn;
    peer_say(peer, &answer, none, sizeof none);
}

/* The request that makes the offers: on a further connection it follows the security stage. */
static inline const struct pdu *peer_take_offers(struct peer *peer)
{
    const struct pdu *request = peer_take(peer, PDU_LOGIN_REQUEST);

    if (request->login_request.current_stage == LOGIN_STAGE_SECURITY) {
        peer_say_no_authentication(peer);
        request = peer_take(peer, PDU_LOGIN_REQUEST);
    }
    assert_int_equal(request->login_request.current_stage, LOGIN_STAGE_OPERATIONAL);
    return request;
}

/* A whole login without authentication; `text` counts its last NUL. */
static inline void peer_log_in_with(struct peer *peer, const char *text, size_t length)
{
    struct pdu answer;

    peer_take_offers(peer);
    answer = peer_login_answer(peer, LOGIN_STAGE_FULL_FEATURE);
    peer_say(peer, &answer, text, length);
    if (!peer->logged_in)
        fail_msg("no login: %s", connection_detail(peer->connection));
}

static inline void peer_log_in(struct peer *peer)
{
    peer_log_in_with(peer, OPERATIONAL_ANSWER, sizeof OPERATIONAL_ANSWER);
}

#endif
