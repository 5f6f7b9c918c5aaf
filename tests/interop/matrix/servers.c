/* iSNS and RADIUS servers. */
#include "matrix.h"
static void nothing(void **state)
{
    (void)state;
}
static const struct matrix_test tests[] = {ONE_FORM(nothing)};
AREA(servers);
