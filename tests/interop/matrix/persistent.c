/* Logins that are stored. */
#include "matrix.h"

static void check_storedA(ULONG logins);
static void check_storedW(ULONG logins);

#define FORM_FILE "matrix/persistent.inc"
#include "../msapi_forms.h"

static const struct matrix_test tests[] = {
    BOTH_FORMS(persistent_rows),
    BOTH_FORMS(stored_logins),
    BOTH_FORMS(persistent_errors),
    BOTH_FORMS(persistent_sizes),
};
AREA(persistent);
