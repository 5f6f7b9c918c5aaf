/* The initiator core on an event loop of this thread. */
#include "io.h"

#include "discovery/contact.h"
#include "os/memory.h"
#include "protocol/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct task task;
    struct iov piece;
    struct contact *contact;
};

static struct os_loop *loop;
static struct link_base base;
static const struct io_job *job;
static struct contact **contacts;
static struct slot *slots;
static uint64_t to_start, under_way;
static enum status outcome;

static int check(const char *what)
{
    if (outcome == STATUS_OK)
        return 0;
    fprintf(stderr, "core: %s: %s\n", what, status_text(outcome));
    return -1;
}

static void on_event(void *context, enum status status)
{
    (void)context;
    outcome = status;
    os_loop_stop(loop);
}

static const struct contact_events events = {.ready = on_event, .over = on_event};

static struct session_settings settings_of(uint16_t qualifier)
{
    const char *digest = job->digests ? "CRC32C" : "None";

    return (struct session_settings){
        .initiator_name = "iqn.2026-11.org.example:bench",
        .target_name = job->target,
        .isid = {0x40, 0, 1, 0x37, (uint8_t)(qualifier >> 8), (uint8_t)qualifier},
        .offers = {.header_digest = digest,
                   .data_digest = digest,
                   .max_recv_data_segment_length = 262144,
                   .max_connections = 8,
                   .immediate_data = true,
                   .max_burst_length = 1 << 20,
                   .first_burst_length = 65536,
                   .default_time2wait = 2,
                   .default_time2retain = 20,
                   .max_outstanding_r2t = 16,
                   .data_pdu_in_order = true,
                   .data_sequence_in_order = true},
        .timeouts = {.login = 10000, .command = 10000, .logout = 10000},
    };
}

static void on_attention(struct task *task)
{
    (void)task;
    os_loop_stop(loop);
}

/* The first command is told of the unit's reset instead of being carried out. */
static int take_attention(struct contact *contact)
{
    struct task task = {.lun = (uint64_t)job->lun << 48, .done = on_attention};

    scsi_test_unit_ready(&task.cdb);
    contact_hold(contact);
    session_submit(contact_session(contact), &task, os_now());
    contact_release(contact);
    os_loop_run(loop);
    outcome = task.status == STATUS_SCSI_STATUS ? STATUS_OK : task.status;
    return check("TEST UNIT READY");
}

/* Waits for a login or a logout. */
static int wait_for_event(const char *what)
{
    os_loop_run(loop);
    return check(what);
}

static int log_in(unsigned number)
{
    struct session_settings session = settings_of((uint16_t)number);
    struct portal_address portal;
    struct contact_settings settings = {
        .session = &session, .portal = &portal, .connect_timeout = 10000};
    struct contact *contact;

    if (portal_parse(job->portal, strlen(job->portal), false, false, &portal) != STATUS_OK)
        return -1;
    contact = contacts[number] = contact_open(&base, &settings, CONTACT_FIRST_CID, &events, NULL);
    if (contact == NULL || wait_for_event("login") != 0)
        return -1;
    settings.session = NULL;
    for (unsigned i = 1; i < job->connections; i++) {
        uint16_t cid = session_new_cid(contact_session(contact));
        if (contact_join(contact, &settings, cid, &events, NULL) == NULL ||
            wait_for_event("login of a further connection") != 0)
            return -1;
    }
    return take_attention(contact);
}

static int open_sessions(const struct io_job *wanted)
{
    job = wanted;
    if (loop == NULL && ((loop = os_loop_new()) == NULL || !link_base_open(&base, loop)))
        return -1;
    contacts = calloc(job->sessions, sizeof *contacts);
    slots = calloc(job->depth, sizeof *slots);
    if (contacts == NULL || slots == NULL)
        return -1;
    for (unsigned i = 0; i < job->sessions; i++) {
        if (log_in(i) != 0)
            return -1;
    }
    for (unsigned i = 0; i < job->depth; i++) {
        slots[i].piece = (struct iov){io_buffer(job, i), job->size};
        slots[i].contact = contacts[i % job->sessions];
    }
    return 0;
}

static void on_done(struct task *task);

static void start(struct slot *slot)
{
    struct task *task = &slot->task;

    *task = (struct task){.lun = (uint64_t)job->lun << 48, .done = on_done, .context = slot};
    if (job->write) {
        task->data_out = &slot->piece;
        task->data_out_count = 1;
        task->data_out_length = job->size;
        scsi_write(&task->cdb, io_next_block(job), job->size / IO_BLOCK, false);
    } else {
        task->data_in = &slot->piece;
        task->data_in_count = 1;
        task->data_in_length = job->size;
        scsi_read(&task->cdb, io_next_block(job), job->size / IO_BLOCK);
    }
    to_start--;
    under_way++;
    session_submit(contact_session(slot->contact), task, os_now());
}

static void on_done(struct task *task)
{
    under_way--;
    if (task->status != STATUS_OK)
        outcome = task->status;
    else if (to_start > 0)
        start(task->context);
    if (under_way == 0 || outcome != STATUS_OK)
        os_loop_stop(loop);
}

static int pump(uint64_t commands)
{
    outcome = STATUS_OK;
    to_start = commands;
    for (unsigned i = 0; i < job->sessions; i++)
        contact_hold(contacts[i]);
    for (unsigned i = 0; i < job->depth && to_start > 0; i++)
        start(&slots[i]);
    for (unsigned i = 0; i < job->sessions; i++)
        contact_release(contacts[i]);
    os_loop_run(loop);
    return check("a command");
}

static int close_sessions(void)
{
    int result = 0;

    for (unsigned i = 0; i < job->sessions; i++) {
        contact_logout(contacts[i]);
        if (wait_for_event("logout") != 0)
            result = -1;
        contact_close(contacts[i]);
    }
    free(contacts);
    free(slots);
    return result;
}

const struct io_contender io_core = {
    .name = "iscsidsc core", .open = open_sessions, .pump = pump, .close = close_sessions};
