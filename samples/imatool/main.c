#include "imatool.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int count, char **arguments);
    int least, most; /* arguments */
    const char *usage;
} commands[] = {
    {"library", library, 0, 0, "library"},
    {"list", list, 0, 2, "list [KIND [OBJECT]]          of an object: what belongs to it"},
    {"show", show, 1, 1, "show OBJECT"},
    {"statistics", statistics, 1, 1, "statistics OBJECT"},
    {"get", get, 2, 2, "get OBJECT PARAMETER"},
    {"set", set, 2, 8,
     "set OBJECT PARAMETER VALUE...\n"
     "    lhba, target: data-pdu-in-order, data-sequence-in-order, immediate-data, initial-r2t "
     "on|off\n"
     "        time2retain, time2wait, error-recovery-level, first-burst, max-burst, "
     "max-connections,\n"
     "        max-r2t, max-receive-segment NUMBER\n"
     "    lhba: methods none|chap|srp|krb5|spkm1|spkm2 ...; chap NAME [SECRET]; srp NAME\n"
     "    lhba, phba: isns off|dhcp|slp|HOST; slp, static on|off; sendtargets on|off (target, "
     "too)\n"
     "    node: name NAME; alias [TEXT]\n"
     "    pnp: dhcp on|off; mask, gateway ADDRESS; dns [ADDRESS [ADDRESS]]      portal: address "
     "ADDRESS\n"
     "    phba, pnp, target, lu: statistics on|off"},
    {"add", add, 2, 4,
     "add address HOST[:PORT] [LHBA|PNP]\n  imatool add static NAME HOST[:PORT][,TAG] [LHBA|PNP]"},
    {"remove", remove_object, 1, 1, "remove address:HOST:PORT|static:NAME"},
    {"expose", expose, 1, 1, "expose LU"},
    {"unexpose", unexpose, 1, 1, "unexpose LU"},
    {"inquiry", inquiry, 1, 3, "inquiry TARGET|LU [PAGE [cmddt]]    PAGE: hexadecimal"},
    {"capacity", capacity, 1, 2, "capacity TARGET|LU [10|16]"},
    {"luns", luns, 1, 3, "luns TARGET|LU [SELECT [well-known]]"},
    {"clean", clean, 0, 1,
     "clean [LHBA]                  forgets what is kept for targets that are gone"},
    {"image", image, 2, 2, "image PHBA FILE"},
    {"download", download, 3, 3, "download PHBA firmware|option-rom|all FILE"},
    {"command", command, 2, 3, "command PLUGIN NUMBER [TEXT]"},
    {"generate-name", generate_name, 0, 0, "generate-name"},
    {"watch", watch, 0, 1, "watch [SECONDS]               tells of events"},
};

static int usage(FILE *to)
{
    fputs("usage:\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  imatool %s\n", commands[i].usage);
    fputs("objects: plugin:0 node node:0 lhba:0 phba:0 lnp:0 pnp:0 portal:0\n"
          "         target:NAME lu:NAME/LUN address:HOST:PORT static:NAME\n",
          to);
    return EXIT_USAGE;
}

int main(int count, char **arguments)
{
    if (count < 2)
        return usage(stderr);
    if (strcmp(arguments[1], "help") == 0 || strcmp(arguments[1], "--help") == 0) {
        usage(stdout);
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(arguments[1], commands[i].name) != 0)
            continue;
        if (count - 2 < commands[i].least || count - 2 > commands[i].most) {
            fprintf(stderr, "usage: imatool %s\n", commands[i].usage);
            return EXIT_USAGE;
        }
        return commands[i].run(count - 2, arguments + 2);
    }
    return usage(stderr);
}
