#include "protocol/keys.h"

#include <string.h>

#define BOTH        (KEY_BY_INITIATOR | KEY_BY_TARGET)
#define OPERATIONAL KEY_IN_OPERATIONAL
#define LEADING     (KEY_IN_OPERATIONAL | KEY_LEADING_ONLY)
#define NORMAL      (LEADING | KEY_NORMAL_ONLY)
#define ANY_TIME    (KEY_IN_LOGIN | KEY_IN_FULL_FEATURE)

#define LIST(senders, phases, text) KEY_TYPE_LIST, KEY_RESULT_LIST, senders, phases, 0, 0, 0, text
#define NUMBER(result, phases, minimum, maximum, value)                                            \
    KEY_TYPE_NUMBER, KEY_RESULT_##result, BOTH, phases, minimum, maximum, value, NULL
#define BOOLEAN(result, phases, value)                                                             \
    KEY_TYPE_BOOLEAN, KEY_RESULT_##result, BOTH, phases, 0, 1, value, NULL
#define TEXT(senders, phases, text)                                                                \
    KEY_TYPE_DECLARED_TEXT, KEY_RESULT_NONE, senders, phases, 0, 0, 0, text
#define OBSOLETE KEY_TYPE_OBSOLETE, KEY_RESULT_NONE, BOTH, OPERATIONAL, 0, 0, 0, NULL

#define LENGTH_MINIMUM 512
#define LENGTH_MAXIMUM 0xffffff

const struct key_info key_table[KEY_COUNT] = {
    /* 12.1 */
    [KEY_AUTH_METHOD] = {"AuthMethod", LIST(BOTH, KEY_IN_SECURITY, NULL)},
    /* 13.1 on */
    [KEY_HEADER_DIGEST] = {"HeaderDigest", LIST(BOTH, OPERATIONAL, "None")},
    [KEY_DATA_DIGEST] = {"DataDigest", LIST(BOTH, OPERATIONAL, "None")},
    [KEY_MAX_CONNECTIONS] = {"MaxConnections", NUMBER(MINIMUM, NORMAL, 1, 65535, 1)},
    [KEY_SEND_TARGETS] = {"SendTargets", TEXT(KEY_BY_INITIATOR, KEY_IN_FULL_FEATURE, NULL)},
    [KEY_TARGET_NAME] = {"TargetName", TEXT(BOTH, ANY_TIME, NULL)},
    [KEY_INITIATOR_NAME] = {"InitiatorName", TEXT(KEY_BY_INITIATOR, KEY_IN_LOGIN, NULL)},
    [KEY_TARGET_ALIAS] = {"TargetAlias", TEXT(KEY_BY_TARGET, ANY_TIME, NULL)},
    [KEY_INITIATOR_ALIAS] = {"InitiatorAlias", TEXT(KEY_BY_INITIATOR, ANY_TIME, NULL)},
    [KEY_TARGET_ADDRESS] = {"TargetAddress", TEXT(KEY_BY_TARGET, ANY_TIME, NULL)},
    [KEY_TARGET_PORTAL_GROUP_TAG] = {"TargetPortalGroupTag", KEY_TYPE_DECLARED_NUMBER,
                                     KEY_RESULT_NONE, KEY_BY_TARGET, KEY_IN_LOGIN, 0, 65535, 0,
                                     NULL},
    [KEY_INITIAL_R2T] = {"InitialR2T", BOOLEAN(OR, NORMAL, 1)},
    [KEY_IMMEDIATE_DATA] = {"ImmediateData", BOOLEAN(AND, NORMAL, 1)},
    [KEY_MAX_RECV_DATA_SEGMENT_LENGTH] = {"MaxRecvDataSegmentLength", KEY_TYPE_DECLARED_NUMBER,
                                          KEY_RESULT_NONE, BOTH, OPERATIONAL | KEY_IN_FULL_FEATURE,
                                          LENGTH_MINIMUM, LENGTH_MAXIMUM, 8192, NULL},
    [KEY_MAX_BURST_LENGTH] = {"MaxBurstLength",
                              NUMBER(MINIMUM, NORMAL, LENGTH_MINIMUM, LENGTH_MAXIMUM, 262144)},
    [KEY_FIRST_BURST_LENGTH] = {"FirstBurstLength",
                                NUMBER(MINIMUM, NORMAL, LENGTH_MINIMUM, LENGTH_MAXIMUM, 65536)},
    [KEY_DEFAULT_TIME2WAIT] = {"DefaultTime2Wait", NUMBER(MAXIMUM, LEADING, 0, 3600, 2)},
    [KEY_DEFAULT_TIME2RETAIN] = {"DefaultTime2Retain", NUMBER(MINIMUM, LEADING, 0, 3600, 20)},
    [KEY_MAX_OUTSTANDING_R2T] = {"MaxOutstandingR2T", NUMBER(MINIMUM, NORMAL, 1, 65535, 1)},
    [KEY_DATA_PDU_IN_ORDER] = {"DataPDUInOrder", BOOLEAN(OR, NORMAL, 1)},
    [KEY_DATA_SEQUENCE_IN_ORDER] = {"DataSequenceInOrder", BOOLEAN(OR, NORMAL, 1)},
    [KEY_ERROR_RECOVERY_LEVEL] = {"ErrorRecoveryLevel", NUMBER(MINIMUM, LEADING, 0, 2, 0)},
    [KEY_SESSION_TYPE] = {"SessionType",
                          TEXT(KEY_BY_INITIATOR, KEY_IN_LOGIN | KEY_LEADING_ONLY, "Normal")},
    [KEY_TASK_REPORTING] = {"TaskReporting", LIST(BOTH, NORMAL, "RFC3720")},
    [KEY_ISCSI_PROTOCOL_LEVEL] = {"iSCSIProtocolLevel", NUMBER(MINIMUM, NORMAL, 0, 31, 1)},
    [KEY_IF_MARKER] = {"IFMarker", OBSOLETE},
    [KEY_OF_MARKER] = {"OFMarker", OBSOLETE},
    [KEY_IF_MARK_INT] = {"IFMarkInt", OBSOLETE},
    [KEY_OF_MARK_INT] = {"OFMarkInt", OBSOLETE},
};

enum key key_find(const char *name, size_t length)
{
    for (int key = 0; key < KEY_COUNT; key++)
        if (strlen(key_table[key].name) == length && memcmp(key_table[key].name, name, length) == 0)
            return (enum key)key;
    return KEY_UNKNOWN;
}

static uint32_t default_of(enum key key)
{
    return key_table[key].default_number;
}

void key_values_default(struct key_values *values)
{
    *values = (struct key_values){
        .header_digest = DIGEST_NONE,
        .data_digest = DIGEST_NONE,
        .max_recv_data_segment_length = default_of(KEY_MAX_RECV_DATA_SEGMENT_LENGTH),
        .max_send_data_segment_length = default_of(KEY_MAX_RECV_DATA_SEGMENT_LENGTH),
        .max_connections = default_of(KEY_MAX_CONNECTIONS),
        .initial_r2t = default_of(KEY_INITIAL_R2T) != 0,
        .immediate_data = default_of(KEY_IMMEDIATE_DATA) != 0,
        .max_burst_length = default_of(KEY_MAX_BURST_LENGTH),
        .first_burst_length = default_of(KEY_FIRST_BURST_LENGTH),
        .default_time2wait = default_of(KEY_DEFAULT_TIME2WAIT),
        .default_time2retain = default_of(KEY_DEFAULT_TIME2RETAIN),
        .max_outstanding_r2t = default_of(KEY_MAX_OUTSTANDING_R2T),
        .data_pdu_in_order = default_of(KEY_DATA_PDU_IN_ORDER) != 0,
        .data_sequence_in_order = default_of(KEY_DATA_SEQUENCE_IN_ORDER) != 0,
        .error_recovery_level = (uint8_t)default_of(KEY_ERROR_RECOVERY_LEVEL),
        .protocol_level = default_of(KEY_ISCSI_PROTOCOL_LEVEL),
    };
}
