/* iscsidscd: keeps the iSCSI sessions of the programs on this machine. */
#include "os/process.h"
#include "service/service.h"

#include <stdio.h>

static struct service_options options;

static int report(const char *what, enum status status)
{
    if (status == STATUS_OK) {
        printf("The service %s was %s.\n", SERVICE_NAME, what);
        return 0;
    }
    fprintf(stderr, "iscsidscd: the service %s was not %s: %s\n", SERVICE_NAME, what,
            status_text(status));
    return 1;
}

static int run_as_service(void)
{
    return service_run(&options);
}

static int act(void)
{
    switch (options.action) {
    case ACTION_HELP:
        fputs(options_usage, stdout);
        return 0;
    case ACTION_VERSION:
        puts("iscsidscd " ISCSIDSC_VERSION);
        return 0;
    case ACTION_CHECK:
        return service_check(options.file);
    case ACTION_RELOAD:
        return service_reload();
    case ACTION_INSTALL:
        return report("installed",
                      os_service_install(SERVICE_NAME, "iSCSI initiator service", "--service"));
    case ACTION_UNINSTALL:
        return report("removed", os_service_uninstall(SERVICE_NAME));
    case ACTION_SERVICE:
        return report("run", os_service_run(SERVICE_NAME, run_as_service));
    default:
        os_raise_limits();
        return service_run(&options);
    }
}

int main(int count, char **arguments)
{
    if (options_parse(&options, count, arguments))
        return act();
    return 2;
}
