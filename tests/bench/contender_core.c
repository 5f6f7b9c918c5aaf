/* The initiator core on an event loop of this thread: no door, no second thread. */
#include "contender.h"

#include "discovery/sendtargets.h"
#include "os/crypto.h"
#include "os/memory.h"
#include "protocol/name.h"

#include <stdio.h>
#include <string.h>

static struct os_loop *loop;
static struct link_base base;
static enum status outcome;
static struct contact *contact;
static int found;

static void on_event(void *context, enum status status)
{
    (void)context;
    outcome = status;
    os_loop_stop(loop);
}

static const struct contact_events events = {.ready = on_event, .over = on_event};

static int check(const char *what)
{
    if (outcome == STATUS_OK)
        return 0;
    fprintf(stderr, "core: %s: %s\n", what, status_text(outcome));
    return -1;
}

static struct session_settings settings_for(const char *target)
{
    return (struct session_settings){
        .initiator_name = "iqn.2026-11.org.example:bench",
        .target_name = target,
        .discovery = !target,
        .isid = {0x40, 0, 1, 0x37, 0, 1},
        .offers = {.header_digest = "None,CRC32C",
                   .data_digest = "None,CRC32C",
                   .max_recv_data_segment_length = 262144,
                   .max_connections = 1,
                   .immediate_data = true,
                   .max_burst_length = 262144,
                   .first_burst_length = 65536,
                   .default_time2wait = 2,
                   .default_time2retain = 20,
                   .max_outstanding_r2t = 16,
                   .data_pdu_in_order = true,
                   .data_sequence_in_order = true},
        .timeouts = {.login = 10000, .command = 10000, .logout = 10000},
    };
}

static int prepare(const char *portal_text, struct portal_address *portal)
{
    if (!loop) {
        loop = os_loop_new();
        if (!loop || !link_base_open(&base, loop))
            return -1;
    }
    return portal_parse(portal_text, strlen(portal_text), false, false, portal) == STATUS_OK ? 0
                                                                                             : -1;
}

static int log_in(const char *portal_text, const char *target)
{
    struct session_settings session = settings_for(target);
    struct portal_address portal;
    struct contact_settings settings = {
        .session = &session, .portal = &portal, .connect_timeout = 10000};

    if (prepare(portal_text, &portal) != 0)
        return -1;
    contact = contact_open(&base, &settings, CONTACT_FIRST_CID, &events, NULL);
    if (!contact)
        return -1;
    os_loop_run(loop);
    return check("login");
}

static int log_out(void)
{
    contact_logout(contact);
    os_loop_run(loop);
    contact_close(contact);
    return check("logout");
}

static int login_logout(const char *portal, const char *target)
{
    return log_in(portal, target) == 0 ? log_out() : -1;
}

static void on_found(void *context, enum status status, const struct discovery_records *records)
{
    const char *last = "";

    (void)context;
    outcome = status;
    found = 0;
    for (size_t i = 0; status == STATUS_OK && i < records->count; i++) {
        if (strcmp(last, records->items[i].target) != 0)
            found++;
        last = records->items[i].target;
    }
    os_loop_stop(loop);
}

static int discover(const char *portal_text)
{
    struct session_settings session = settings_for(NULL);
    struct portal_address portal;
    struct contact_settings settings = {
        .session = &session, .portal = &portal, .connect_timeout = 10000};
    struct discovery *discovery;

    if (prepare(portal_text, &portal) != 0)
        return -1;
    discovery = discovery_start(&base, &settings, on_found, NULL);
    if (!discovery)
        return -1;
    os_loop_run(loop);
    discovery_free(discovery);
    return check("discovery") == 0 ? found : -1;
}

static void on_done(struct task *task)
{
    outcome = task->status;
    os_loop_stop(loop);
}

static int inquiry(void)
{
    static uint8_t data[255];
    struct iov piece = {data, sizeof data};
    struct task task = {
        .data_in = &piece, .data_in_count = 1, .data_in_length = sizeof data, .done = on_done};

    scsi_inquiry(&task.cdb, 0, 0, sizeof data);
    contact_hold(contact);
    session_submit(contact_session(contact), &task, os_now());
    contact_release(contact);
    os_loop_run(loop);
    return check("inquiry");
}

const struct contender contender_core = {
    "iscsidsc core", login_logout, discover, log_in, inquiry, log_out,
};
