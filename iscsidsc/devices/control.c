#include "devices/control.h"
#include "engine/failover.h"
#include "engine/log.h"
#include "engine/mappings.h"
#include "protocol/text.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MOST = 6, HOST = 3 /* \\.\Scsi3: */ };

struct command {
    char text[CONTROL_MOST + 1];
    const char *words[WORDS_MOST];
    size_t count;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* False: too long, more than one line, or too many words. */
static bool split(struct command *command, const char *text, size_t length)
{
    const char *end = memchr(text, '\n', length);
    if (length > CONTROL_MOST || memchr(text, '\0', length) != NULL ||
        (end != NULL && end + 1 != text + length))
        return false;
    memcpy(command->text, text, length);
    command->text[length] = '\0';
    command->count = 0;
    for (char *at = command->text;;) {
        while (is_blank(*at))
            *at++ = '\0';
        if (*at == '\0')
            return true;
        if (command->count == WORDS_MOST)
            return false;
        command->words[command->count++] = at;
        while (*at != '\0' && !is_blank(*at))
            at++;
    }
}

static bool is_word(const struct command *command, size_t index, const char *word)
{
    return strcmp(command->words[index], word) == 0;
}

/* The words from `first` on as numbers below 256. */
static bool take_numbers(const struct command *command, size_t first, size_t count, uint32_t *out)
{
    uint64_t number;
    for (size_t i = 0; i < count; i++) {
        const char *word = command->words[first + i];
        if (!text_number(word, strlen(word), &number) || number >= MAPPING_BUSES)
            return false;
        out[i] = (uint32_t)number;
    }
    return true;
}

static enum status look_for_units(struct engine *engine, const uint32_t at[4])
{
    struct engine_session *session = at[0] == HOST ? units_session_at(engine, at[1], at[2]) : NULL;
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    units_renew(session);
    return STATUS_OK;
}

static enum status obey(struct engine *engine, const char *text, size_t length)
{
    struct command command;
    uint32_t numbers[4];
    if (!split(&command, text, length))
        return STATUS_INVALID_PARAMETER;
    if (command.count == 5 && is_word(&command, 0, "target") && is_word(&command, 3, "address") &&
        take_numbers(&command, 1, 2, numbers))
        return portal_switch_at(engine, numbers[0], numbers[1], command.words[4]);
    if (command.count == 6 && is_word(&command, 0, "scsi") &&
        is_word(&command, 1, "add-single-device") && take_numbers(&command, 2, 4, numbers))
        return look_for_units(engine, numbers);
    return STATUS_INVALID_PARAMETER;
}

static const char *reason_of(enum status status)
{
    return status == STATUS_INVALID_PARAMETER
               ? "not one of the lines that are known, or a number above 255"
               : status_text(status);
}

/* Who wrote it sees a number. */
enum status devices_control(struct engine *engine, const char *text, size_t length)
{
    char line[CONTROL_MOST + 1];
    enum status status = obey(engine, text, length);
    if (status != STATUS_OK) {
        snprintf(line, sizeof line, "%.*s", (int)(length < CONTROL_MOST ? length : CONTROL_MOST),
                 text);
        line[strcspn(line, "\r\n")] = '\0';
        engine_log(OS_LOG_WARNING, "bad-control", "line", line, "reason", reason_of(status), NULL);
    }
    return status;
}
