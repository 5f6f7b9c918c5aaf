/*
 * The text keys that a login proposes values for. A value that was set for the target counts, else
 * that of a section of iscsi.conf, else the one that was set for the adapter, else the driver's,
 * which iscsi.conf may set for everything (ISO/IEC 11989, 4.2.8).
 */
#ifndef ENGINE_LOGIN_PARAMETERS_H
#define ENGINE_LOGIN_PARAMETERS_H

#include "engine/model.h"

/* P(number, name, member of struct key_offers, its type, least, most). Numbers are stored and
 * travel: never reuse one. The bounds are those of RFC 7143, 13. */
#define LOGIN_PARAMETERS(P)                                                                        \
    P(1, IMMEDIATE_DATA, immediate_data, bool, 0, 1)                                               \
    P(2, INITIAL_R2T, initial_r2t, bool, 0, 1)                                                     \
    P(3, MAX_BURST_LENGTH, max_burst_length, uint32_t, 512, 16777215)                              \
    P(4, FIRST_BURST_LENGTH, first_burst_length, uint32_t, 512, 16777215)                          \
    P(5, MAX_CONNECTIONS, max_connections, uint32_t, 1, 65535)                                     \
    P(6, MAX_RECV_DATA_SEGMENT_LENGTH, max_recv_data_segment_length, uint32_t, 512, 16777215)      \
    P(7, MAX_OUTSTANDING_R2T, max_outstanding_r2t, uint32_t, 1, 65535)                             \
    P(8, DEFAULT_TIME2WAIT, default_time2wait, uint32_t, 0, 3600)                                  \
    P(9, DEFAULT_TIME2RETAIN, default_time2retain, uint32_t, 0, 3600)                              \
    P(10, ERROR_RECOVERY_LEVEL, error_recovery_level, uint8_t, 0, 2)                               \
    P(11, DATA_PDU_IN_ORDER, data_pdu_in_order, bool, 0, 1)                                        \
    P(12, DATA_SEQUENCE_IN_ORDER, data_sequence_in_order, bool, 0, 1)

enum login_parameter_number {
#define LOGIN_PARAMETER_ENUM(number, name, member, type, least, most)                              \
    LOGIN_PARAMETER_##name = number,
    LOGIN_PARAMETERS(LOGIN_PARAMETER_ENUM)
#undef LOGIN_PARAMETER_ENUM
};

/* What a login to the target proposes, with what iscsi.conf says for it; `target` NULL: a discovery
 * session. Statuses of the store and the configuration. */
enum status login_parameters_offers(struct engine *engine, const char *target,
                                    const struct scoped_parameters *parameters,
                                    struct key_offers *out);

/* What was set for the adapter or the target, and so is not as iscsi.conf has it. */
struct login_override {
    bool set;
    bool for_target; /* else for the adapter */
    uint32_t value;
};
/* Of every parameter of iscsi.conf that a login proposes. Statuses of the store. */
enum status login_parameters_overrides(struct engine *engine, const char *target,
                                       const struct scoped_parameters *parameters,
                                       struct login_override out[SCOPED_COUNT]);

#endif
