#include "protocol/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Far from every default and from each other. */
static const struct key_offers wishes = {
    .header_digest = "CRC32C,None",
    .data_digest = "None,CRC32C",
    .max_recv_data_segment_length = 65536,
    .max_connections = 4,
    .initial_r2t = false,
    .immediate_data = true,
    .max_burst_length = 131072,
    .first_burst_length = 32768,
    .default_time2wait = 5,
    .default_time2retain = 10,
    .max_outstanding_r2t = 8,
    .data_pdu_in_order = false,
    .data_sequence_in_order = true,
    .error_recovery_level = 1,
};

static struct negotiation side;
static char sent[8192];
static size_t sent_length;

static void begin(bool initiator, bool discovery, bool leading, const struct key_offers *offers)
{
    negotiation_start(&side, initiator, discovery, leading, offers);
    memset(sent, 0, sizeof sent);
    sent_length = 0;
}

static void begin_initiator(void)
{
    begin(true, false, true, &wishes);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    sent_length = 0;
    memset(sent, 0, sizeof sent);
}

/* A target that has declared its own length already, so that replies hold answers only. */
static void begin_target(void)
{
    begin(false, false, true, &wishes);
    side.declared = true;
}

/* `text` has '|' for NUL. */
static enum status receive_in(unsigned phase, const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    enum status status;

    assert_non_null(copy);
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] == '|' ? '\0' : text[i];
    sent_length = 0;
    memset(sent, 0, sizeof sent);
    status = negotiation_receive(&side, copy, length, phase, sent, sizeof sent, &sent_length);
    free(copy);
    return status;
}

static enum status receive(const char *text)
{
    return receive_in(KEY_IN_OPERATIONAL, text);
}

static void expect_sent(const char *expected)
{
    for (size_t i = 0; i < sent_length; i++)
        if (sent[i] == '\0')
            sent[i] = '|';
    assert_string_equal(sent, expected);
}

/* Field by field: padding may differ. The lengths that each side declares are left out. */
static void expect_same_values(const struct key_values *a, const struct key_values *b)
{
    assert_int_equal(a->header_digest, b->header_digest);
    assert_int_equal(a->data_digest, b->data_digest);
    assert_int_equal(a->max_connections, b->max_connections);
    assert_int_equal(a->initial_r2t, b->initial_r2t);
    assert_int_equal(a->immediate_data, b->immediate_data);
    assert_int_equal(a->max_burst_length, b->max_burst_length);
    assert_int_equal(a->first_burst_length, b->first_burst_length);
    assert_int_equal(a->default_time2wait, b->default_time2wait);
    assert_int_equal(a->default_time2retain, b->default_time2retain);
    assert_int_equal(a->max_outstanding_r2t, b->max_outstanding_r2t);
    assert_int_equal(a->data_pdu_in_order, b->data_pdu_in_order);
    assert_int_equal(a->data_sequence_in_order, b->data_sequence_in_order);
    assert_int_equal(a->error_recovery_level, b->error_recovery_level);
    assert_int_equal(a->protocol_level, b->protocol_level);
}

static void expect_failure(enum status got, const char *key, const char *text)
{
    if (got != STATUS_NEGOTIATION_FAILED || strcmp(side.detail, key) != 0)
        fail_msg("\"%s\": expected a failure about %s, got %s about \"%s\"", text, key,
                 status_name(got), side.detail);
}

static void an_initiator_offers_everything_once(void **state)
{
    (void)state;
    begin(true, false, true, &wishes);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_sent("HeaderDigest=CRC32C,None|DataDigest=None,CRC32C|MaxRecvDataSegmentLength=65536|"
                "MaxConnections=4|InitialR2T=No|ImmediateData=Yes|MaxBurstLength=131072|"
                "FirstBurstLength=32768|DefaultTime2Wait=5|DefaultTime2Retain=10|"
                "MaxOutstandingR2T=8|DataPDUInOrder=No|DataSequenceInOrder=Yes|"
                "ErrorRecoveryLevel=1|");
    assert_int_equal(side.values.max_recv_data_segment_length, 65536);
    assert_false(negotiation_complete(&side));
}

static void a_discovery_offers_what_is_relevant_there(void **state)
{
    (void)state;
    begin(true, true, true, &wishes);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_sent("HeaderDigest=CRC32C,None|DataDigest=None,CRC32C|MaxRecvDataSegmentLength=65536|"
                "DefaultTime2Wait=5|DefaultTime2Retain=10|ErrorRecoveryLevel=0|");
}

static void a_further_connection_offers_its_own_keys_only(void **state)
{
    (void)state;
    begin(true, false, false, &wishes);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_sent("HeaderDigest=CRC32C,None|DataDigest=None,CRC32C|MaxRecvDataSegmentLength=65536|");
}

static void offers_stay_in_range_and_consistent(void **state)
{
    struct key_offers odd = {.max_recv_data_segment_length = 1u << 30,
                             .max_connections = 70000,
                             .max_burst_length = 100,
                             .first_burst_length = 65536,
                             .default_time2wait = 4000,
                             .default_time2retain = 4000,
                             .error_recovery_level = 9};

    (void)state;
    begin(true, false, true, &odd);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_sent("HeaderDigest=None|DataDigest=None|MaxRecvDataSegmentLength=16777215|"
                "MaxConnections=65535|InitialR2T=No|ImmediateData=No|MaxBurstLength=512|"
                "FirstBurstLength=512|DefaultTime2Wait=3600|DefaultTime2Retain=3600|"
                "MaxOutstandingR2T=1|DataPDUInOrder=No|DataSequenceInOrder=No|"
                "ErrorRecoveryLevel=2|");
}

static void too_little_room_for_offers_changes_nothing(void **state)
{
    (void)state;
    begin(true, false, true, &wishes);
    sent_length = 3;
    assert_false(negotiation_offer(&side, sent, 200, &sent_length));
    assert_int_equal(sent_length, 3);
    assert_true(negotiation_complete(&side));
    assert_int_equal(side.values.max_recv_data_segment_length, 8192);
}

static void answers_become_the_values(void **state)
{
    (void)state;
    begin_initiator();
    assert_int_equal(
        receive("HeaderDigest=None|DataDigest=CRC32C|MaxRecvDataSegmentLength=0x40000|"
                "MaxConnections=2|InitialR2T=Yes|ImmediateData=No|MaxBurstLength=65536|"
                "FirstBurstLength=4096|DefaultTime2Wait=30|DefaultTime2Retain=0|"
                "MaxOutstandingR2T=1|DataPDUInOrder=Yes|DataSequenceInOrder=Yes|"
                "ErrorRecoveryLevel=0|"),
        STATUS_OK);
    expect_sent("");
    assert_true(negotiation_complete(&side));
    assert_true(negotiation_acceptable(&side));
    assert_int_equal(side.values.header_digest, DIGEST_NONE);
    assert_int_equal(side.values.data_digest, DIGEST_CRC32C);
    assert_int_equal(side.values.max_send_data_segment_length, 262144);
    assert_int_equal(side.values.max_recv_data_segment_length, 65536);
    assert_int_equal(side.values.max_connections, 2);
    assert_true(side.values.initial_r2t);
    assert_false(side.values.immediate_data);
    assert_int_equal(side.values.max_burst_length, 65536);
    assert_int_equal(side.values.first_burst_length, 4096);
    assert_int_equal(side.values.default_time2wait, 30);
    assert_int_equal(side.values.default_time2retain, 0);
    assert_int_equal(side.values.max_outstanding_r2t, 1);
    assert_true(side.values.data_pdu_in_order && side.values.data_sequence_in_order);
    assert_int_equal(side.values.error_recovery_level, 0);
}

static void answers_outside_of_the_offer_are_refused(void **state)
{
    static const struct {
        const char *answer;
        const char *key;
    } rows[] = {
        {"HeaderDigest=MD5|", "HeaderDigest"},
        {"HeaderDigest=CRC32C,None|", "HeaderDigest"},
        {"HeaderDigest=|", "HeaderDigest"},
        {"HeaderDigest=crc32c|", "HeaderDigest"},
        {"MaxConnections=5|", "MaxConnections"},
        {"MaxConnections=0|", "MaxConnections"},
        {"MaxConnections=-1|", "MaxConnections"},
        {"MaxConnections=x|", "MaxConnections"},
        {"MaxConnections=|", "MaxConnections"},
        {"InitialR2T=yes|", "InitialR2T"},
        {"ImmediateData=1|", "ImmediateData"},
        {"DataSequenceInOrder=No|", "DataSequenceInOrder"}, /* we said Yes: an OR is Yes */
        {"MaxBurstLength=131073|", "MaxBurstLength"},
        {"MaxBurstLength=511|", "MaxBurstLength"},
        {"FirstBurstLength=32769|", "FirstBurstLength"},
        {"DefaultTime2Wait=4|", "DefaultTime2Wait"}, /* a maximum cannot fall */
        {"DefaultTime2Wait=3601|", "DefaultTime2Wait"},
        {"DefaultTime2Retain=11|", "DefaultTime2Retain"},
        {"MaxOutstandingR2T=9|", "MaxOutstandingR2T"},
        {"ErrorRecoveryLevel=2|", "ErrorRecoveryLevel"},
        {"MaxRecvDataSegmentLength=511|", "MaxRecvDataSegmentLength"},
        {"MaxRecvDataSegmentLength=16777216|", "MaxRecvDataSegmentLength"},
        {"MaxRecvDataSegmentLength=18446744073709552128|", "MaxRecvDataSegmentLength"},
        {"MaxRecvDataSegmentLength=Reject|", "MaxRecvDataSegmentLength"},
        /* Twice, in one text, and again after a refusal. */
        {"MaxBurstLength=65536|MaxBurstLength=65536|", "MaxBurstLength"},
        {"ErrorRecoveryLevel=Reject|ErrorRecoveryLevel=0|", "ErrorRecoveryLevel"},
        {"MaxRecvDataSegmentLength=512|MaxRecvDataSegmentLength=512|", "MaxRecvDataSegmentLength"},
        {"TargetPortalGroupTag=1|TargetPortalGroupTag=1|", "TargetPortalGroupTag"},
        {"TargetAlias=a|TargetAlias=a|", "TargetAlias"},
        /* Not a target's, or not now. */
        {"InitiatorName=iqn.2026-11.x:y|", "InitiatorName"},
        {"SessionType=Normal|", "SessionType"},
        {"SendTargets=All|", "SendTargets"},
        {"AuthMethod=None|", "AuthMethod"},
        {"CHAP_A=5|", "CHAP_A"},
        /* A word that only answers may use, where nothing was offered. */
        {"TaskReporting=Reject|", "TaskReporting"},
        {"iSCSIProtocolLevel=NotUnderstood|", "iSCSIProtocolLevel"},
        {"IFMarker=Irrelevant|", "IFMarker"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_initiator();
        expect_failure(receive(rows[i].answer), rows[i].key, rows[i].answer);
    }
}

static void a_boolean_and_cannot_become_yes(void **state)
{
    struct key_offers offers = wishes;

    (void)state;
    offers.immediate_data = false;
    begin(true, false, true, &offers);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_failure(receive("ImmediateData=Yes|"), "ImmediateData", "ImmediateData=Yes");
}

static void repetition_is_seen_across_texts(void **state)
{
    (void)state;
    begin_initiator();
    assert_int_equal(receive("MaxConnections=1|TargetPortalGroupTag=1|"), STATUS_OK);
    assert_int_equal(receive("X-vendor=1|TargetAddress=a:1|"), STATUS_OK);
    assert_int_equal(receive("TargetAddress=b:1|"), STATUS_OK); /* the one that may repeat */
    expect_failure(receive("MaxConnections=1|"), "MaxConnections", "again");
    begin_target();
    assert_int_equal(receive("MaxConnections=1|"), STATUS_OK);
    expect_failure(receive("MaxConnections=1|"), "MaxConnections", "again");
}

static void refused_offers_leave_the_default(void **state)
{
    (void)state;
    begin_initiator();
    assert_int_equal(receive("HeaderDigest=Reject|DataDigest=NotUnderstood|MaxConnections=Reject|"
                             "InitialR2T=Irrelevant|ImmediateData=Irrelevant|"
                             "MaxBurstLength=NotUnderstood|FirstBurstLength=Irrelevant|"
                             "DefaultTime2Wait=Reject|DefaultTime2Retain=Reject|"
                             "MaxOutstandingR2T=Irrelevant|DataPDUInOrder=Reject|"
                             "DataSequenceInOrder=Reject|ErrorRecoveryLevel=Reject|"),
                     STATUS_OK);
    assert_true(negotiation_complete(&side));
    assert_int_equal(side.outcome[KEY_MAX_CONNECTIONS], KEY_REFUSED);
    assert_int_equal(side.values.max_connections, 1);
    assert_true(side.values.initial_r2t);
    assert_int_equal(side.values.max_burst_length, 262144);
    assert_int_equal(side.values.first_burst_length, 65536);
    assert_int_equal(side.values.default_time2wait, 2);
    assert_int_equal(side.values.header_digest, DIGEST_NONE);
}

static void a_digest_we_insist_on_is_not_given_up(void **state)
{
    struct key_offers strict = wishes;

    (void)state;
    strict.header_digest = "CRC32C";
    begin(true, false, true, &strict);
    assert_true(negotiation_offer(&side, sent, sizeof sent, &sent_length));
    expect_failure(receive("HeaderDigest=Reject|"), "HeaderDigest", "HeaderDigest=Reject");
    /* The other end: the initiator offers None alone, or says nothing. */
    begin(false, false, true, &strict);
    expect_failure(receive("HeaderDigest=None|"), "HeaderDigest", "HeaderDigest=None");
    begin(false, false, true, &strict);
    assert_int_equal(receive("MaxConnections=1|"), STATUS_OK);
    assert_false(negotiation_acceptable(&side));
    assert_string_equal(side.detail, "HeaderDigest");
    assert_int_equal(receive("HeaderDigest=None,CRC32C|"), STATUS_OK);
    assert_true(negotiation_acceptable(&side));
}

static void decided_booleans_may_stay_unanswered(void **state)
{
    (void)state;
    begin_initiator(); /* InitialR2T=No (open), ImmediateData=Yes (open), DataSequenceInOrder=Yes */
    assert_int_equal(receive("HeaderDigest=None|DataDigest=None|MaxConnections=1|ImmediateData=Yes|"
                             "MaxBurstLength=512|FirstBurstLength=512|DefaultTime2Wait=5|"
                             "DefaultTime2Retain=5|MaxOutstandingR2T=1|DataPDUInOrder=Yes|"
                             "ErrorRecoveryLevel=0|"),
                     STATUS_OK);
    assert_false(negotiation_complete(&side)); /* InitialR2T=No decides nothing */
    assert_int_equal(receive("InitialR2T=No|"), STATUS_OK);
    assert_true(negotiation_complete(&side)); /* DataSequenceInOrder=Yes was decided */
    assert_true(side.values.data_sequence_in_order);
}

static void first_burst_stays_within_max_burst(void **state)
{
    (void)state;
    /* A target that lowers the one and not the other. */
    begin_initiator();
    assert_int_equal(receive("FirstBurstLength=32768|MaxBurstLength=1024|"), STATUS_OK);
    assert_int_equal(side.values.first_burst_length, 1024);
    begin_initiator();
    assert_int_equal(receive("MaxBurstLength=1024|FirstBurstLength=2048|"), STATUS_OK);
    assert_int_equal(side.values.first_burst_length, 1024);
    /* FirstBurstLength refused: even its default is held. */
    begin_initiator();
    assert_int_equal(receive("MaxBurstLength=1024|FirstBurstLength=Irrelevant|"), STATUS_OK);
    assert_int_equal(side.values.first_burst_length, 1024);
    /* As a target, in either order of the offers. */
    begin_target();
    assert_int_equal(receive("FirstBurstLength=65536|MaxBurstLength=8192|"), STATUS_OK);
    expect_sent("MaxBurstLength=8192|FirstBurstLength=8192|");
    begin_target();
    assert_int_equal(receive("MaxBurstLength=8192|FirstBurstLength=65536|"), STATUS_OK);
    expect_sent("MaxBurstLength=8192|FirstBurstLength=8192|");
    begin_target();
    assert_int_equal(receive("FirstBurstLength=16384|"), STATUS_OK);
    assert_int_equal(receive("MaxBurstLength=8192|"), STATUS_OK);
    assert_int_equal(side.values.first_burst_length, 8192);
}

static void a_target_answers_every_offer(void **state)
{
    (void)state;
    begin(false, false, true, &wishes);
    assert_int_equal(
        receive("HeaderDigest=None,CRC32C|DataDigest=MD5,CRC32C|MaxRecvDataSegmentLength=1048576|"
                "MaxConnections=0x10|InitialR2T=No|ImmediateData=Yes|MaxBurstLength=16776192|"
                "FirstBurstLength=262144|DefaultTime2Wait=0|DefaultTime2Retain=20|"
                "MaxOutstandingR2T=1|DataPDUInOrder=No|DataSequenceInOrder=No|"
                "ErrorRecoveryLevel=2|TaskReporting=FastAbort,RFC3720|iSCSIProtocolLevel=2|"
                "IFMarker=No|OFMarker=Yes|IFMarkInt=1~2|OFMarkInt=2048|"
                "X-com.example.key=1|Bogus=1|"),
        STATUS_OK);
    expect_sent("HeaderDigest=None|DataDigest=CRC32C|MaxConnections=4|InitialR2T=No|"
                "ImmediateData=Yes|MaxBurstLength=131072|DefaultTime2Wait=5|"
                "DefaultTime2Retain=10|MaxOutstandingR2T=1|DataPDUInOrder=No|"
                "DataSequenceInOrder=Yes|ErrorRecoveryLevel=1|TaskReporting=RFC3720|"
                "iSCSIProtocolLevel=1|IFMarker=No|OFMarker=No|IFMarkInt=Reject|OFMarkInt=Reject|"
                "X-com.example.key=NotUnderstood|Bogus=NotUnderstood|FirstBurstLength=32768|"
                "MaxRecvDataSegmentLength=65536|");
    assert_int_equal(side.values.header_digest, DIGEST_NONE);
    assert_int_equal(side.values.data_digest, DIGEST_CRC32C);
    assert_int_equal(side.values.max_send_data_segment_length, 1048576);
    assert_int_equal(side.values.max_recv_data_segment_length, 65536);
    assert_int_equal(side.values.max_connections, 4);
    assert_false(side.values.initial_r2t);
    assert_int_equal(side.values.first_burst_length, 32768);
    assert_int_equal(side.values.default_time2wait, 5);
    assert_int_equal(side.values.error_recovery_level, 1);
    assert_int_equal(side.values.protocol_level, 1);
    assert_true(negotiation_complete(&side));
    /* The declaration is made once. */
    assert_int_equal(receive("X-a=1|"), STATUS_OK);
    expect_sent("X-a=NotUnderstood|");
}

static void inadmissible_offers_are_rejected(void **state)
{
    static const struct {
        const char *offer;
        const char *reply;
    } rows[] = {
        {"HeaderDigest=MD5|", "HeaderDigest=Reject|"},
        {"HeaderDigest=|", "HeaderDigest=Reject|"},
        {"HeaderDigest=,,|", "HeaderDigest=Reject|"},
        {"MaxConnections=0|", "MaxConnections=Reject|"},
        {"MaxConnections=65536|", "MaxConnections=Reject|"},
        {"MaxConnections=4294967297|", "MaxConnections=Reject|"},
        {"MaxConnections=many|", "MaxConnections=Reject|"},
        {"InitialR2T=yes|", "InitialR2T=Reject|"},
        {"MaxBurstLength=511|", "MaxBurstLength=Reject|"},
        {"ErrorRecoveryLevel=3|", "ErrorRecoveryLevel=Reject|"},
        {"DefaultTime2Wait=3601|", "DefaultTime2Wait=Reject|"},
        {"TaskReporting=FastAbort|", "TaskReporting=Reject|"},
        {"iSCSIProtocolLevel=32|", "iSCSIProtocolLevel=Reject|"},
    };
    struct key_values defaults;

    (void)state;
    key_values_default(&defaults);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_target();
        assert_int_equal(receive(rows[i].offer), STATUS_OK);
        expect_sent(rows[i].reply);
        expect_same_values(&side.values, &defaults);
    }
}

static void a_target_refuses_what_may_not_come(void **state)
{
    static const struct {
        unsigned phase;
        const char *text;
        const char *key;
    } rows[] = {
        {KEY_IN_SECURITY, "MaxBurstLength=65536|", "MaxBurstLength"},
        {KEY_IN_SECURITY, "MaxRecvDataSegmentLength=65536|", "MaxRecvDataSegmentLength"},
        {KEY_IN_SECURITY, "SendTargets=All|", "SendTargets"},
        {KEY_IN_OPERATIONAL, "SendTargets=All|", "SendTargets"},
        {KEY_IN_OPERATIONAL, "AuthMethod=CHAP|", "AuthMethod"},
        {KEY_IN_OPERATIONAL, "TargetAlias=x|", "TargetAlias"},
        {KEY_IN_OPERATIONAL, "TargetPortalGroupTag=1|", "TargetPortalGroupTag"},
        {KEY_IN_OPERATIONAL, "CHAP_N=x|", "CHAP_N"},
        {KEY_IN_OPERATIONAL, "MaxConnections=Reject|", "MaxConnections"},
        {KEY_IN_OPERATIONAL, "HeaderDigest=NotUnderstood|", "HeaderDigest"},
        {KEY_IN_OPERATIONAL, "MaxRecvDataSegmentLength=1|", "MaxRecvDataSegmentLength"},
        {KEY_IN_FULL_FEATURE, "HeaderDigest=None|", "HeaderDigest"},
        {KEY_IN_FULL_FEATURE, "MaxBurstLength=65536|", "MaxBurstLength"},
        {KEY_IN_FULL_FEATURE, "InitiatorName=iqn.2026-11.x:y|", "InitiatorName"},
        {KEY_IN_SECURITY, "InitiatorName=a|InitiatorName=a|", "InitiatorName"},
        {KEY_IN_SECURITY, "AuthMethod=None|AuthMethod=None|", "AuthMethod"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_target();
        expect_failure(receive_in(rows[i].phase, rows[i].text), rows[i].key, rows[i].text);
    }
    begin_target();
    assert_int_equal(receive_in(KEY_IN_SECURITY, "InitiatorName=iqn.2026-11.x:y|AuthMethod=CHAP|"
                                                 "SessionType=Normal|TargetName=x|CHAP_A=5|"
                                                 "InitiatorAlias=z|"),
                     STATUS_OK);
    expect_sent("");
}

static void leading_keys_belong_to_the_leading_connection(void **state)
{
    (void)state;
    begin(false, false, false, &wishes);
    side.declared = true;
    assert_int_equal(receive("SessionType=Normal|HeaderDigest=CRC32C|"), STATUS_OK);
    expect_sent("HeaderDigest=CRC32C|");
    expect_failure(receive("MaxConnections=2|"), "MaxConnections", "on a further connection");
    begin(true, false, false, &wishes);
    assert_int_equal(receive("MaxBurstLength=65536|MaxConnections=8|HeaderDigest=CRC32C|"),
                     STATUS_OK);
    expect_sent("HeaderDigest=CRC32C|");
    assert_int_equal(side.values.max_burst_length, 262144);
    assert_int_equal(side.values.max_connections, 1);
    expect_failure(receive("MaxConnections=8|"), "MaxConnections", "again");
}

static void normal_keys_are_irrelevant_in_discovery(void **state)
{
    (void)state;
    begin(false, true, true, &wishes);
    assert_int_equal(receive("MaxConnections=2|InitialR2T=No|HeaderDigest=None|"
                             "FirstBurstLength=512|DefaultTime2Wait=9|ErrorRecoveryLevel=2|"
                             "iSCSIProtocolLevel=1|TaskReporting=RFC3720|"),
                     STATUS_OK);
    expect_sent("MaxConnections=Irrelevant|InitialR2T=Irrelevant|HeaderDigest=None|"
                "DefaultTime2Wait=9|ErrorRecoveryLevel=0|iSCSIProtocolLevel=Irrelevant|"
                "TaskReporting=Irrelevant|FirstBurstLength=Irrelevant|"
                "MaxRecvDataSegmentLength=65536|");
    assert_int_equal(side.values.max_connections, 1);
}

static void an_initiator_answers_a_targets_own_offers(void **state)
{
    (void)state;
    begin(true, false, true, &wishes); /* nothing offered yet */
    assert_int_equal(receive("MaxBurstLength=262144|HeaderDigest=CRC32C|X-target=1|"), STATUS_OK);
    expect_sent("MaxBurstLength=131072|HeaderDigest=CRC32C|X-target=NotUnderstood|");
    assert_int_equal(side.values.header_digest, DIGEST_CRC32C);
}

static void answers_to_nothing_are_not_answered(void **state)
{
    (void)state;
    begin_initiator();
    assert_int_equal(receive("X-a=NotUnderstood|Y-b=Reject|Z-c=Irrelevant|"), STATUS_OK);
    expect_sent("");
}

static void the_length_is_declared_anew_in_full_feature(void **state)
{
    (void)state;
    begin_target();
    assert_int_equal(
        receive_in(KEY_IN_FULL_FEATURE, "MaxRecvDataSegmentLength=4096|InitiatorAlias=x|"),
        STATUS_OK);
    expect_sent("");
    assert_int_equal(side.values.max_send_data_segment_length, 4096);
}

static void bad_text_and_too_little_room(void **state)
{
    char reply[20];
    size_t length = 0;

    (void)state;
    begin_target();
    assert_int_equal(receive("MaxConnections|"), STATUS_INVALID_TEXT);
    begin_target();
    assert_int_equal(receive("MaxConnections=1"), STATUS_INVALID_TEXT);
    begin_target();
    assert_int_equal(negotiation_receive(&side, "X-a=1", 6, KEY_IN_OPERATIONAL, reply, 17, &length),
                     STATUS_TEXT_TOO_LONG);
    assert_int_equal(length, 0);
    assert_int_equal(negotiation_receive(&side, "X-a=1", 6, KEY_IN_OPERATIONAL, reply, 18, &length),
                     STATUS_OK);
    assert_int_equal(length, 18);
}

static uint32_t below(uint32_t limit)
{
    static uint32_t seed = 1;

    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* Both ends agree, whatever each wants. */
static void both_ends_come_to_the_same_values(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        static const char *const digests[] = {"None", "CRC32C,None", "None,CRC32C", NULL};
        struct key_offers offers[2];
        struct negotiation ends[2];
        char text[2][1024];
        size_t lengths[2] = {0, 0}, none = 0;
        struct key_values *a = &ends[0].values, *b = &ends[1].values;

        for (int i = 0; i < 2; i++) {
            offers[i] = (struct key_offers){.header_digest = digests[below(4)],
                                            .data_digest = digests[below(4)],
                                            .max_recv_data_segment_length = below(1 << 20),
                                            .max_connections = below(10),
                                            .initial_r2t = below(2) != 0,
                                            .immediate_data = below(2) != 0,
                                            .max_burst_length = below(1 << 20),
                                            .first_burst_length = below(1 << 20),
                                            .default_time2wait = below(4000),
                                            .default_time2retain = below(4000),
                                            .max_outstanding_r2t = below(100),
                                            .data_pdu_in_order = below(2) != 0,
                                            .data_sequence_in_order = below(2) != 0,
                                            .error_recovery_level = (uint8_t)(below(4))};
            negotiation_start(&ends[i], i == 0, round % 7 == 0, round % 5 != 0, &offers[i]);
        }
        assert_true(negotiation_offer(&ends[0], text[0], sizeof text[0], &lengths[0]));
        assert_int_equal(negotiation_receive(&ends[1], text[0], lengths[0], KEY_IN_OPERATIONAL,
                                             text[1], sizeof text[1], &lengths[1]),
                         STATUS_OK);
        assert_int_equal(negotiation_receive(&ends[0], text[1], lengths[1], KEY_IN_OPERATIONAL,
                                             text[0], sizeof text[0], &none),
                         STATUS_OK);
        assert_int_equal(none, 0);
        assert_true(negotiation_complete(&ends[0]) && negotiation_complete(&ends[1]));
        assert_int_equal(a->max_recv_data_segment_length, b->max_send_data_segment_length);
        assert_int_equal(b->max_recv_data_segment_length, a->max_send_data_segment_length);
        expect_same_values(a, b);
        assert_true(a->first_burst_length <= a->max_burst_length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_initiator_offers_everything_once),
        cmocka_unit_test(a_discovery_offers_what_is_relevant_there),
        cmocka_unit_test(a_further_connection_offers_its_own_keys_only),
        cmocka_unit_test(offers_stay_in_range_and_consistent),
        cmocka_unit_test(too_little_room_for_offers_changes_nothing),
        cmocka_unit_test(answers_become_the_values),
        cmocka_unit_test(answers_outside_of_the_offer_are_refused),
        cmocka_unit_test(a_boolean_and_cannot_become_yes),
        cmocka_unit_test(repetition_is_seen_across_texts),
        cmocka_unit_test(refused_offers_leave_the_default),
        cmocka_unit_test(a_digest_we_insist_on_is_not_given_up),
        cmocka_unit_test(decided_booleans_may_stay_unanswered),
        cmocka_unit_test(first_burst_stays_within_max_burst),
        cmocka_unit_test(a_target_answers_every_offer),
        cmocka_unit_test(inadmissible_offers_are_rejected),
        cmocka_unit_test(a_target_refuses_what_may_not_come),
        cmocka_unit_test(leading_keys_belong_to_the_leading_connection),
        cmocka_unit_test(normal_keys_are_irrelevant_in_discovery),
        cmocka_unit_test(an_initiator_answers_a_targets_own_offers),
        cmocka_unit_test(answers_to_nothing_are_not_answered),
        cmocka_unit_test(the_length_is_declared_anew_in_full_feature),
        cmocka_unit_test(bad_text_and_too_little_room),
        cmocka_unit_test(both_ends_come_to_the_same_values),
    };
    return cmocka_run_group_tests_name("negotiation", tests, NULL, NULL);
}
