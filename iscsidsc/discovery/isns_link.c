#include "discovery/isns_link.h"
#include "os/memory.h"

#include <string.h>

/* Of a peer that takes nothing: more than this is not kept for it. */
enum { OUTPUT_MOST = 1 << 20 };

bool isns_link_is_open(const struct isns_link *link)
{
    return link->events != NULL;
}

/* --- receiving --- */

static bool grow(struct isns_link *link, size_t length)
{
    if (length <= link->room)
        return true;
    size_t room = link->room > 0 ? link->room : 1024;
    while (room < length)
        room *= 2;
    uint8_t *payload = os_grow(link->payload, room);
    if (payload == NULL)
        return false;
    link->payload = payload;
    link->room = room;
    return true;
}

/* The header has come: makes room for its payload. */
static enum status begin_pdu(struct isns_link *link)
{
    struct isns_header header;
    bool first = !link->fragments.open;
    enum status status = isns_decode_header(link->header, &header);
    if (status == STATUS_OK)
        status = isns_take_header(&link->fragments, &header, link->most, &link->complete);
    if (status != STATUS_OK)
        return status;
    if (first)
        link->length = 0;
    return grow(link, link->fragments.length) ? STATUS_OK : STATUS_NO_MEMORY;
}

static struct iov wanted(struct isns_link *link)
{
    if (link->header_length < ISNS_HEADER_LENGTH)
        return (struct iov){link->header + link->header_length,
                            ISNS_HEADER_LENGTH - link->header_length};
    return (struct iov){link->payload + link->length, link->fragments.length - link->length};
}

/* Reads until the PDU under way is there (true) or nothing more comes at the moment. */
static bool read_pdu(struct isns_link *link, enum status *status)
{
    *status = STATUS_OK;
    while (link->header_length < ISNS_HEADER_LENGTH || link->length < link->fragments.length) {
        struct iov piece = wanted(link);
        long got = os_receive(link->watch.socket, &piece, 1, status);
        if (got <= 0)
            return false;
        if (link->header_length == ISNS_HEADER_LENGTH) {
            link->length += (size_t)got;
            continue;
        }
        link->header_length += (size_t)got;
        if (link->header_length == ISNS_HEADER_LENGTH)
            *status = begin_pdu(link);
        if (*status != STATUS_OK)
            return false;
    }
    link->header_length = 0;
    return true;
}

/* One message a turn: the link may be gone when it has been told. */
static void receive(struct isns_link *link)
{
    enum status status;
    while (read_pdu(link, &status)) {
        if (link->complete) {
            const struct isns_header header = link->fragments.last;
            link->events->message(link, &header, link->payload, link->length);
            return;
        }
    }
    if (status != STATUS_OK)
        link->events->failed(link, status);
}

/* --- sending --- */

static void flush(struct isns_link *link)
{
    while (link->output_sent < link->output_length) {
        struct iov piece = {link->output + link->output_sent,
                            link->output_length - link->output_sent};
        enum status status;
        long sent = os_send(link->watch.socket, &piece, 1, &status);
        if (sent <= 0) {
            /* Receiving finds out what is wrong, and that it is writable again. */
            os_watch_events(&link->watch, sent == 0 ? OS_READABLE | OS_WRITABLE : OS_READABLE);
            return;
        }
        link->output_sent += (size_t)sent;
    }
    link->output_length = link->output_sent = 0;
    os_watch_events(&link->watch, OS_READABLE);
}

bool isns_link_send(struct isns_link *link, const uint8_t *bytes, size_t length)
{
    if (length > OUTPUT_MOST - link->output_length)
        return false;
    uint8_t *output = os_grow(link->output, link->output_length + length);
    if (output == NULL)
        return false;
    link->output = output;
    memcpy(output + link->output_length, bytes, length);
    link->output_length += length;
    flush(link);
    return true;
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct isns_link *link = LIST_OWNER(watch, struct isns_link, watch);
    if (events & OS_WRITABLE)
        flush(link);
    if (events & OS_READABLE)
        receive(link);
}

/* --- the beginning and the end --- */

bool isns_link_open(struct isns_link *link, struct os_loop *loop, os_socket socket,
                    const struct isns_link_events *events, size_t most)
{
    *link = (struct isns_link){.events = events, .most = most};
    link->watch.socket = socket;
    link->watch.ready = on_ready;
    if (os_watch_start(loop, &link->watch, OS_READABLE))
        return true;
    isns_link_close(link);
    return false;
}

void isns_link_close(struct isns_link *link)
{
    if (!isns_link_is_open(link))
        return;
    os_watch_stop(&link->watch);
    os_close(link->watch.socket);
    os_free(link->payload);
    os_free(link->output);
    *link = (struct isns_link){0};
}
