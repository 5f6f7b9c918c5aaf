#include "engine/adapter.h"
#include "os/memory.h"
#include "os/system.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESSES_MOST = 1024 };

bool adapter_any(const char *initiator)
{
    return initiator == NULL || initiator[0] == '\0';
}

/* The order of the interfaces may change from call to call: that of the addresses does not. */
static int compare(const void *left, const void *right)
{
    const struct os_address *a = left;
    const struct os_address *b = right;
    int order = (int)os_address_is_ipv6(a) - (int)os_address_is_ipv6(b);
    return order != 0 ? order : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* The ports' addresses, to be freed. NULL: out of memory. */
static struct os_address *list_ports(size_t *count)
{
    struct os_address *addresses = os_alloc(ADDRESSES_MOST * sizeof *addresses);
    *count = addresses != NULL ? os_local_addresses(addresses, ADDRESSES_MOST) : 0;
    if (addresses != NULL)
        qsort(addresses, *count, sizeof *addresses, compare);
    return addresses;
}

static enum status find_port(uint32_t port, struct os_address *source)
{
    size_t count;
    struct os_address *addresses = list_ports(&count);
    if (addresses == NULL)
        return STATUS_NO_MEMORY;
    enum status status = port < count ? STATUS_OK : STATUS_INVALID_PORT;
    if (status == STATUS_OK)
        *source = addresses[port];
    os_free(addresses);
    return status;
}

enum status adapter_ports(const struct os_address *source, uint32_t *first, uint32_t *end)
{
    size_t count;
    struct os_address *addresses = list_ports(&count);
    if (addresses == NULL)
        return STATUS_NO_MEMORY;
    *first = 0;
    *end = (uint32_t)count;
    if (source != NULL) {
        while (*first < *end && !os_address_same_host(source, &addresses[*first]))
            ++*first;
        *end = *first < *end ? *first + 1 : *first;
    }
    os_free(addresses);
    return STATUS_OK;
}

enum status adapter_source(const char *initiator, uint32_t port, struct os_address *source,
                           bool *has_source)
{
    *has_source = false;
    if (adapter_any(initiator))
        return port == ANY_INITIATOR_PORT ? STATUS_OK : STATUS_INVALID_PARAMETER;
    if (!name_equal(initiator, INITIATOR_INSTANCE))
        return STATUS_INITIATOR_NOT_FOUND;
    if (port == ANY_INITIATOR_PORT)
        return STATUS_OK;
    enum status status = find_port(port, source);
    *has_source = status == STATUS_OK;
    return status;
}
