/* Settings by name. */
#include "target/internal.h"

#include <stddef.h>

enum kind {
    NUMBER,
    BYTE, /* a number in one byte */
    YES_NO,
    ORDER,
    DIGEST,
};

struct setting {
    const char *name;
    enum kind kind;
    size_t offset; /* into struct target_settings */
    uint32_t least;
    uint32_t most;
};

#define AT(member)    offsetof(struct target_settings, member)
#define OFFER(member) offsetof(struct target_settings, offers.member)

/* Ranges of RFC 7143, 13; times of our own are milliseconds. */
static const struct setting settings_table[] = {
    {"HeaderDigest", DIGEST, OFFER(header_digest), 0, 0},
    {"DataDigest", DIGEST, OFFER(data_digest), 0, 0},
    {"MaxRecvDataSegmentLength", NUMBER, OFFER(max_recv_data_segment_length), 512, 16777215},
    {"MaxConnections", NUMBER, OFFER(max_connections), 1, 65535},
    {"InitialR2T", YES_NO, OFFER(initial_r2t), 0, 1},
    {"ImmediateData", YES_NO, OFFER(immediate_data), 0, 1},
    {"MaxBurstLength", NUMBER, OFFER(max_burst_length), 512, 16777215},
    {"FirstBurstLength", NUMBER, OFFER(first_burst_length), 512, 16777215},
    {"DefaultTime2Wait", NUMBER, OFFER(default_time2wait), 0, 3600},
    {"DefaultTime2Retain", NUMBER, OFFER(default_time2retain), 0, 3600},
    {"MaxOutstandingR2T", NUMBER, OFFER(max_outstanding_r2t), 1, 65535},
    {"DataPDUInOrder", YES_NO, OFFER(data_pdu_in_order), 0, 1},
    {"DataSequenceInOrder", YES_NO, OFFER(data_sequence_in_order), 0, 1},
    {"ErrorRecoveryLevel", BYTE, OFFER(error_recovery_level), 0, 2},
    {"command-window", NUMBER, AT(command_window), 0, 65535},
    {"login-timeout", NUMBER, AT(login_timeout), 1, UINT32_MAX},
    {"nop-interval", NUMBER, AT(nop_interval), 0, UINT32_MAX},
    {"nop-timeout", NUMBER, AT(nop_timeout), 1, UINT32_MAX},
    {"sequence-order", ORDER, AT(sequence_order), 0, 0},
    {"pdu-order", ORDER, AT(pdu_order), 0, 0},
    {"seed", NUMBER, AT(seed), 0, UINT32_MAX},
    {"separate-status", YES_NO, AT(separate_status), 0, 1},
    {"no-data-ack", YES_NO, AT(no_data_ack), 0, 1},
    {"abort-timeout", NUMBER, AT(abort_timeout), 0, UINT32_MAX},
    {"recovery-timeout", NUMBER, AT(recovery_timeout), 0, UINT32_MAX},
};

static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > most)
            return false;
    }
    *out = (uint32_t)number;
    return number >= least;
}

/* Texts that last: an entity's offers are borrowed. */
static const char *digest_list(const char *text)
{
    static const char *const lists[] = {"None", "CRC32C", "CRC32C,None", "None,CRC32C"};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(lists[i], text) == 0)
            return lists[i];
    }
    return NULL;
}

static bool read_order(const char *text, enum target_order *out)
{
    static const char *const orders[] = {"increasing", "decreasing", "shuffled"};

    for (int i = 0; i < 3; i++) {
        if (strcmp(orders[i], text) == 0) {
            *out = (enum target_order)i;
            return true;
        }
    }
    return false;
}

static bool read_yes_no(const char *text, bool *out)
{
    *out = strcmp(text, "Yes") == 0;
    return *out || strcmp(text, "No") == 0;
}

static bool set(const struct setting *setting, void *at, const char *value)
{
    uint32_t number;
    const char *list;

    switch (setting->kind) {
    case YES_NO:
        return read_yes_no(value, at);
    case ORDER:
        return read_order(value, at);
    case DIGEST:
        list = digest_list(value);
        if (list != NULL)
            *(const char **)at = list;
        return list != NULL;
    case BYTE:
        if (!read_number(value, setting->least, setting->most, &number))
            return false;
        *(uint8_t *)at = (uint8_t)number;
        return true;
    default:
        return read_number(value, setting->least, setting->most, at);
    }
}

enum status target_set(struct target_entity *entity, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof settings_table / sizeof settings_table[0]; i++) {
        const struct setting *setting = &settings_table[i];

        if (strcmp(setting->name, name) == 0)
            return set(setting, (char *)&entity->settings + setting->offset, value)
                       ? STATUS_OK
                       : STATUS_INVALID_PARAMETER;
    }
    return STATUS_INVALID_PARAMETER;
}
