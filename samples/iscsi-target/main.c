/*
 * iscsi-target: serves the targets of a targets file, with the options of NetBSD's iscsi-target(8).
 * See docs/libiscsi.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi.h"
#include "platform.h"

#define VERSION "0.1.0"

static const char usage[] =
    "usage: iscsi-target [-46DV] [-b block length] [-f configuration file] [-p port number]\n"
    "                    [-s maximum number of sessions] [-t target name] [-v verbose arg]\n"
    "                    [-a address] [-A accounts file] [-P pid file]\n";

struct options {
    iscsi_target_t target;
    bool foreground;
    const char *pidfile; /* NULL: the usual one */
};

static void set(struct options *options, const char *name, const char *value)
{
    if (iscsi_target_setvar(&options->target, name, value) == 1)
        return;
    fprintf(stderr, "iscsi-target: %s\n", iscsi_target_getvar(&options->target, "error"));
    exit(EXIT_FAILURE);
}

/* NetBSD's: what is set by each letter. */
static const char *variable_of(int letter)
{
    switch (letter) {
    case 'A':
        return "authfile";
    case 'a':
        return "listen address";
    case 'b':
        return "blocklen";
    case 'f':
        return "configfile";
    case 'p':
        return "target port";
    case 's':
        return "max sessions";
    case 't':
        return "iqn";
    case 'v':
        return "debug";
    default:
        return NULL;
    }
}

static void obey(struct options *options, int letter, const char *argument)
{
    switch (letter) {
    case '4':
    case '6':
        set(options, "address family", letter == '4' ? "4" : "6");
        break;
    case 'D':
        options->foreground = true;
        break;
    case 'P':
        options->pidfile = argument;
        break;
    case 'V':
        printf("iscsi-target (iscsidsc) %s\n", VERSION);
        exit(EXIT_SUCCESS);
    case 'A':
        set(options, "auth type", "chap");
        set(options, "authfile", argument);
        break;
    default:
        if (variable_of(letter) == NULL) {
            fputs(usage, stderr);
            exit(EXIT_FAILURE);
        }
        set(options, variable_of(letter), argument);
        break;
    }
}

/* On a thread of its own: somebody wants the program to end. */
static void end(void *argument)
{
    struct options *options = argument;

    iscsi_target_shutdown(&options->target);
}

int main(int argc, char **argv)
{
    struct options options = {.foreground = false};
    int letter;

    if (iscsi_target_set_defaults(&options.target) != 1)
        return EXIT_FAILURE;
    while ((letter = platform_option(argc, argv, "46A:a:b:Df:P:p:s:t:Vv:")) != -1)
        obey(&options, letter, platform_argument());
    if (iscsi_target_start(&options.target) != 0) {
        fprintf(stderr, "iscsi-target: %s\n", iscsi_target_getvar(&options.target, "error"));
        return EXIT_FAILURE;
    }
    printf("listening at %s\n", iscsi_target_getvar(&options.target, "target address"));
    fflush(stdout);
    if (!options.foreground && !platform_daemon()) {
        fprintf(stderr, "iscsi-target: cannot leave the terminal: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (!options.foreground || options.pidfile != NULL)
        iscsi_target_write_pidfile(options.pidfile);
    if (!platform_at_end(end, &options))
        return EXIT_FAILURE;
    if (iscsi_target_listen(&options.target) != 0)
        return EXIT_FAILURE;
    platform_wait_for_end();
    return EXIT_SUCCESS;
}
