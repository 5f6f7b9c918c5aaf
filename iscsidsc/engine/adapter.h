/* The one initiator instance, and its ports: the local addresses a connection can come from. */
#ifndef ENGINE_ADAPTER_H
#define ENGINE_ADAPTER_H

#include "engine/model.h"

/* The SCSI port that the sessions' buses belong to, and its name as a device. */
#define ADAPTER_SCSI_PORT 3
#define ADAPTER_DEVICE    "\\\\.\\Scsi3:"

/* NULL and "" stand for any instance. */
bool adapter_any(const char *initiator);

/*
 * May a login or discovery use this instance and port? The port is the index of a local address,
 * which `source` then gets. INITIATOR_NOT_FOUND; INVALID_PORT; INVALID_PARAMETER: a port without an
 * instance.
 */
enum status adapter_source(const char *initiator, uint32_t port, struct os_address *source,
                           bool *has_source);

/* The ports from `first` up to `end` that connections from there come from; NULL: any. NO_MEMORY.
 */
enum status adapter_ports(const struct os_address *source, uint32_t *first, uint32_t *end);

#endif
