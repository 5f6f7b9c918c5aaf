/* What the samples share. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "ima.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Ends the program when a call has failed. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        IMA_STATUS status_ = (call);                                                               \
        if (IMA_ERROR(status_)) {                                                                  \
            fprintf(stderr, "%s: 0x%08X\n", #call, (unsigned)status_);                             \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

#endif
