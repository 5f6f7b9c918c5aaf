/* The values of iscsi.conf: what each kind takes, and how it reads. */
#include "engine/configuration_internal.h"
#include "protocol/chap.h"
#include "protocol/text.h"

#include <stdio.h>
#include <string.h>

const struct scoped_info scoped_table[SCOPED_COUNT] = {
#define NUMBER_ROW(name, other, member, kind, least, most, standard, scopes)                       \
    [PARAMETER_##                                                                                  \
        name] = {#name, other,          KIND_##kind, offsetof(struct scoped_parameters, member),   \
                 least, most,           standard,    0,                                            \
                 NULL,  SCOPES_##scopes},
#define TEXT_ROW(name, other, member, kind, room, standard, scopes)                                \
    [PARAMETER_##name] = {                                                                         \
        #name, other,    KIND_##kind,    offsetof(struct scoped_parameters, member), 0, 0, 0,      \
        room,  standard, SCOPES_##scopes},
    SCOPED_NUMBERS(NUMBER_ROW) SCOPED_TEXTS(TEXT_ROW)
#undef NUMBER_ROW
#undef TEXT_ROW
};

static const char infinite[] = "infinite";
static const char *const multipath_words[] = {
    [MULTIPATH_NO] = "no", [MULTIPATH_PORTAL] = "portal", [MULTIPATH_PORTAL_GROUP] = "portalgroup"};

/* The driver's words, and the key's values. */
static const struct {
    const char *word;
    const char *list;
} digests[] = {
    {"never", "None"},
    {"always", "CRC32C"},
    {"prefer-on", "CRC32C,None"},
    {"prefer-off", "None,CRC32C"},
};
enum { DIGESTS = sizeof digests / sizeof *digests };

const char *configuration_digest_list(const char *digest)
{
    for (size_t i = 0; i < DIGESTS; i++) {
        if (strcmp(digests[i].word, digest) == 0)
            return digests[i].list;
    }
    return digests[DIGESTS - 1].list;
}

/* --- numbers --- */

static bool read_switch(const char *text, uint64_t *number)
{
    bool on = name_equal(text, "yes") || name_equal(text, "on");
    *number = on;
    return on || name_equal(text, "no") || name_equal(text, "off");
}

static bool read_number(const char *text, bool is_switch, uint32_t least, uint32_t most,
                        uint32_t *out)
{
    uint64_t number;
    if (!(is_switch && read_switch(text, &number)) && !text_number(text, strlen(text), &number))
        return false;
    *out = (uint32_t)number;
    return number >= least && number <= most;
}

static bool read_multipath(const char *text, uint32_t *out)
{
    for (uint32_t i = MULTIPATH_NO; i <= MULTIPATH_PORTAL_GROUP; i++) {
        if (name_equal(text, multipath_words[i])) {
            *out = i;
            return true;
        }
    }
    *out = MULTIPATH_PORTAL;
    return name_equal(text, "yes");
}

/* The driver's 0 is "as long as it takes", and so is ours; Windows' MaxRequestHoldTime may be 0. */
static bool read_infinite(const struct scoped_info *info, const char *text, uint32_t *out)
{
    *out = info->kind == KIND_LIMIT ? 0 : TIMEOUT_INFINITE;
    return name_equal(text, infinite);
}

bool scoped_value_number(const struct scoped_info *info, const char *text, uint32_t *out)
{
    switch (info->kind) {
    case KIND_MULTIPATH:
        return read_multipath(text, out);
    case KIND_HOLD:
    case KIND_LIMIT:
        return read_infinite(info, text, out) ||
               read_number(text, false, info->least, info->most, out);
    default:
        return read_number(text, info->kind == KIND_SWITCH, info->least, info->most, out);
    }
}

/* --- texts --- */

static bool keep_text(const struct scoped_info *info, const char *text, char *out)
{
    size_t length = strlen(text);
    if (length == 0 || length >= info->room)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

static bool read_digest(const char *text, char *out)
{
    for (size_t i = 0; i < DIGESTS; i++) {
        if (name_equal(text, digests[i].word) || name_equal(text, digests[i].list)) {
            strcpy(out, digests[i].word);
            return true;
        }
    }
    return false;
}

/* RFC 7143, 9.2.1: without IPsec a secret has 96 bits. */
static bool secret_fits(const char *text)
{
    size_t length = strlen(text);
    return length >= CHAP_SECRET_MINIMUM && length <= CHAP_SECRET_MAX;
}

bool scoped_value_text(const struct scoped_info *info, const char *text, char *out)
{
    struct network network;
    struct portal_address portal;
    switch (info->kind) {
    case KIND_DIGEST:
        return read_digest(text, out);
    case KIND_PORTAL:
        return portal_parse(text, strlen(text), false, false, &portal) == STATUS_OK &&
               keep_text(info, text, out);
    case KIND_SUBNET:
        return network_parse(text, &network) && keep_text(info, text, out);
    case KIND_SECRET:
        return secret_fits(text) && keep_text(info, text, out);
    default:
        return keep_text(info, text, out);
    }
}

/* --- of the service --- */

bool service_value(const struct parameter_info *info, const char *text, void *member)
{
    uint32_t number;
    size_t length = strlen(text);
    if (info->is_text) {
        if (length == 0 || length >= PARAMETER_TEXT_ROOM)
            return false;
        memcpy(member, text, length + 1);
        return true;
    }
    if (!read_number(text, info->least == 0 && info->most == 1, info->least, info->most, &number))
        return false;
    memcpy(member, &number, sizeof number);
    return true;
}

/* --- words --- */

static void number_expected(bool is_switch, uint32_t least, uint32_t most, const char *or_else,
                            char out[EXPECTED_ROOM])
{
    if (is_switch)
        snprintf(out, EXPECTED_ROOM, "yes or no");
    else
        snprintf(out, EXPECTED_ROOM, "a number from %lu to %lu%s", (unsigned long)least,
                 (unsigned long)most, or_else);
}

void service_value_expected(const struct parameter_info *info, char out[EXPECTED_ROOM])
{
    if (info->is_text)
        snprintf(out, EXPECTED_ROOM, "a text of 1 to %u bytes", PARAMETER_TEXT_ROOM - 1);
    else
        number_expected(info->least == 0 && info->most == 1, info->least, info->most, "", out);
}

void scoped_value_expected(const struct scoped_info *info, char out[EXPECTED_ROOM])
{
    static const char *const words[] = {
        [KIND_MULTIPATH] = "yes, no, portal or portalgroup",
        [KIND_DIGEST] = "never, always, prefer-on or prefer-off",
        [KIND_PORTAL] = "an address or address:port",
        [KIND_SUBNET] = "a network as a.b.c.d/n or a.b.c.d&hex",
        [KIND_NAME] = "a name of 1 to 255 bytes",
        [KIND_SECRET] = "a password of 12 to 255 bytes",
    };
    bool can_be_infinite = info->kind == KIND_HOLD || info->kind == KIND_LIMIT;
    if (info->kind < KIND_MULTIPATH)
        number_expected(info->kind == KIND_SWITCH, info->least, info->most,
                        can_be_infinite ? " or infinite" : "", out);
    else
        snprintf(out, EXPECTED_ROOM, "%s", words[info->kind]);
}

static void format_number(const struct scoped_info *info, uint32_t number,
                          char out[PARAMETER_VALUE_ROOM])
{
    if (info->kind == KIND_SWITCH)
        snprintf(out, PARAMETER_VALUE_ROOM, "%s", number != 0 ? "yes" : "no");
    else if (info->kind == KIND_MULTIPATH && number <= MULTIPATH_PORTAL_GROUP)
        snprintf(out, PARAMETER_VALUE_ROOM, "%s", multipath_words[number]);
    else if ((info->kind == KIND_LIMIT && number == 0) ||
             (info->kind == KIND_HOLD && number == TIMEOUT_INFINITE))
        snprintf(out, PARAMETER_VALUE_ROOM, "%s", infinite);
    else
        snprintf(out, PARAMETER_VALUE_ROOM, "%lu", (unsigned long)number);
}

void scoped_parameter_format(const struct scoped_parameters *parameters,
                             enum scoped_parameter parameter, char out[PARAMETER_VALUE_ROOM])
{
    const struct scoped_info *info = &scoped_table[parameter];
    const char *member = (const char *)parameters + info->offset;
    uint32_t number;
    if (info->room == 0) {
        memcpy(&number, member, sizeof number);
        format_number(info, number, out);
    } else if (info->kind == KIND_SECRET) {
        snprintf(out, PARAMETER_VALUE_ROOM, "%s", member[0] != '\0' ? "(set)" : "");
    } else {
        snprintf(out, PARAMETER_VALUE_ROOM, "%s", member);
    }
}
