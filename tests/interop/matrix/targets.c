/* Targets: those added by hand, what is known of each, and the list. */
#include "matrix.h"

typedef CHAR CHARACTERA;
typedef WCHAR CHARACTERW;

static void check_classesA(void);
static void check_classesW(void);

#define FORM_FILE "matrix/targets.inc"
#include "../msapi_forms.h"

static const struct matrix_test tests[] = {
    BOTH_FORMS(target_rows),   BOTH_FORMS(static_target), BOTH_FORMS(static_target_flags),
    BOTH_FORMS(target_errors), BOTH_FORMS(target_sizes),  BOTH_FORMS(discovered_target),
    BOTH_FORMS(target_list),
};
AREA(targets);
