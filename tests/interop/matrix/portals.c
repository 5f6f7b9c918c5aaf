/* SendTargets portals. */
#include "matrix.h"

static void check_portals_exA(const char *symbolic_name, const struct endpoint *at,
                              ISCSI_SECURITY_FLAGS flags);
static void check_portals_exW(const char *symbolic_name, const struct endpoint *at,
                              ISCSI_SECURITY_FLAGS flags);
static void check_portalsA(const char *symbolic_name, const struct endpoint *at);
static void check_portalsW(const char *symbolic_name, const struct endpoint *at);

#define FORM_FILE "matrix/portals.inc"
#include "../msapi_forms.h"

static const struct matrix_test tests[] = {
    BOTH_FORMS(portal_rows),   BOTH_FORMS(portals_come_back), BOTH_FORMS(refresh_asks),
    BOTH_FORMS(portal_errors), BOTH_FORMS(portal_sizes),
};
AREA(portals);
