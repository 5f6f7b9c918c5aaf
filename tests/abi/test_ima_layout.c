/* Layouts, constants and prototypes of ima.h against the tables of facts beside this file. */
#include "ima.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int failures;
static unsigned checked;

static void expect(const char *what, const char *part, unsigned long long expected,
                   unsigned long long got)
{
    checked++;
    if (expected == got)
        return;
    failures++;
    printf("%s.%s: expected %llu, got %llu\n", what, part, expected, got);
}

static void check_types(void)
{
#define TYPE(NAME, SIZE) expect(#NAME, "size", SIZE, sizeof(NAME));
#include "ima_rows.inc"
#undef TYPE
}

static void check_fields(void)
{
#define FIELD(NAME, PART, OFFSET, SIZE)                                                            \
    expect(#NAME, #PART " offset", OFFSET, offsetof(NAME, PART));                                  \
    expect(#NAME, #PART " size", SIZE, sizeof(((NAME *)0)->PART));
#include "ima_rows.inc"
#undef FIELD
}

static void check_constants(void)
{
#define CONSTANT(NAME, VALUE)                                                                      \
    expect(#NAME, "value", (unsigned long long)(VALUE), (unsigned long long)(NAME));
#include "ima_rows.inc"
#undef CONSTANT
}

/* A wrong prototype does not compile; a missing export does not link, or is NULL. */
static void check_functions(void)
{
#define FUNCTION(NAME, PARAMETERS)                                                                 \
    {                                                                                              \
        IMA_STATUS(*volatile function) PARAMETERS = NAME;                                          \
        expect(#NAME, "present", 1, function != NULL);                                             \
    }
#include "ima_rows.inc"
#undef FUNCTION
    IMA_STATUS (*volatile set)(IMA_OID, IMA_BOOL) = IMA_SetInitialRT2;
    IMA_STATUS (*volatile get)(IMA_OID, IMA_MIN_MAX_VALUE *) = IMA_GetMaxOutstandingRT2Properties;
    IMA_STATUS (*volatile keys)(IMA_OID, IMA_ADDRESS_KEYS **) = IMA_GetAddressKeyProperties;
    IMA_STATUS(*volatile control)
    (IMA_OID, IMA_UINT, const void *, IMA_UINT, void *, IMA_UINT *) = IMA_PluginIOCtl;
    expect("other spellings", "present", 1,
           set != NULL && get != NULL && keys != NULL && control != NULL);
}

static void check_other_names(void)
{
    expect("IMA_ADDRESS_KEY", "portalNumberValid", offsetof(IMA_ADDRESS_KEY, portNumberValid),
           offsetof(IMA_ADDRESS_KEY, portalNumberValid));
    expect("IMA_STATIC_DISCOVERY_TARGET_PROPERTIES", "staticTarget",
           offsetof(IMA_STATIC_DISCOVERY_TARGET_PROPERTIES, staticConfigTarget),
           offsetof(IMA_STATIC_DISCOVERY_TARGET_PROPERTIES, staticTarget));
    expect("IMA_CHAP_INITIATOR_AUTHPARMS", "minValueLength",
           offsetof(IMA_CHAP_INITIATOR_AUTHPARMS, minValueHandling),
           offsetof(IMA_CHAP_INITIATOR_AUTHPARMS, minValueLength));
    expect("IMA_CHAP_INITIATOR_AUTHPARMS", "maxValueLength",
           offsetof(IMA_CHAP_INITIATOR_AUTHPARMS, maxValueHandling),
           offsetof(IMA_CHAP_INITIATOR_AUTHPARMS, maxValueLength));
    expect("IMA_SUCCESS", "reboot", IMA_TRUE, IMA_SUCCESS(IMA_STATUS_REBOOT_NECESSARY));
    expect("IMA_SUCCESS", "error", IMA_FALSE, IMA_SUCCESS(IMA_ERROR_UNKNOWN_ERROR));
    expect("IMA_ERROR", "error", IMA_TRUE, IMA_ERROR(IMA_ERROR_INVALID_PARAMETER));
    expect("IMA_ERROR", "success", IMA_FALSE, IMA_ERROR(IMA_STATUS_SUCCESS));
}

int main(void)
{
    check_types();
    check_fields();
    check_constants();
    check_functions();
    check_other_names();
#include "ima_rows.inc"
    expect("functions", "number", 98, ROWS_FUNCTION);
    printf("%u facts of %d types, %d fields, %d constants, %d functions checked; %d failures\n",
           checked, ROWS_TYPE, ROWS_FIELD, ROWS_CONSTANT, ROWS_FUNCTION, failures);
    return failures != 0;
}
