/*
 * iscsi-initiator: shows the disks of a host's targets as files, with the options of NetBSD's
 * iscsi-initiator(8). See docs/libiscsi.md.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "background.h"
#include "disk.h"
#include "iscsi.h"

#define VERSION "0.1.0"

enum { LUNS_TRIED = 32 };

static const char usage[] =
    "usage: iscsi-initiator [-46bcDfnoVv] [-A accounts file] [-a authentication-type]\n"
    "                       [-d digest-type] [-h target-hostname] [-p target-port-number]\n"
    "                       [-t target-number] [-u username] mount_point\n";

struct options {
    iscsi_initiator_t initiator;
    bool discover;
    bool foreground;
    bool others;
    long target; /* -1: all */
    const char *mount_point;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "iscsi-initiator: %s%s%s\n", what, why != NULL ? ": " : "",
            why != NULL ? why : "");
    exit(EXIT_FAILURE);
}

static const char *message(struct options *options)
{
    return iscsi_initiator_getvar(&options->initiator, "error");
}

/* --- options --- */

static void set(struct options *options, const char *name, const char *value)
{
    if (iscsi_initiator_setvar(&options->initiator, name, value) != 1)
        die(message(options), NULL);
}

static void set_target(struct options *options, const char *text)
{
    char *end;

    options->target = strtol(text, &end, 10);
    if (end == text || *end != '\0' || options->target < 0)
        die(text, "not the number of a target");
}

static const char *variable_of(int letter)
{
    switch (letter) {
    case 'A':
        return "authfile";
    case 'a':
        return "auth type";
    case 'd':
        return "digest type";
    case 'h':
        return "target hostname";
    case 'p':
        return "target port";
    case 'u':
        return "user";
    default:
        return NULL;
    }
}

static void obey(struct options *options, int letter)
{
    switch (letter) {
    case '4':
    case '6':
        set(options, "address family", letter == '4' ? "4" : "6");
        break;
    case 'b':
    case 'c':
        die("devices are made by the service; here is only what -f shows", NULL);
        break;
    case 'D':
        options->discover = true;
        break;
    case 'f':
        break;
    case 'n':
        options->foreground = true;
        break;
    case 'o':
        options->others = true;
        break;
    case 't':
        set_target(options, optarg);
        break;
    case 'V':
        printf("iscsi-initiator (iscsidsc) %s\n", VERSION);
        exit(EXIT_SUCCESS);
    case 'v':
        set(options, "debug", "all");
        break;
    default:
        if (variable_of(letter) == NULL)
            die(usage, NULL);
        set(options, variable_of(letter), optarg);
        break;
    }
}

static void read_options(struct options *options, int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "46A:a:bcd:Dfh:nop:t:u:Vv")) != -1)
        obey(options, letter);
    /* As NetBSD's has it: a user means CHAP. */
    if (iscsi_initiator_getvar(&options->initiator, "user") != NULL)
        set(options, "auth type", "chap");
    options->mount_point = argv[optind];
    if (!options->discover && (options->mount_point == NULL || argc != optind + 1))
        die(usage, NULL);
}

/* --- targets --- */

static unsigned target_count(struct options *options)
{
    return (unsigned)strtoul(iscsi_initiator_getvar(&options->initiator, "targets"), NULL, 10);
}

static const char *of_target(struct options *options, const char *what, unsigned number)
{
    char name[48];

    snprintf(name, sizeof name, "target %s %u", what, number);
    return iscsi_initiator_getvar(&options->initiator, name);
}

static void list_targets(struct options *options)
{
    printf("Targets available from host %s:\n",
           iscsi_initiator_getvar(&options->initiator, "target hostname"));
    for (unsigned i = 0; i < target_count(options); i++)
        printf("%s at %s\n", of_target(options, "name", i), of_target(options, "address", i));
}

/* What it is called under the mount point: behind the last colon of its name. */
static const char *short_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL && colon[1] != '\0' ? colon + 1 : name;
}

static void must(bool good)
{
    if (!good)
        die("out of memory", NULL);
}

static void add_links(struct options *options, struct fuse_tree *tree,
                      struct fuse_tree_node *directory, unsigned number, const iscsi_unit_t *unit)
{
    char ip[256];
    char *colon;

    snprintf(ip, sizeof ip, "%s", of_target(options, "address", number));
    colon = strrchr(ip, ':');
    if (colon != NULL)
        *colon = '\0';
    must(fuse_tree_link(tree, directory, "hostname",
                        iscsi_initiator_getvar(&options->initiator, "target hostname")) &&
         fuse_tree_link(tree, directory, "ip", ip) &&
         fuse_tree_link(tree, directory, "targetname", of_target(options, "name", number)) &&
         fuse_tree_link(tree, directory, "vendor", unit->vendor) &&
         fuse_tree_link(tree, directory, "product", unit->product) &&
         fuse_tree_link(tree, directory, "version", unit->version) &&
         (unit->serial[0] == '\0' || fuse_tree_link(tree, directory, "serial", unit->serial)));
}

/* The first disk of a target is "storage", as with NetBSD's; others have their LUN in the name. */
static void add_unit(struct options *options, struct fuse_tree *tree,
                     struct fuse_tree_node **directory, unsigned number, int lun)
{
    iscsi_unit_t unit;
    struct fuse_tree_file file;
    char name[32];

    if (iscsi_initiator_unit(&options->initiator, number, lun, &unit) != 0 || unit.type != 0 ||
        unit.blocks == 0)
        return;
    snprintf(name, sizeof name, *directory == NULL ? "storage" : "storage%d", lun);
    if (*directory == NULL) {
        *directory =
            fuse_tree_directory(tree, NULL, short_name(of_target(options, "name", number)));
        must(*directory != NULL);
        add_links(options, tree, *directory, number, &unit);
    }
    must(disk_file(&options->initiator, number, lun, &unit, &file) &&
         fuse_tree_file(tree, *directory, name, &file));
}

static void add_target(struct options *options, struct fuse_tree *tree, unsigned number)
{
    struct fuse_tree_node *directory = NULL;

    if (iscsi_initiator_discover(&options->initiator, NULL, number, 0) != 0 && errno != ENXIO) {
        fprintf(stderr, "iscsi-initiator: %s\n", message(options));
        return;
    }
    for (int lun = 0; lun < LUNS_TRIED; lun++)
        add_unit(options, tree, &directory, number, lun);
    if (directory == NULL)
        fprintf(stderr, "iscsi-initiator: %s has no disk\n", of_target(options, "name", number));
}

static void add_targets(struct options *options, struct fuse_tree *tree)
{
    unsigned count = target_count(options);

    if (options->target >= 0 && (unsigned long)options->target >= count)
        die("the host has no target of that number", NULL);
    for (unsigned i = 0; i < count; i++) {
        if (options->target < 0 || (unsigned long)options->target == i)
            add_target(options, tree, i);
    }
}

/* --- the file system --- */

static int serve(struct options *options)
{
    struct fuse_tree *tree = fuse_tree_new(NULL);
    int error;

    must(tree != NULL);
    add_targets(options, tree);
    error = fuse_tree_mount(tree, options->mount_point, "iscsi", options->others);
    if (error != 0)
        die(options->mount_point, strerror(error));
    printf("mounted at %s\n", options->mount_point);
    fflush(stdout);
    background_ready();
    error = fuse_tree_serve(tree);
    fuse_tree_free(tree);
    disk_free_all();
    return error;
}

int main(int argc, char **argv)
{
    struct options options = {.target = -1};
    int error = 0;

    if (iscsi_initiator_set_defaults(&options.initiator) != 1)
        die("out of memory", NULL);
    read_options(&options, argc, argv);
    /* Before anything starts a thread: those do not live in a process made by fork. */
    if (!options.discover && !options.foreground)
        background_begin();
    if (iscsi_initiator_start(&options.initiator) != 0 ||
        iscsi_initiator_discover(&options.initiator, NULL, ISCSI_NO_TARGET, 0) != 0)
        die(message(&options), NULL);
    if (options.discover)
        list_targets(&options);
    else
        error = serve(&options);
    iscsi_initiator_shutdown(&options.initiator);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
