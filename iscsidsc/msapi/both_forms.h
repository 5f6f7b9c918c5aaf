/*
 * Compiles FORM_FILE twice, for the A and the W form of an interface:
 *
 *   #define FORM_FILE "msapi/portals.inc"
 *   #include "msapi/both_forms.h"
 *
 * In there FORM(name) is nameA or nameW, FORM_STRING the string type, FORM_CHAR the character type
 * and FORM_TEXT the enum text_form. No include guard: each use is for another file.
 */
#define FORM(name)  name##A
#define FORM_STRING PSTR
#define FORM_CHAR   CHAR
#define FORM_TEXT   TEXT_ANSI
#include FORM_FILE
#undef FORM
#undef FORM_STRING
#undef FORM_CHAR
#undef FORM_TEXT

#define FORM(name)  name##W
#define FORM_STRING PWSTR
#define FORM_CHAR   WCHAR
#define FORM_TEXT   TEXT_WIDE
#include FORM_FILE
#undef FORM
#undef FORM_STRING
#undef FORM_CHAR
#undef FORM_TEXT
#undef FORM_FILE
