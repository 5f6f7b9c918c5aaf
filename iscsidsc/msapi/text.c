#include "msapi/text.h"

#include "os/system.h"

#include <string.h>

size_t text_unit(enum text_form form)
{
    return form == TEXT_WIDE ? sizeof(uint16_t) : sizeof(char);
}

/* Characters before the NUL, `size` when there is none. */
static size_t length_within(enum text_form form, const void *text, size_t size)
{
    size_t length = 0;
    if (form == TEXT_WIDE) {
        const uint16_t *wide = text;
        while (length < size && wide[length] != 0)
            length++;
    } else {
        const char *ansi = text;
        while (length < size && ansi[length] != '\0')
            length++;
    }
    return length;
}

enum status text_read_array(struct os_arena *arena, enum text_form form, const void *array,
                            size_t size, const char **out)
{
    *out = NULL;
    size_t length = length_within(form, array, size);
    if (length == size)
        return STATUS_INVALID_PARAMETER;
    size_t room =
        length * 4 + 1; /* no code page needs more than four bytes of UTF-8 for one of its own */
    char *utf8 = os_arena_alloc(arena, room);
    if (utf8 == NULL)
        return STATUS_NO_MEMORY;
    long written = form == TEXT_WIDE ? os_utf16_to_utf8(array, utf8, room)
                                     : os_ansi_to_utf8(array, utf8, room);
    if (written < 0)
        return STATUS_INVALID_PARAMETER;
    *out = utf8;
    return STATUS_OK;
}

enum status text_read(struct os_arena *arena, enum text_form form, const void *text,
                      const char **out)
{
    *out = NULL;
    if (text == NULL)
        return STATUS_OK;
    return text_read_array(arena, form, text, TEXT_CHARACTERS_MAX + 1, out);
}

static long write_whole(enum text_form form, const char *utf8, void *out, size_t room)
{
    return form == TEXT_WIDE ? os_utf8_to_utf16(utf8, out, room) : os_utf8_to_ansi(utf8, out, room);
}

/* Length without the last UTF-8 character. */
static size_t drop_character(const char *utf8, size_t length)
{
    do
        length--;
    while (length > 0 && ((unsigned char)utf8[length] & 0xC0) == 0x80);
    return length;
}

size_t text_write(enum text_form form, const char *utf8, void *out, size_t room)
{
    if (room == 0)
        return 0;
    long written = write_whole(form, utf8 != NULL ? utf8 : "", out, room);
    if (written >= 0)
        return (size_t)written + 1;

    /* A character takes at least one unit in either form and at most four bytes here. */
    char cut[4096];
    size_t length = strlen(utf8);
    if (length > room * 4)
        length = drop_character(utf8, room * 4 + 1);
    if (length >= sizeof cut)
        length = drop_character(utf8, sizeof cut);
    memcpy(cut, utf8, length);
    for (; written < 0 && length > 0; length = drop_character(cut, length)) {
        cut[length] = '\0';
        written = write_whole(form, cut, out, room);
    }
    return written < 0 ? text_write(form, NULL, out, room) : (size_t)written + 1;
}
