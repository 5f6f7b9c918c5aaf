/* The key table against RFC 7143, section 13, row by row. */
#include "protocol/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_are_found_whole_and_exact(void **state)
{
    (void)state;
    for (int key = 0; key < KEY_COUNT; key++) {
        const char *name = key_table[key].name;

        assert_non_null(name);
        assert_int_equal(key_find(name, strlen(name)), key);
        assert_int_not_equal(key_find(name, strlen(name) - 1), key);
    }
    assert_int_equal(key_find("", 0), KEY_UNKNOWN);
    assert_int_equal(key_find("headerdigest", 12), KEY_UNKNOWN);
    assert_int_equal(key_find("HeaderDigests", 13), KEY_UNKNOWN);
    assert_int_equal(key_find("CHAP_A", 6), KEY_UNKNOWN);
}

/* "use" as in the RFC: LO leading only, IO initialize only; I: irrelevant in discovery. */
static void the_table_says_what_the_rfc_says(void **state)
{
    static const struct {
        const char *name;
        const char *senders;
        const char *use;
        enum key_result result;
        uint32_t minimum, maximum, value;
    } rows[] = {
        {"HeaderDigest", "IT", "IO", KEY_RESULT_LIST, 0, 0, 0},
        {"DataDigest", "IT", "IO", KEY_RESULT_LIST, 0, 0, 0},
        {"MaxConnections", "IT", "LO I", KEY_RESULT_MINIMUM, 1, 65535, 1},
        {"InitialR2T", "IT", "LO I", KEY_RESULT_OR, 0, 1, 1},
        {"ImmediateData", "IT", "LO I", KEY_RESULT_AND, 0, 1, 1},
        {"MaxRecvDataSegmentLength", "IT", "IO FFP", KEY_RESULT_NONE, 512, 16777215, 8192},
        {"MaxBurstLength", "IT", "LO I", KEY_RESULT_MINIMUM, 512, 16777215, 262144},
        {"FirstBurstLength", "IT", "LO I", KEY_RESULT_MINIMUM, 512, 16777215, 65536},
        {"DefaultTime2Wait", "IT", "LO", KEY_RESULT_MAXIMUM, 0, 3600, 2},
        {"DefaultTime2Retain", "IT", "LO", KEY_RESULT_MINIMUM, 0, 3600, 20},
        {"MaxOutstandingR2T", "IT", "LO I", KEY_RESULT_MINIMUM, 1, 65535, 1},
        {"DataPDUInOrder", "IT", "LO I", KEY_RESULT_OR, 0, 1, 1},
        {"DataSequenceInOrder", "IT", "LO I", KEY_RESULT_OR, 0, 1, 1},
        {"ErrorRecoveryLevel", "IT", "LO", KEY_RESULT_MINIMUM, 0, 2, 0},
        {"TaskReporting", "IT", "LO I", KEY_RESULT_LIST, 0, 0, 0},
        {"iSCSIProtocolLevel", "IT", "LO I", KEY_RESULT_MINIMUM, 0, 31, 1},
        {"TargetPortalGroupTag", "T", "ANY", KEY_RESULT_NONE, 0, 65535, 0},
        {"InitiatorName", "I", "ANY", KEY_RESULT_NONE, 0, 0, 0},
        {"InitiatorAlias", "I", "ANY FFP", KEY_RESULT_NONE, 0, 0, 0},
        {"TargetAlias", "T", "ANY FFP", KEY_RESULT_NONE, 0, 0, 0},
        {"TargetAddress", "T", "ANY FFP", KEY_RESULT_NONE, 0, 0, 0},
        {"TargetName", "IT", "ANY FFP", KEY_RESULT_NONE, 0, 0, 0},
        {"SendTargets", "I", "FFP", KEY_RESULT_NONE, 0, 0, 0},
        {"SessionType", "I", "ANY LO", KEY_RESULT_NONE, 0, 0, 0},
        {"AuthMethod", "IT", "SEC", KEY_RESULT_LIST, 0, 0, 0},
        {"IFMarker", "IT", "IO", KEY_RESULT_NONE, 0, 0, 0},
        {"OFMarker", "IT", "IO", KEY_RESULT_NONE, 0, 0, 0},
        {"IFMarkInt", "IT", "IO", KEY_RESULT_NONE, 0, 0, 0},
        {"OFMarkInt", "IT", "IO", KEY_RESULT_NONE, 0, 0, 0},
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], KEY_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum key key = key_find(rows[i].name, strlen(rows[i].name));
        const struct key_info *info = &key_table[key == KEY_UNKNOWN ? 0 : key];
        unsigned senders = (strchr(rows[i].senders, 'I') ? KEY_BY_INITIATOR : 0u) |
                           (strchr(rows[i].senders, 'T') ? KEY_BY_TARGET : 0u);
        const char *use = rows[i].use;
        unsigned phases = 0;

        if (key == KEY_UNKNOWN)
            fail_msg("%s is not in the table", rows[i].name);
        if (strstr(use, "LO"))
            phases |= KEY_LEADING_ONLY;
        if ((strstr(use, "IO") || strstr(use, "LO")) && !strstr(use, "ANY"))
            phases |= KEY_IN_OPERATIONAL;
        if (strstr(use, " I"))
            phases |= KEY_NORMAL_ONLY;
        if (strstr(use, "FFP"))
            phases |= KEY_IN_FULL_FEATURE;
        if (strstr(use, "ANY"))
            phases |= KEY_IN_LOGIN;
        if (strstr(use, "SEC"))
            phases |= KEY_IN_SECURITY;
        if (info->senders != senders || info->phases != phases || info->result != rows[i].result ||
            info->minimum != rows[i].minimum || info->maximum != rows[i].maximum ||
            info->default_number != rows[i].value)
            fail_msg("%s differs from the RFC (phases %x, expected %x)", rows[i].name, info->phases,
                     phases);
    }
}

static void defaults_are_the_rfcs(void **state)
{
    struct key_values v;

    (void)state;
    key_values_default(&v);
    assert_int_equal(v.header_digest, DIGEST_NONE);
    assert_int_equal(v.data_digest, DIGEST_NONE);
    assert_int_equal(v.max_recv_data_segment_length, 8192);
    assert_int_equal(v.max_send_data_segment_length, 8192);
    assert_int_equal(v.max_connections, 1);
    assert_true(v.initial_r2t && v.immediate_data);
    assert_int_equal(v.max_burst_length, 262144);
    assert_int_equal(v.first_burst_length, 65536);
    assert_int_equal(v.default_time2wait, 2);
    assert_int_equal(v.default_time2retain, 20);
    assert_int_equal(v.max_outstanding_r2t, 1);
    assert_true(v.data_pdu_in_order && v.data_sequence_in_order);
    assert_int_equal(v.error_recovery_level, 0);
    assert_int_equal(v.protocol_level, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_whole_and_exact),
        cmocka_unit_test(the_table_says_what_the_rfc_says),
        cmocka_unit_test(defaults_are_the_rfcs),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
