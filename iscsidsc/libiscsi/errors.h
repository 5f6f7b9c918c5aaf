/* Outcomes as errno tells them. */
#ifndef LIBISCSI_ERRORS_H
#define LIBISCSI_ERRORS_H

#include "protocol/status.h"

#include <stdbool.h>

/* For the test: does the table know it? */
bool error_has_row(enum status status);
/* 0 for STATUS_OK. */
int error_of_status(enum status status);

/* Sets errno to an error that is not 0. Returns `good`, or -1. */
int error_return(int error, int good);

#endif
