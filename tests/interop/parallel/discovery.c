/* Portals: three of each worker's own, at which nobody listens, and one that they all add and
 * remove. */
#include "parallel.h"

/* What a list tells of the worker's own portals, and of those that all share. */
struct seen {
    ULONG versions[OWNED];
    unsigned main;
    unsigned shared;
};

static bool see(struct worker *worker, struct seen *seen, unsigned owner, unsigned index,
                ULONG version)
{
    if (owner != worker->number)
        return true;
    if (seen->versions[index] != 0)
        return wrong(worker, "portal %u is in the list twice", index);
    seen->versions[index] = version;
    return true;
}

static bool check_seen(struct worker *worker, const struct seen *seen)
{
    if (seen->main != 1 || seen->shared > 1)
        return wrong(worker, "%u main and %u shared portals in the list", seen->main, seen->shared);
    for (unsigned i = 0; i < OWNED; i++) {
        ULONG expected = worker->portals[i].listed ? worker->portals[i].version : 0;
        if (seen->versions[i] != expected)
            return wrong(worker, "portal %u has version %lu instead of %lu", i,
                         (unsigned long)seen->versions[i], (unsigned long)expected);
    }
    return true;
}

/* Bits that mean nothing. */
static ISCSI_SECURITY_FLAGS flags_of(ULONG version)
{
    return (ISCSI_SECURITY_FLAGS)version << 32;
}

/* No digest, no authentication: they would go into the discovery session. */
static ISCSI_LOGIN_OPTIONS versioned_options(ULONG version)
{
    static UCHAR user[] = "somebody";
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_USERNAME | ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS |
        ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_WAIT | ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_RETAIN;
    options.Username = user;
    options.UsernameLength = 1 + version % (sizeof user - 1);
    options.MaximumConnections = 1 + version % 1000;
    options.DefaultTime2Wait = version % 3000;
    options.DefaultTime2Retain = version % 2000;
    return options;
}

static bool options_are(const ISCSI_LOGIN_OPTIONS *options, ULONG version)
{
    ISCSI_LOGIN_OPTIONS expected = versioned_options(version);
    return options->InformationSpecified == expected.InformationSpecified &&
           options->UsernameLength == expected.UsernameLength &&
           memcmp(options->Username, expected.Username, expected.UsernameLength) == 0 &&
           options->MaximumConnections == expected.MaximumConnections &&
           options->DefaultTime2Wait == expected.DefaultTime2Wait &&
           options->DefaultTime2Retain == expected.DefaultTime2Retain;
}

#define FORM_FILE "parallel/discovery.inc"
#include "../msapi_forms.h"

#define BOTH(function)                                                                             \
    {#function "A", function##A},                                                                  \
    {                                                                                              \
#function "W", function##W                                                                 \
    }

const struct action discovery_actions[] = {BOTH(add_own_portal),       BOTH(remove_own_portal),
                                           BOTH(refresh_portals),      BOTH(add_shared_portal),
                                           BOTH(remove_shared_portal), BOTH(list_portals_ex),
                                           BOTH(list_portals),         {NULL, NULL}};

bool final_portals(struct worker *workers)
{
    ULONG expected = 0;
    struct report report;
    for (unsigned i = 0; i < WORKERS; i++) {
        list_portals_exA(&workers[i]);
        for (unsigned k = 0; k < OWNED; k++)
            expected += workers[i].portals[k].listed;
    }
    if (!fetch(workers, ask_portals_exA, NULL, 1, &report))
        return false;
    if (report.count != expected + 1 && report.count != expected + 2) /* main, maybe shared */
        return wrong(workers, "%lu portals at the end instead of %lu", (unsigned long)report.count,
                     (unsigned long)expected);
    return true;
}
