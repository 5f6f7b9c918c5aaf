/* What was shown for which export, the holes, and the file that tells it. */
#include "matrix.h"

#include <stdlib.h>

enum { EXPORTS_MAX = 80, ERRORS_MAX = 1024 };

struct shown {
    const char *name;
    const char *parameters;
    bool columns[COLUMN_COUNT];
};

static struct shown exports[EXPORTS_MAX] = {
#define PROTOTYPE(name, parameters) {#name, parameters, {0}},
#include "prototypes.inc"
#undef PROTOTYPE
    {"DllMain", "", {0}},
};

static const char *const column_names[] = {
#define COLUMN_NAME(name, text) text,
    COLUMNS(COLUMN_NAME)
#undef COLUMN_NAME
};

static struct {
    const char *name;
    const char *code;
} errors[ERRORS_MAX];
static size_t error_count;

static struct shown *find(const char *name)
{
    for (size_t i = 0; i < EXPORTS_MAX; i++) {
        if (exports[i].name != NULL && strcmp(exports[i].name, name) == 0)
            return &exports[i];
    }
    fail_msg("there is no export %s", name);
    return exports;
}

void matrix_note(const char *export_name, enum column column)
{
    find(export_name)->columns[column] = true;
}

void matrix_note_error(const char *export_name, const char *code)
{
    find(export_name);
    for (size_t i = 0; i < error_count; i++) {
        if (strcmp(errors[i].name, export_name) == 0 && strcmp(errors[i].code, code) == 0)
            return;
    }
    if (error_count == ERRORS_MAX)
        fail_msg("too many errors");
    errors[error_count].name = export_name;
    errors[error_count++].code = code;
}

/* ------------------------------------------------------------ what is asked */

/* Nothing else tells what they set or give; what they do is shown by what follows from it. */
static const char *const without_readback[] = {
    "GetIScsiVersionInformation",
    "SendScsiInquiry",
    "SendScsiReadCapacity",
    "SendScsiReportLuns",
    "SetIScsiGroupPresharedKey",
    "SetIScsiTunnelModeOuterAddressA",
    "SetIScsiTunnelModeOuterAddressW",
    "DllMain",
};

static bool has_other_form(const char *name)
{
    char other[64];
    size_t length = strlen(name);
    if (name[length - 1] != 'A' && name[length - 1] != 'W')
        return false;
    snprintf(other, sizeof other, "%.*s%c", (int)(length - 1), name,
             name[length - 1] == 'A' ? 'W' : 'A');
    for (size_t i = 0; i < EXPORTS_MAX; i++) {
        if (exports[i].name != NULL && strcmp(exports[i].name, other) == 0)
            return true;
    }
    return false;
}

static bool has_kind(const struct shown *shown, const char *kinds)
{
    for (const char *at = strchr(shown->parameters, ':'); at != NULL; at = strchr(at + 1, ':')) {
        if (strchr(kinds, at[1]) != NULL)
            return true;
    }
    return false;
}

static bool applies(const struct shown *shown, enum column column)
{
    switch (column) {
    case COLUMN_NULLS:
        return has_kind(shown, "ps");
    case COLUMN_SIZES:
        return has_kind(shown, "s");
    case COLUMN_FORMS:
        return has_other_form(shown->name);
    case COLUMN_GARBAGE:
        return has_kind(shown, "124s");
    case COLUMN_READBACK:
        for (size_t i = 0; i < sizeof without_readback / sizeof *without_readback; i++) {
            if (strcmp(without_readback[i], shown->name) == 0)
                return false;
        }
        return true;
    default:
        return true;
    }
}

static bool in_this_library(const char *name)
{
#ifdef _WIN32
    (void)name;
    return true;
#else
    return strcmp(name, "DllMain") != 0;
#endif
}

static const char *verdict(const struct shown *shown, enum column column)
{
    if (!in_this_library(shown->name) || !applies(shown, column))
        return "-";
    return shown->columns[column] ? "yes" : "no";
}

/* ------------------------------------------------------------------ results */

static void write_results(int failures)
{
    char path[1024];
    const char *directory = getenv("TEST_DIR");
    snprintf(path, sizeof path, "%s/results.csv", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    fprintf(file, "failures,tests,%d\n", failures);
    for (size_t i = 0; i < EXPORTS_MAX; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            fprintf(file, "%s,%s,%s\n", exports[i].name, column_names[column],
                    verdict(&exports[i], (enum column)column));
    }
    for (size_t i = 0; i < error_count; i++)
        fprintf(file, "%s,error,%s\n", errors[i].name, errors[i].code);
    fclose(file);
}

static void no_export_has_a_hole(void **state)
{
    unsigned holes = 0;
    (void)state;
    for (size_t i = 0; i < EXPORTS_MAX; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            if (strcmp(verdict(&exports[i], (enum column)column), "no") != 0)
                continue;
            print_error("    %s: %s was not shown\n", exports[i].name, column_names[column]);
            holes++;
        }
    }
    assert_int_equal(holes, 0);
}

/* -------------------------------------------------------------------- tests */

extern const struct matrix_area settings_area, portals_area, targets_area, sessions_area,
    persistent_area, servers_area, ipsec_area, devices_area, connections_area, scsi_area;

static const struct matrix_area *const areas[] = {
    &settings_area,   &portals_area, &targets_area, &sessions_area, &connections_area,
    &persistent_area, &servers_area, &ipsec_area,   &devices_area,  &scsi_area,
};

/* No test waits as long as Windows' defaults would have it. */
static int set_deadlines(void **state)
{
    (void)state;
    char path[1024];
    const char *directory = getenv("ISCSIDSC_STATE");
    snprintf(path, sizeof path, "%s/iscsi.conf", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    fprintf(file, "MaxRequestHoldTime = 1\nRadiusTimeout = 1\nWMIRequestTimeout = 4\n");
    return fclose(file);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[512];
    size_t count = 0;
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        bool wanted = argc < 2 || strcmp(argv[1], areas[i]->name) == 0;
        for (size_t t = 0; wanted && t < areas[i]->count; t++) {
            tests[count].name = areas[i]->tests[t].name;
            tests[count].test_func = areas[i]->tests[t].run;
            tests[count++].setup_func = matrix_clean;
        }
    }
    if (argc < 2) {
        tests[count].name = "no_export_has_a_hole";
        tests[count++].test_func = no_export_has_a_hole;
    }
    int failures = _cmocka_run_group_tests("msapi matrix", tests, count, set_deadlines, NULL);
    write_results(failures);
    return failures;
}
