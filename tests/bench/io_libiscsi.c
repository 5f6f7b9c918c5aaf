/* libiscsi by its asynchronous calls, driven as its examples do. */
#include "io.h"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdio.h>

enum { SESSIONS_MOST = 1000 };

static struct iscsi_context *sessions[SESSIONS_MOST];
static struct iscsi_context *session; /* the one that is used */
static const struct io_job *job;
static uint64_t to_start, under_way;
static int failures;

struct slot {
    struct scsi_iovec piece;
};
static struct slot slots[1024];

static int failed(const char *what)
{
    fprintf(stderr, "libiscsi: %s: %s\n", what, iscsi_get_error(session));
    return -1;
}

/* The first command is told of the unit's reset instead of being carried out. */
static void take_attention(void)
{
    struct scsi_task *task = iscsi_testunitready_sync(session, job->lun);

    if (task != NULL)
        scsi_free_scsi_task(task);
}

static int log_in(void)
{
    session = iscsi_create_context("iqn.2026-11.org.example:bench");
    iscsi_set_targetname(session, job->target);
    iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
    /* Digests of data it has none. */
    iscsi_set_header_digest(session,
                            job->digests ? ISCSI_HEADER_DIGEST_CRC32C : ISCSI_HEADER_DIGEST_NONE);
    if (iscsi_connect_sync(session, job->portal) != 0 || iscsi_login_sync(session) != 0)
        return failed("login");
    take_attention();
    return 0;
}

static int open_sessions(const struct io_job *wanted)
{
    job = wanted;
    for (unsigned i = 0; i < job->sessions; i++) {
        if (log_in() != 0)
            return -1;
        sessions[i] = session;
    }
    for (unsigned i = 0; i < job->depth; i++) {
        slots[i].piece.iov_base = io_buffer(job, i);
        slots[i].piece.iov_len = job->size;
    }
    return 0;
}

static void start(struct slot *slot);

static void on_done(struct iscsi_context *iscsi, int status, void *data, void *private_data)
{
    (void)iscsi;
    scsi_free_scsi_task(data);
    under_way--;
    if (status != SCSI_STATUS_GOOD)
        failures++;
    else if (to_start > 0)
        start(private_data);
}

static void start(struct slot *slot)
{
    uint32_t block = (uint32_t)io_next_block(job);
    struct scsi_task *task =
        job->write ? iscsi_write10_iov_task(session, job->lun, block, NULL, job->size, IO_BLOCK, 0,
                                            0, 0, 0, 0, on_done, slot, &slot->piece, 1)
                   : iscsi_read10_iov_task(session, job->lun, block, job->size, IO_BLOCK, 0, 0, 0,
                                           0, 0, on_done, slot, &slot->piece, 1);

    if (task == NULL) {
        failures++;
        return;
    }
    to_start--;
    under_way++;
}

static int pump(uint64_t commands)
{
    to_start = commands;
    for (unsigned i = 0; i < job->depth && to_start > 0; i++)
        start(&slots[i]);
    while (under_way > 0 && failures == 0) {
        struct pollfd poll_on = {.fd = iscsi_get_fd(session),
                                 .events = (short)iscsi_which_events(session)};

        if (poll(&poll_on, 1, 10000) <= 0 || iscsi_service(session, poll_on.revents) != 0)
            return failed("service");
    }
    return failures == 0 ? 0 : failed("a command");
}

static int close_sessions(void)
{
    int result = 0;

    for (unsigned i = 0; i < job->sessions; i++) {
        session = sessions[i];
        if (iscsi_logout_sync(session) != 0)
            result = failed("logout");
        iscsi_destroy_context(session);
    }
    return result;
}

const struct io_contender io_libiscsi = {
    .name = "libiscsi", .open = open_sessions, .pump = pump, .close = close_sessions};
