/* What clients know of the example plugin. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#define EXAMPLE_VENDOR      "An Example"
#define EXAMPLE_NODE_NAME   "iqn.2026-11.org.example:plugin"
#define EXAMPLE_TARGET_NAME "iqn.2026-11.org.example:plugin.target"

enum { EXAMPLE_LHBAS = 1, EXAMPLE_TARGETS = 2 };

/* Commands of its ioctl. The reports take an OID as input, or nothing: its first target. */
enum {
    EXAMPLE_ECHO = 1, /* returns the input */
    EXAMPLE_REPORT_APPEARANCE,
    EXAMPLE_REPORT_DISAPPEARANCE,
    EXAMPLE_REPORT_PROPERTY,
    EXAMPLE_DISAGREE, /* on the name of the shared node */
    EXAMPLE_REFUSE,   /* names and aliases for it */
    EXAMPLE_ACCEPT
};

#endif
