/*
 * Sizes, offsets, alignments and values of the public headers against the tables. The
 * compiler checks every row; the program checks them again and says how many there were.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "iscsierr.h"
#include "iscsidsc.h"

#define MEMBER(type, field) (((type *)0)->field)

#define TYPE(type, size, align)                                                                    \
    _Static_assert(sizeof(type) == size, #type ": size");                                          \
    _Static_assert(_Alignof(type) == align, #type ": alignment");
#define FIELD(type, field, offset, size, align)                                                    \
    _Static_assert(offsetof(type, field) == offset, #type "." #field ": offset");                  \
    _Static_assert(sizeof(MEMBER(type, field)) == size, #type "." #field ": size");                \
    _Static_assert(__alignof__(MEMBER(type, field)) == align, #type "." #field ": alignment");
#define CONSTANT(name, value) _Static_assert((name) == (value), #name);
#define STATUS(name, value)                                                                        \
    _Static_assert((name) == value##u, #name ": value");                                           \
    _Static_assert(_Generic((name), ISDSC_STATUS : 1, default : 0), #name ": type");
#include "rows.inc"
#undef TYPE
#undef FIELD
#undef CONSTANT
#undef STATUS

/* The rows once more, as data. */
struct row {
    const char *type, *field;
    size_t offset, size, align;
    size_t real_offset, real_size, real_align;
};

static const struct row layout[] = {
#define TYPE(type, size, align) {#type, "", 0, size, align, 0, sizeof(type), _Alignof(type)},
#define FIELD(type, field, offset, size, align)                                                    \
    {#type,                                                                                        \
     "." #field,                                                                                   \
     offset,                                                                                       \
     size,                                                                                         \
     align,                                                                                        \
     offsetof(type, field),                                                                        \
     sizeof(MEMBER(type, field)),                                                                  \
     __alignof__(MEMBER(type, field))},
#include "rows.inc"
#undef TYPE
#undef FIELD
};

static const struct {
    const char *name;
    ULONG expected, real;
} values[] = {
#define CONSTANT(name, value) {#name, (ULONG)(value), (ULONG)(name)},
#define STATUS(name, value)   {#name, value##u, name},
#include "rows.inc"
#undef CONSTANT
#undef STATUS
};

static bool check_layout(const struct row *row)
{
    if (row->real_offset == row->offset && row->real_size == row->size &&
        row->real_align == row->align)
        return true;
    printf("%s%s: offset, size, alignment: expected %u, %u, %u; is %u, %u, %u\n", row->type,
           row->field, (unsigned)row->offset, (unsigned)row->size, (unsigned)row->align,
           (unsigned)row->real_offset, (unsigned)row->real_size, (unsigned)row->real_align);
    return false;
}

int main(void)
{
    const size_t layout_count = sizeof layout / sizeof layout[0];
    const size_t value_count = sizeof values / sizeof values[0];
    const size_t expected = ROWS_TYPE + ROWS_FIELD + ROWS_CONSTANT + ROWS_STATUS;
    unsigned failures = 0;

    for (size_t i = 0; i < layout_count; i++)
        failures += !check_layout(&layout[i]);
    for (size_t i = 0; i < value_count; i++) {
        if (values[i].real == values[i].expected)
            continue;
        printf("%s: expected 0x%x, is 0x%x\n", values[i].name, (unsigned)values[i].expected,
               (unsigned)values[i].real);
        failures++;
    }
    if (layout_count + value_count != expected) {
        printf("rows: expected %u\n", (unsigned)expected);
        failures++;
    }
    printf("%u rows checked, %u failures\n", (unsigned)(layout_count + value_count), failures);
    return failures ? 1 : 0;
}
