/* What the parameters of iscsi.conf have become, and where each value is from. */
#ifndef ENGINE_EFFECTIVE_PARAMETERS_H
#define ENGINE_EFFECTIVE_PARAMETERS_H

/* Travels: never change a number. */
enum effective_source {
    EFFECTIVE_DEFAULT = 0,
    EFFECTIVE_FILE = 1,    /* iscsi.conf */
    EFFECTIVE_ADAPTER = 2, /* set for the adapter through the management API */
    EFFECTIVE_TARGET = 3,  /* the same for the target */
    EFFECTIVE_OPTIONS = 4, /* login options of the static target, or of the portal that found it */
};

#endif
