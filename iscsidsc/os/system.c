#include "os/system.h"
#include "os/memory.h"

#include <string.h>

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* The value of "InitiatorName = value" on this line, NULL when the line says something else. */
static const char *name_value(const char *line)
{
    static const char key[] = "InitiatorName";
    line = skip_blanks(line);
    if (strncmp(line, key, sizeof key - 1) != 0)
        return NULL;
    line = skip_blanks(line + sizeof key - 1);
    return *line == '=' ? skip_blanks(line + 1) : NULL;
}

bool os_initiator_name_in(const char *text, char *out, size_t room)
{
    while (text != NULL) {
        const char *value = name_value(text);
        size_t length = value != NULL ? strcspn(value, " \t\r\n") : 0;
        if (length > 0) {
            if (length >= room)
                return false;
            memcpy(out, value, length);
            out[length] = '\0';
            return true;
        }
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return false;
}
