/*
 * Compiles FORM_FILE twice, for the A and the W form:
 *
 *   #define FORM_FILE "portals.inc"
 *   #include "msapi_forms.h"
 *
 * In there FORM(name) is nameA or nameW, OTHER(name) the other one, FORM_SUFFIX "A" or "W", T(text)
 * a UTF-8 literal as a string of this form, and U(string) the UTF-8 again. No include guard: each
 * use is for another file.
 */
#ifndef T
#define T(s)       FORM(text)(s)
#define U(s)       FORM(utf8)(s)
#define T_OTHER(s) OTHER(text)(s)
#define U_OTHER(s) OTHER(utf8)(s)
#endif

#define FORM(name)  name##A
#define OTHER(name) name##W
#define FORM_SUFFIX "A"
#define FORM_CHAR   CHAR
#define FORM_STRING PSTR
#include FORM_FILE
#undef FORM
#undef OTHER
#undef FORM_SUFFIX
#undef FORM_CHAR
#undef FORM_STRING

#define FORM(name)  name##W
#define OTHER(name) name##A
#define FORM_SUFFIX "W"
#define FORM_CHAR   WCHAR
#define FORM_STRING PWSTR
#include FORM_FILE
#undef FORM
#undef OTHER
#undef FORM_SUFFIX
#undef FORM_CHAR
#undef FORM_STRING
#undef FORM_FILE
