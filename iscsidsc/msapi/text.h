/* Text between the two forms of the interface and the engine's UTF-8. */
#ifndef MSAPI_TEXT_H
#define MSAPI_TEXT_H

#include "os/memory.h"
#include "protocol/status.h"

enum text_form {
    TEXT_ANSI, /* CHAR, the ANSI code page */
    TEXT_WIDE, /* WCHAR, UTF-16 */
};

/* Bytes of a character. */
size_t text_unit(enum text_form form);

/*
 * A caller's string, converted into the arena; NULL stays NULL. STATUS_INVALID_PARAMETER: it
 * cannot be converted, or does not end within TEXT_CHARACTERS_MAX.
 */
#define TEXT_CHARACTERS_MAX 32767u
enum status text_read(struct os_arena *arena, enum text_form form, const void *text,
                      const char **out);
/* A string in an array of `size` characters, which has to hold its NUL (STATUS_INVALID_PARAMETER).
 */
enum status text_read_array(struct os_arena *arena, enum text_form form, const void *array,
                            size_t size, const char **out);

/*
 * Writes UTF-8 in that form with a NUL, at most `room` characters: what does not fit is cut off
 * between two characters. Returns the characters written, NUL included; 0 when `room` is 0.
 * NULL gives the empty string.
 */
size_t text_write(enum text_form form, const char *utf8, void *out, size_t room);

#endif
