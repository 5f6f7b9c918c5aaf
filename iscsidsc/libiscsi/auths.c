#include "libiscsi/auths.h"

#include "libiscsi/errors.h"
#include "os/crypto.h"
#include "os/memory.h"
#include "os/system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS = 3 };

struct fields {
    char text[FIELDS][CHAP_SECRET_MAX + 2]; /* names are as long at most */
    size_t length[FIELDS];
    size_t count;
};
_Static_assert(CHAP_NAME_MAX <= CHAP_SECRET_MAX + 1, "a name fits in a field");

/* The colons of the secret need no backslash: it is the last field. False: too long, or not whole.
 */
static bool cut(struct fields *fields, const char *line, size_t length)
{
    size_t field = 0;

    memset(fields, 0, sizeof *fields);
    for (size_t i = 0; i < length; i++) {
        char letter = line[i];

        if (letter == ':' && field < FIELDS - 1) {
            field++;
            continue;
        }
        if (letter == '\\' && i + 1 < length && (line[i + 1] == ':' || line[i + 1] == '\\'))
            letter = line[++i];
        if (fields->length[field] == sizeof fields->text[field] - 1)
            return false;
        fields->text[field][fields->length[field]++] = letter;
    }
    fields->count = field + 1;
    return true;
}

static const char *add(struct auths *auths, const struct fields *fields)
{
    struct auths_account *accounts;
    size_t used = auths->count * sizeof *accounts;

    if (fields->length[0] == 0 || fields->length[0] > CHAP_NAME_MAX)
        return "the name of the user is empty or too long";
    if (fields->length[2] == 0 || fields->length[2] > CHAP_SECRET_MAX)
        return "the secret is empty or too long";
    if (auths_find(auths, fields->text[0]) != NULL)
        return "the user is there already";
    accounts = os_alloc(used + sizeof *accounts); /* no os_grow: it would leave secrets behind */
    if (accounts == NULL)
        return "out of memory";
    if (used > 0)
        memcpy(accounts, auths->accounts, used);
    memcpy(accounts[auths->count].user, fields->text[0], fields->length[0] + 1);
    memcpy(accounts[auths->count].secret, fields->text[2], fields->length[2] + 1);
    if (used > 0)
        os_wipe(auths->accounts, used);
    os_free(auths->accounts);
    auths->accounts = accounts;
    auths->count++;
    return NULL;
}

static bool is_word(const char *text, const char *lower)
{
    size_t i = 0;

    for (; lower[i] != '\0'; i++) {
        if ((text[i] | 0x20) != lower[i])
            return false;
    }
    return text[i] == '\0';
}

static bool is_blank(const char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    return length == 0;
}

static const char *read_line(struct auths *auths, const char *line, size_t length)
{
    struct fields fields;
    const char *complaint = NULL;

    while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n'))
        length--;
    if (line[0] == '#' || is_blank(line, length))
        return NULL;
    if (memchr(line, '\0', length) != NULL)
        return "a NUL character";
    if (!cut(&fields, line, length) || fields.count != FIELDS)
        complaint = "not user:chap:secret, or too long";
    else if (is_word(fields.text[1], "chap"))
        complaint = add(auths, &fields);
    else if (!is_word(fields.text[1], "none"))
        complaint = "neither chap nor none";
    os_wipe(&fields, sizeof fields);
    return complaint;
}

bool auths_parse(struct auths *auths, const char *text, size_t length, char *error, size_t room)
{
    const char *end = text + length;

    memset(auths, 0, sizeof *auths);
    for (unsigned number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline != NULL ? newline + 1 : end;
        const char *complaint = read_line(auths, text, (size_t)(next - text));

        if (complaint != NULL) {
            snprintf(error, room, "%u: %s", number, complaint);
            auths_clear(auths);
            return false;
        }
        text = next;
    }
    return true;
}

void auths_clear(struct auths *auths)
{
    if (auths->count > 0)
        os_wipe(auths->accounts, auths->count * sizeof *auths->accounts);
    os_free(auths->accounts);
    memset(auths, 0, sizeof *auths);
}

const struct auths_account *auths_find(const struct auths *auths, const char *user)
{
    for (size_t i = 0; i < auths->count; i++) {
        if (strcmp(auths->accounts[i].user, user) == 0)
            return &auths->accounts[i];
    }
    return NULL;
}

int auths_read(struct auths *auths, const char *path, char *error, size_t room)
{
    char complaint[128];
    char *text = NULL;
    size_t length = 0;
    enum status status = os_read_file(path, &text, &length);
    bool good;

    memset(auths, 0, sizeof *auths);
    if (status != STATUS_OK || text == NULL) {
        snprintf(error, room, "%s: %s", path,
                 status != STATUS_OK ? status_text(status) : "there is no such file");
        return status != STATUS_OK ? error_of_status(status) : ENOENT;
    }
    good = auths_parse(auths, text, length, complaint, sizeof complaint);
    if (!good)
        snprintf(error, room, "%s:%s", path, complaint);
    os_wipe(text, length);
    os_free(text);
    return good ? 0 : EINVAL;
}
