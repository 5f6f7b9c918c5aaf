/* iscsi-ls: lists the targets that the service is logged in to, and their units. */
#include "door/door.h"
#include "ls/ls.h"
#include "os/process.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: iscsi-ls [OPTION]...\n"
                            "Lists the iSCSI targets that this machine is logged in to.\n"
                            "\n"
                            "  -l  their logical units, too, and the devices made of them\n"
                            "  -v  what the parameters have become, and where each is from\n"
                            "  -j  the sessions and units as JSON\n"
                            "  -V  the version of this program\n"
                            "  -h  this text\n";

struct options {
    bool details, effective, json, version, help;
};

static bool *option_of(struct options *options, char letter)
{
    switch (letter) {
    case 'l':
        return &options->details;
    case 'v':
        return &options->effective;
    case 'j':
        return &options->json;
    case 'V':
        return &options->version;
    case 'h':
        return &options->help;
    default:
        return NULL;
    }
}

/* Letters may stand together, as in -lj. */
static bool take_options(struct options *options, int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        const char *word = arguments[i];
        if (strcmp(word, "--help") == 0)
            word = "-h";
        if (strcmp(word, "--version") == 0)
            word = "-V";
        bool good = word[0] == '-' && word[1] != '\0';
        for (const char *letter = word + 1; good && *letter != '\0'; letter++) {
            bool *option = option_of(options, *letter);
            good = option != NULL;
            if (good)
                *option = true;
        }
        if (!good) {
            fprintf(stderr, "iscsi-ls: %s: no such option\n%s", arguments[i], usage);
            return false;
        }
    }
    return true;
}

/* Who only wants to look starts no service, and no engine of his own that could know nothing. */
static enum status ask(struct reply_get_status *reply, struct ls_effective *effective,
                       struct os_arena *arena)
{
    char mode[16];
    const struct request_get_status request = {0};
    if (!os_environment("ISCSIDSC_SERVICE", mode, sizeof mode))
        os_set_environment("ISCSIDSC_SERVICE", "require");
    enum status status = door_call(OPERATION_get_status, &request, reply, arena);
    if (status == STATUS_OK && effective != NULL)
        status = ls_effective_ask(effective, &reply->sessions, arena);
    return status;
}

static int list(const struct options *options)
{
    struct os_arena arena = {0};
    struct reply_get_status reply;
    struct ls_effective found, *effective = options->effective ? &found : NULL;
    enum status status = ask(&reply, effective, &arena);
    if (status != STATUS_OK) {
        fprintf(stderr, "iscsi-ls: %s\n", status_text(status));
        os_arena_clear(&arena);
        return 1;
    }
    if (options->json)
        ls_print_json(&reply, effective);
    else
        ls_print(&reply, effective, options->details);
    os_arena_clear(&arena);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int main(int count, char **arguments)
{
    struct options options = {0};
    if (!take_options(&options, count, arguments))
        return 2;
    if (options.help)
        fputs(usage, stdout);
    else if (options.version)
        puts("iscsi-ls " ISCSIDSC_VERSION);
    else
        return list(&options);
    return 0;
}
