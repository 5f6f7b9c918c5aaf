#include "protocol/sendtargets.h"

#include <string.h>

#define PAIR_MAX (TEXT_KEY_MAX + 1 + TEXT_VALUE_MAX)

void sendtargets_start(struct sendtargets *reader, sendtargets_found *found, void *context)
{
    memset(reader, 0, sizeof *reader);
    reader->found = found;
    reader->context = context;
}

static enum status take_name(struct sendtargets *reader, const struct text_pair *pair)
{
    reader->target[0] = '\0';
    if (pair->value_length > ISCSI_NAME_MAX || !name_valid(pair->value)) {
        reader->skipped++;
        return STATUS_OK;
    }
    memcpy(reader->target, pair->value, pair->value_length + 1);
    reader->targets++;
    return reader->found(reader->context, reader->target, NULL) ? STATUS_OK : STATUS_CANCELLED;
}

/* A missing portal group tag is forgiven: some targets leave it out. */
static enum status take_address(struct sendtargets *reader, const struct text_pair *pair)
{
    struct portal_address address;

    if (reader->targets + reader->skipped == 0)
        return STATUS_INVALID_SENDTARGETS;
    if (reader->target[0] == '\0') /* of a record that is skipped */
        return STATUS_OK;
    if (portal_parse(pair->value, pair->value_length, true, false, &address) != STATUS_OK) {
        reader->skipped++;
        return STATUS_OK;
    }
    return reader->found(reader->context, reader->target, &address) ? STATUS_OK : STATUS_CANCELLED;
}

/* RFC 7143 lets a target tell its alias at any time (13.7). */
static enum status take_alias(struct sendtargets *reader, const struct text_pair *pair)
{
    if (reader->target[0] == '\0' || !reader->alias || !alias_valid(pair->value))
        return STATUS_OK;
    return reader->alias(reader->context, pair->value) ? STATUS_OK : STATUS_CANCELLED;
}

/* The only use of this key in an answer is to refuse. */
static enum status take_refusal(const struct text_pair *pair)
{
    static const char words[] = "NotUnderstood,Reject,Irrelevant";

    return text_list_has(words, sizeof words - 1, pair->value) ? STATUS_REJECTED : STATUS_OK;
}

static bool is_blank(const char *string)
{
    return string[strspn(string, " \t\r\n")] == '\0';
}

/* One NUL-terminated string of the text. */
static enum status take_string(struct sendtargets *reader, const char *string, size_t length)
{
    const char *equals = memchr(string, '=', length);
    struct text_pair pair;

    if (is_blank(string))
        return STATUS_OK;
    if (!equals || length > PAIR_MAX)
        return STATUS_INVALID_SENDTARGETS;
    pair = (struct text_pair){string, (size_t)(equals - string), equals + 1,
                              length - (size_t)(equals - string) - 1};
    if (text_key_is(&pair, "TargetName"))
        return take_name(reader, &pair);
    if (text_key_is(&pair, "TargetAddress"))
        return take_address(reader, &pair);
    if (text_key_is(&pair, "TargetAlias"))
        return take_alias(reader, &pair);
    if (text_key_is(&pair, "SendTargets"))
        return take_refusal(&pair);
    return STATUS_OK;
}

static bool carry(struct sendtargets *reader, const char *text, size_t length)
{
    if (length > PAIR_MAX - reader->carry_length)
        return false;
    memcpy(reader->carry + reader->carry_length, text, length);
    reader->carry_length += length;
    reader->carry[reader->carry_length] = '\0';
    return true;
}

enum status sendtargets_feed(struct sendtargets *reader, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\0', length);
        size_t piece = end ? (size_t)(end - text) : length;
        enum status status;

        if ((!end || reader->carry_length > 0) && !carry(reader, text, piece))
            return STATUS_INVALID_SENDTARGETS;
        if (!end)
            return STATUS_OK;
        if (reader->carry_length > 0)
            status = take_string(reader, reader->carry, reader->carry_length);
        else
            status = take_string(reader, text, piece);
        reader->carry_length = 0;
        if (status != STATUS_OK)
            return status;
        text += piece + 1;
        length -= piece + 1;
    }
    return STATUS_OK;
}

enum status sendtargets_end(struct sendtargets *reader)
{
    if (reader->carry_length > 0 && !is_blank(reader->carry))
        return STATUS_INVALID_SENDTARGETS;
    return STATUS_OK;
}
