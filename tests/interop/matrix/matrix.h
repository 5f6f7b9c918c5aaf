/*
 * The matrix: every export of the discovery library against everything that has to hold for each of
 * them. A test notes what it has shown; what was shown for no export is a hole, and a hole is a
 * failure.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include "../msapi_support.h"
#include "../msapi_text.h"

#include <stdio.h>

/* --- what is shown --- */
#define COLUMNS(COLUMN)                                                                            \
    COLUMN(SUCCESS, "success")                                                                     \
    COLUMN(NULLS, "null")                                                                          \
    COLUMN(SIZES, "sizes")                                                                         \
    COLUMN(FORMS, "forms")                                                                         \
    COLUMN(READBACK, "readback")                                                                   \
    COLUMN(GARBAGE, "garbage")

enum column {
#define COLUMN_ENUM(name, text) COLUMN_##name,
    COLUMNS(COLUMN_ENUM)
#undef COLUMN_ENUM
        COLUMN_COUNT
};

void matrix_note(const char *export_name, enum column column);
/* This export has returned this documented error, for the reason that is documented. */
void matrix_note_error(const char *export_name, const char *code);

/* In a file of msapi_forms.h the export is that of the form at hand; elsewhere it has none. */
#define NOTE(name, column)  matrix_note(#name FORM_SUFFIX, COLUMN_##column)
#define NOTE_(name, column) matrix_note(#name, COLUMN_##column)
#define REFUSES(name, code, call)                                                                  \
    do {                                                                                           \
        EXPECT(code, call);                                                                        \
        matrix_note_error(#name FORM_SUFFIX, #code);                                               \
    } while (0)
#define REFUSES_(name, code, call)                                                                 \
    do {                                                                                           \
        EXPECT(code, call);                                                                        \
        matrix_note_error(#name, #code);                                                           \
    } while (0)

/* --- tests --- */
struct matrix_test {
    const char *name;
    void (*run)(void **state);
};

struct matrix_area {
    const char *name;
    const struct matrix_test *tests;
    size_t count;
};

#define BOTH_FORMS(test)                                                                           \
    {#test "A", test##A},                                                                          \
    {                                                                                              \
#test "W", test##W                                                                         \
    }
#define ONE_FORM(test)                                                                             \
    {                                                                                              \
#test, test                                                                                \
    }
#define AREA(name)                                                                                 \
    const struct matrix_area name##_area = {#name, tests, sizeof tests / sizeof *tests}

/* --- one export with given arguments, whatever its prototype --- */
typedef ISDSC_STATUS(WINAPI *raw_function)(void);

/*
 * Calls the export with the arguments, which have to give `expected`; then with NULL for each
 * pointer in turn: those named in `optional` give the same (or the code behind a '='), the others
 * ERROR_INVALID_PARAMETER; then with garbage in all of a register that a narrow number leaves
 * unused. Before each call the scene is set up anew; after each call that succeeds `after` is
 * called, if there is one. Notes NULLS and GARBAGE.
 */
struct raw_row {
    const char *name;
    raw_function function;
    ISDSC_STATUS expected;
    const char *optional; /* "InitiatorInstance Buffer=122" */
    void (*after)(void);
};
void check_row(const struct raw_row *row, const uint64_t *arguments, size_t count);

#define RAW_POINTER(pointer) ((uint64_t)(uintptr_t)(pointer))
#define RAW_FUNCTION(name)   ((raw_function)(void (*)(void))(name))
#define TEXT_OF_(tokens)     #tokens
#define TEXT_OF(tokens)      TEXT_OF_(tokens)
#define ROW(export_function, after_call, code, may_be_null, ...)                                   \
    do {                                                                                           \
        const struct raw_row row = {TEXT_OF(export_function), RAW_FUNCTION(export_function), code, \
                                    may_be_null, after_call};                                      \
        const uint64_t arguments[] = {__VA_ARGS__};                                                \
        check_row(&row, arguments, sizeof arguments / sizeof *arguments);                          \
    } while (0)

/* --- the scene: objects to point at --- */
enum { SCENE_ROOM = 1 << 16 };

/* A size or count with bytes behind it that nobody may write. */
struct guarded {
    ULONG value;
    ULONG guard;
};

struct scene {
    struct guarded size;
    struct guarded count;
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    struct guarded sense_size;
    UCHAR sense[32];
    UCHAR scsi_status;
    _Alignas(16) unsigned char buffer[SCENE_ROOM];
};
extern struct scene scene;
/* Sizes and counts that each call starts with. */
extern ULONG scene_size, scene_count;
void scene_reset(void);
/* The guards are as they were. */
bool scene_intact(void);

/* ASCII, without regard to case. */
bool same_name(const char *a, const char *b);

/* --- names that tests use --- */
#define INSTANCE   "Root\\ISCSIPRT\\0000_0"
#define OTHER_CASE "ROOT\\iscsiprt\\0000_0"
#define NOBODY     "Root\\NOBODY\\0000_0"
#define ANY_PORT   ISCSI_ANY_INITIATOR_PORT
/* In every Western code page, and two bytes of UTF-8 each. */
#define ALIAS "M\xc3\xbcnster \xc3\xa9\xc3\xa0"

struct endpoint refused_endpoint(void);
/* Where a target misbehaves in the way of that name: tests/support/misbehaviours.h. */
struct endpoint misbehaving(const char *name);
void portalA(ISCSI_TARGET_PORTALA *out, const char *symbolic_name, const struct endpoint *at);
void portalW(ISCSI_TARGET_PORTALW *out, const char *symbolic_name, const struct endpoint *at);
/* The embedded target and its portals. */
const struct peer *embedded(void);

/* A user name, an impossible CHAP secret's bytes; all else left out. */
ISCSI_LOGIN_OPTIONS full_options(void);
void expect_full_options(const ISCSI_LOGIN_OPTIONS *options, const void *buffer, size_t size);

/* Everything that lasts is taken away; sessions end. */
int matrix_clean(void **state);

#endif
