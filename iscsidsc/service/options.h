/* The command line of iscsidscd. */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum service_action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_CHECK,     /* --check-config */
    ACTION_RELOAD,    /* reload: of the running service */
    ACTION_INSTALL,   /* --install: as a Windows service */
    ACTION_UNINSTALL, /* --uninstall */
    ACTION_SERVICE,   /* --service: run by Windows' service control manager */
};

struct service_options {
    enum service_action action;
    const char *file; /* with ACTION_CHECK; NULL: the one that is read otherwise */
    bool foreground;
    bool on_demand;
    bool system_log;
    uint32_t idle; /* seconds, 0: never */
};

extern const char options_usage[];

/* --state and --socket go to the environment. False: not understood, and standard error says what.
 */
bool options_parse(struct service_options *options, int count, char **arguments);

#endif
