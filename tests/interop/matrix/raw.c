/* Calls by prototype: any export, with its arguments as numbers. */
#include "matrix.h"

#include <stdlib.h>

enum { PARAMETERS_MAX = 14, NAME_MAX_LENGTH = 32 };

struct parameter {
    char name[NAME_MAX_LENGTH];
    char kind; /* as prototypes.py tells */
};

static const struct prototype {
    const char *name;
    const char *parameters;
} prototypes[] = {
#define PROTOTYPE(name, parameters) {#name, parameters},
#include "prototypes.inc"
#undef PROTOTYPE
};

static size_t parse_parameters(const char *name, struct parameter parameters[PARAMETERS_MAX])
{
    const char *text = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sizeof prototypes / sizeof *prototypes; i++) {
        if (strcmp(prototypes[i].name, name) == 0)
            text = prototypes[i].parameters;
    }
    if (text == NULL)
        fail_msg("%s has no prototype", name);
    for (; text != NULL && *text != '\0'; count++) {
        const char *colon = strchr(text, ':');
        assert_non_null(colon);
        snprintf(parameters[count].name, NAME_MAX_LENGTH, "%.*s", (int)(colon - text), text);
        parameters[count].kind = colon[1];
        text = colon[2] == ' ' ? colon + 3 : colon + 2;
    }
    return count;
}

/* The callee takes the arguments off the stack in 32-bit Windows, so their number has to be right.
 */
static ISDSC_STATUS call_slots(raw_function function, const uintptr_t *a, size_t count)
{
    typedef uintptr_t s;
#define CALL(types, ...)                                                                           \
    return ((ISDSC_STATUS(WINAPI *) types)(void (*)(void))function)(__VA_ARGS__)
    switch (count) {
    case 0:
        return function();
    case 1:
        CALL((s), a[0]);
    case 2:
        CALL((s, s), a[0], a[1]);
    case 3:
        CALL((s, s, s), a[0], a[1], a[2]);
    case 4:
        CALL((s, s, s, s), a[0], a[1], a[2], a[3]);
    case 5:
        CALL((s, s, s, s, s), a[0], a[1], a[2], a[3], a[4]);
    case 6:
        CALL((s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5]);
    case 7:
        CALL((s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    case 8:
        CALL((s, s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    case 9:
        CALL((s, s, s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
    case 10:
        CALL((s, s, s, s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
             a[9]);
    case 13:
        CALL((s, s, s, s, s, s, s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6],
             a[7], a[8], a[9], a[10], a[11], a[12]);
    case 14:
        CALL((s, s, s, s, s, s, s, s, s, s, s, s, s, s), a[0], a[1], a[2], a[3], a[4], a[5], a[6],
             a[7], a[8], a[9], a[10], a[11], a[12], a[13]);
    default:
        fail_msg("no export has %lu slots", (unsigned long)count);
        return 0;
    }
#undef CALL
}

static ISDSC_STATUS call_raw(const struct raw_row *row, const struct parameter *parameters,
                             const uint64_t *arguments, size_t count)
{
    uintptr_t slots[PARAMETERS_MAX + 2];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        slots[used++] = (uintptr_t)arguments[i];
        if (parameters[i].kind == '8' && sizeof(uintptr_t) < sizeof(uint64_t))
            slots[used++] = (uintptr_t)(arguments[i] >> 32);
    }
    scene_reset();
    ISDSC_STATUS status = call_slots(row->function, slots, used);
    if (!scene_intact())
        fail_msg("%s wrote more than 32 bits of a size or count", row->name);
    if (status == ERROR_SUCCESS && row->after != NULL)
        row->after();
    return status;
}

/* What NULL has to give for the parameter: `optional` lists those that may be. */
static ISDSC_STATUS null_status(const struct raw_row *row, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = row->optional; at != NULL && *at != '\0';) {
        if (strncmp(at, name, length) == 0 && strchr(" =", at[length]) != NULL)
            return at[length] == '=' ? (ISDSC_STATUS)strtoul(at + length + 1, NULL, 0)
                                     : row->expected;
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return ERROR_INVALID_PARAMETER;
}

static void expect_status(const struct raw_row *row, const char *how, const char *parameter,
                          ISDSC_STATUS expected, ISDSC_STATUS got)
{
    if (got != expected)
        fail_msg("%s with %s%s: expected 0x%lx, got 0x%lx", row->name, how, parameter,
                 (unsigned long)expected, (unsigned long)got);
}

static void check_nulls(const struct raw_row *row, const struct parameter *parameters,
                        const uint64_t *arguments, size_t count)
{
    uint64_t changed[PARAMETERS_MAX];
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (parameters[i].kind != 'p' && parameters[i].kind != 's')
            continue;
        memcpy(changed, arguments, count * sizeof *changed);
        changed[i] = 0;
        expect_status(row, "NULL as ", parameters[i].name, null_status(row, parameters[i].name),
                      call_raw(row, parameters, changed, count));
        any = true;
    }
    if (any)
        matrix_note(row->name, COLUMN_NULLS);
}

/* Registers and stack slots of 64 bits, of which a narrow number takes only the low part. */
static void check_garbage(const struct raw_row *row, const struct parameter *parameters,
                          const uint64_t *arguments, size_t count)
{
    static const uint64_t garbage = 0xDEADBEEFA5C3E100;
    uint64_t changed[PARAMETERS_MAX];
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        int width = parameters[i].kind - '0';
        changed[i] = arguments[i];
        any = any || parameters[i].kind == 's' || width == 1 || width == 2 || width == 4;
        if (width == 1 || width == 2 || width == 4)
            changed[i] |= garbage & ~(((uint64_t)1 << (8 * width)) - 1);
    }
    if (!any)
        return;
    expect_status(row, "garbage beside its numbers", "", row->expected,
                  call_raw(row, parameters, changed, count));
    matrix_note(row->name, COLUMN_GARBAGE);
}

void check_row(const struct raw_row *row, const uint64_t *arguments, size_t count)
{
    struct parameter parameters[PARAMETERS_MAX];
    if (parse_parameters(row->name, parameters) != count)
        fail_msg("%s has another number of parameters", row->name);
    expect_status(row, "good arguments", "", row->expected,
                  call_raw(row, parameters, arguments, count));
    check_nulls(row, parameters, arguments, count);
    check_garbage(row, parameters, arguments, count);
}
