#include "service/options.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/system.h"
#include "protocol/text.h"

#include <stdio.h>
#include <string.h>

enum { ON_DEMAND_IDLE = 60 /* seconds */ };

const char options_usage[] =
    "usage: iscsidscd [OPTION]...\n"
    "       iscsidscd reload [OPTION]...\n"
    "Keeps the iSCSI sessions of the programs on this machine.\n"
    "\n"
    "  --foreground       stay attached to the terminal, log to standard error\n"
    "  --state DIRECTORY  keep what lasts there (ISCSIDSC_STATE)\n"
    "  --socket PATH      be reached there (ISCSIDSC_SOCKET)\n"
    "  --idle SECONDS     end when there was nothing to do for so long; 0: never\n"
    "  --on-demand        as programs start it: --idle 60, and no harm when one is running\n"
    "  --syslog           log to the system's log in the foreground, too\n"
    "  --check-config [FILE]\n"
    "                     say whether iscsi.conf, or FILE, is valid and what is not, and end\n"
    "  --install          register as the Windows service MSiSCSI\n"
    "  --uninstall        remove that service\n"
    "  --version, --help\n"
    "\n"
    "\"reload\" has the running service read iscsi.conf again, and says what is wrong with it, as\n"
    "SIGHUP does in the log; SIGTERM logs all sessions out and ends the service.\n";

static bool complain(const char *what, const char *argument)
{
    fprintf(stderr, "iscsidscd: %s: %s\n", argument, what);
    return false;
}

static bool take_idle(struct service_options *options, const char *value)
{
    uint64_t seconds;
    if (!text_number(value, strlen(value), &seconds) || seconds > UINT32_MAX / 1000)
        return complain("not a number of seconds", value);
    options->idle = (uint32_t)seconds;
    return true;
}

/* What the program was given is in the code page of the system on Windows. */
static bool take_path(const char *variable, const char *value)
{
    size_t room = 4 * strlen(value) + 1;
    char *utf8 = os_alloc(room);
    bool good = utf8 != NULL && value[0] != '\0' && os_ansi_to_utf8(value, utf8, room) > 0 &&
                os_set_environment(variable, utf8);
    os_free(utf8);
    return good || complain("not a path", value);
}

static bool take_value(struct service_options *options, const char *name, const char *value)
{
    if (value == NULL)
        return complain("a value is missing", name);
    if (strcmp(name, "--idle") == 0)
        return take_idle(options, value);
    return take_path(strcmp(name, "--state") == 0 ? "ISCSIDSC_STATE" : "ISCSIDSC_SOCKET", value);
}

static bool has_value(const char *name)
{
    return strcmp(name, "--idle") == 0 || strcmp(name, "--state") == 0 ||
           strcmp(name, "--socket") == 0;
}

static bool take_action(struct service_options *options, const char *name)
{
    static const struct {
        const char *name;
        enum service_action action;
    } actions[] = {
        {"--help", ACTION_HELP},           {"--version", ACTION_VERSION},
        {"--check-config", ACTION_CHECK},  {"--install", ACTION_INSTALL},
        {"--uninstall", ACTION_UNINSTALL}, {"--service", ACTION_SERVICE},
        {"reload", ACTION_RELOAD},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(name, actions[i].name) == 0) {
            options->action = actions[i].action;
            return true;
        }
    }
    return complain("no such option (--help shows them)", name);
}

static bool take_switch(struct service_options *options, const char *name)
{
    if (strcmp(name, "--foreground") == 0)
        options->foreground = true;
    else if (strcmp(name, "--syslog") == 0)
        options->system_log = true;
    else if (strcmp(name, "--on-demand") == 0)
        options->on_demand = true;
    else
        return take_action(options, name);
    return true;
}

/* What stands behind --check-config, if that is no option. */
static bool is_file(const struct service_options *options, int i, char **arguments)
{
    return options->action == ACTION_CHECK && arguments[i][0] != '-' &&
           strcmp(arguments[i - 1], "--check-config") == 0;
}

bool options_parse(struct service_options *options, int count, char **arguments)
{
    *options = (struct service_options){.idle = UINT32_MAX};
    for (int i = 1; i < count; i++) {
        if (is_file(options, i, arguments)) {
            options->file = arguments[i];
            continue;
        }
        bool good = has_value(arguments[i])
                        ? take_value(options, arguments[i], i + 1 < count ? arguments[i + 1] : NULL)
                        : take_switch(options, arguments[i]);
        if (!good)
            return false;
        i += has_value(arguments[i]);
    }
    if (options->idle == UINT32_MAX)
        options->idle = options->on_demand ? ON_DEMAND_IDLE : 0;
    return true;
}
