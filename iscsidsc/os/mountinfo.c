#include "os/mountinfo.h"

#include <stdio.h>
#include <string.h>

/* \040 and its like become what they stand for. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                     from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
        if (octal) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* The next word; NULL: there is none. */
static char *cut(char **rest)
{
    char *word = *rest + strspn(*rest, " \n");
    size_t length = strcspn(word, " \n");
    if (length == 0)
        return NULL;
    *rest = word + length + (word[length] != '\0');
    word[length] = '\0';
    return word;
}

/* "36 35 98:0 /root /point options optional... - type source options" */
bool os_mount_line_parse(struct os_mount_line *out, char *line)
{
    int place = 0;
    if (sscanf(line, "%u %*u %u:%u %*s %n", &out->id, &out->high, &out->low, &place) != 3 ||
        place == 0)
        return false;
    char *rest = line + place;
    char *point = cut(&rest);
    char *word = cut(&rest);
    while (word != NULL && strcmp(word, "-") != 0)
        word = cut(&rest);
    char *type = word != NULL ? cut(&rest) : NULL;
    char *source = type != NULL ? cut(&rest) : NULL;
    if (source == NULL)
        return false;
    unescape(point);
    unescape(source);
    out->point = point;
    out->type = type;
    out->source = source;
    return true;
}

bool os_mount_line_has_source(const struct os_mount_line *line)
{
    return line->high == 0 && strcmp(line->type, "btrfs") == 0;
}
