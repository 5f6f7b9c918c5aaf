/*
 * One command at a time: a target that mixes up the order of its answers when several are under way
 * (istgt does) must not lose its connection to our curiosity.
 */
#include "engine/unit_scan.h"
#include "engine/commands.h"
#include "engine/log.h"
#include "os/memory.h"
#include "protocol/crc32c.h"
#include "protocol/scsi_vpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LUNS_FIRST = 4096,    /* allocation length of the first REPORT LUNS */
    LUNS_MOST = 1 << 17,  /* and of the second at most: 16,383 units */
    INQUIRY_LENGTH = 255, /* devices before SPC-3 have one byte for it */
    PAGE_LENGTH = 1024,
    CAPACITY_10_LENGTH = 8,
    CAPACITY_16_LENGTH = 32,
    MODE_LENGTH = 192,
    IDENTITY_WHOLE = 60, /* of longer ones there is a checksum behind it */
};

/* First bytes of an identity: the type of a designator, or one of these. */
enum { IDENTITY_SERIAL = 0xf0, IDENTITY_LUN = 0xf1 };

enum step {
    STEP_LIST,
    STEP_INQUIRY,
    STEP_IDENTIFICATION,
    STEP_SERIAL,
    STEP_CAPACITY_10,
    STEP_CAPACITY_16,
    STEP_LIMITS,
    STEP_PROVISIONING,
    STEP_MODE,
};

struct scan {
    struct engine_session *session;
    struct scan **slot; /* the owner's */
    scan_done *done;
    struct command *command; /* under way */
    enum step step;          /* that it belongs to */
    uint32_t allocation;     /* of REPORT LUNS */
    uint64_t *luns;
    size_t count;
    size_t next;
    struct unit_finding now; /* the unit that is being asked */
    struct unit_finding *findings;
    size_t found;
    bool stopping;
    bool cancelled;
};

/* --- the end --- */

static void scan_free(struct scan *scan)
{
    os_free(scan->luns);
    os_free(scan->findings);
    os_free(scan);
}

static void finish(struct scan *scan, enum status status)
{
    *scan->slot = NULL;
    scan->done(scan->session, status, scan->findings, status == STATUS_OK ? scan->found : 0);
    scan_free(scan);
}

void scan_stop(struct scan *scan)
{
    scan->stopping = true;
}

void scan_cancel(struct scan *scan)
{
    if (scan == NULL)
        return;
    *scan->slot = NULL;
    scan->cancelled = true;
    if (scan->command != NULL)
        command_cancel(scan->command);
    scan_free(scan);
}

/* --- asking --- */

static void on_answer(void *context, enum status status, const struct reply_scsi *reply);

static void ask(struct scan *scan, enum step step, const struct scsi_cdb *cdb, uint32_t length)
{
    const struct request_scsi request = {
        .lun = step == STEP_LIST ? 0 : scan->now.facts.lun,
        .cdb = {cdb->bytes, cdb->length},
        .length = length,
    };
    scan->step = step;
    enum status status = command_start(scan->session, &request, on_answer, scan, &scan->command);
    if (status != STATUS_OK)
        finish(scan, status);
}

static void ask_list(struct scan *scan, uint32_t allocation)
{
    struct scsi_cdb cdb;
    scan->allocation = allocation;
    scsi_report_luns(&cdb, allocation);
    ask(scan, STEP_LIST, &cdb, allocation);
}

static void ask_page(struct scan *scan, enum step step, uint8_t page)
{
    struct scsi_cdb cdb;
    scsi_inquiry(&cdb, 1, page, PAGE_LENGTH);
    ask(scan, step, &cdb, PAGE_LENGTH);
}

static void ask_capacity(struct scan *scan, enum step step)
{
    struct scsi_cdb cdb;
    if (step == STEP_CAPACITY_10) {
        scsi_read_capacity_10(&cdb);
        ask(scan, step, &cdb, CAPACITY_10_LENGTH);
    } else {
        scsi_read_capacity_16(&cdb, CAPACITY_16_LENGTH);
        ask(scan, step, &cdb, CAPACITY_16_LENGTH);
    }
}

static void ask_next_unit(struct scan *scan)
{
    struct scsi_cdb cdb;
    if (scan->next == scan->count) {
        finish(scan, STATUS_OK);
        return;
    }
    scan->now = (struct unit_finding){.facts.lun = scan->luns[scan->next++], .certain = true};
    scsi_inquiry(&cdb, 0, 0, INQUIRY_LENGTH);
    ask(scan, STEP_INQUIRY, &cdb, INQUIRY_LENGTH);
}

/* --- who it is --- */

static void set_identity(struct unit_facts *facts, uint8_t kind, const void *bytes, size_t length)
{
    size_t whole = length <= UNIT_IDENTITY_MOST - 1 ? length : IDENTITY_WHOLE;
    facts->identity[0] = kind;
    memcpy(facts->identity + 1, bytes, whole);
    facts->identity_length = (uint8_t)(whole + 1);
    if (whole == length)
        return;
    put_be32(facts->identity + 1 + whole, crc32c(0, bytes, length));
    facts->identity_length = (uint8_t)(facts->identity_length + 4);
}

/* The designator has been looked for already. */
static void complete_identity(struct unit_facts *facts)
{
    uint8_t lun[8];
    if (facts->identity_length > 0)
        return;
    if (facts->serial[0] != '\0') {
        set_identity(facts, IDENTITY_SERIAL, facts->serial, strlen(facts->serial));
        return;
    }
    put_be64(lun, facts->lun);
    set_identity(facts, IDENTITY_LUN, lun, sizeof lun);
}

static void conclude(struct scan *scan)
{
    complete_identity(&scan->now.facts);
    scan->findings[scan->found++] = scan->now;
    ask_next_unit(scan);
}

/* --- one unit --- */

/* INQUIRY is answered by everything that is there: what refuses it is not. */
static bool is_refused(enum status status, const struct reply_scsi *reply)
{
    struct scsi_sense sense;
    if (status != STATUS_SCSI_STATUS || reply->status != SCSI_CHECK_CONDITION)
        return false;
    scsi_sense_decode(&sense, reply->sense.data, reply->sense.length);
    return sense.valid && sense.key == SCSI_ILLEGAL_REQUEST;
}

static void take_inquiry(struct scan *scan, enum status status, const struct reply_scsi *reply)
{
    struct scsi_inquiry_data *inquiry = &scan->now.facts.inquiry;
    if (status != STATUS_OK && !is_refused(status, reply)) {
        scan->now.certain = false;
        conclude(scan);
        return;
    }
    /* Qualifiers 1 and 3: nothing is connected, or can be. */
    if (status == STATUS_OK && scsi_inquiry_decode(inquiry, reply->data.data, reply->data.length) &&
        inquiry->peripheral_qualifier == 0)
        ask_page(scan, STEP_IDENTIFICATION, SCSI_VPD_IDENTIFICATION);
    else
        ask_next_unit(scan);
}

static void take_identification(struct scan *scan, const struct blob *data)
{
    struct scsi_designator designator;
    if (scsi_vpd_designator(&designator, data->data, data->length))
        set_identity(&scan->now.facts, designator.type, designator.bytes, designator.length);
    ask_page(scan, STEP_SERIAL, SCSI_VPD_SERIAL);
}

static bool has_capacity(uint8_t type)
{
    return type == 0x00 || type == 0x04 || type == 0x05 || type == 0x07 || type == 0x0e;
}

static bool is_disk(uint8_t type)
{
    return type == 0x00 || type == 0x07 || type == 0x0e;
}

static void take_serial(struct scan *scan, const struct blob *data)
{
    struct unit_facts *facts = &scan->now.facts;
    scsi_vpd_serial(facts->serial, sizeof facts->serial, data->data, data->length);
    if (has_capacity(facts->inquiry.device_type))
        ask_capacity(scan, STEP_CAPACITY_10);
    else
        conclude(scan);
}

/* One that is not ready has none. */
static void take_capacity(struct scan *scan, const struct blob *data)
{
    struct scsi_capacity *capacity = &scan->now.facts.capacity;
    bool good = scan->step == STEP_CAPACITY_10
                    ? scsi_capacity_10_decode(capacity, data->data, data->length)
                    : scsi_capacity_16_decode(capacity, data->data, data->length);
    if (good && capacity->too_large) {
        ask_capacity(scan, STEP_CAPACITY_16);
        return;
    }
    if (!good)
        *capacity = (struct scsi_capacity){0};
    if (good && is_disk(scan->now.facts.inquiry.device_type))
        ask_page(scan, STEP_LIMITS, SCSI_VPD_BLOCK_LIMITS);
    else
        conclude(scan);
}

static void ask_mode(struct scan *scan)
{
    struct scsi_cdb cdb;
    scsi_mode_sense(&cdb, MODE_LENGTH);
    ask(scan, STEP_MODE, &cdb, MODE_LENGTH);
}

static void take_limits(struct scan *scan, const struct blob *data)
{
    struct unit_facts *facts = &scan->now.facts;
    scsi_vpd_block_limits(&facts->limits, data->data, data->length);
    if (facts->limits.unmap > 0)
        ask_page(scan, STEP_PROVISIONING, SCSI_VPD_PROVISIONING);
    else
        ask_mode(scan); /* it has all of its blocks */
}

static void take_provisioning(struct scan *scan, const struct blob *data)
{
    scan->now.facts.zeroes_by_unmap = scsi_vpd_zeroes_by_unmap(data->data, data->length);
    ask_mode(scan);
}

static void take_mode(struct scan *scan, const struct blob *data)
{
    scsi_mode_decode(&scan->now.facts.mode, data->data, data->length);
    conclude(scan);
}

/* --- the list --- */

static int compare(const void *left, const void *right)
{
    uint64_t a = scsi_lun_spelling(*(const uint64_t *)left);
    uint64_t b = scsi_lun_spelling(*(const uint64_t *)right);
    return (a > b) - (a < b);
}

/* Each one once, in the order of their numbers, and only what callers can name. */
static size_t tidy(uint64_t *luns, size_t count)
{
    size_t kept = 0;
    qsort(luns, count, sizeof *luns, compare);
    for (size_t i = 0; i < count; i++) {
        bool same = kept > 0 && luns[kept - 1] == luns[i];
        if (!same && scsi_lun_from_spelling(scsi_lun_spelling(luns[i])) == luns[i])
            luns[kept++] = luns[i];
    }
    return kept;
}

/* Those with the smallest numbers stay; the log is told of the others when they become more or
 * fewer. */
static void leave_out(struct scan *scan)
{
    char count[24];
    struct units *units = scan->session->units;
    size_t beyond = scan->count > UNITS_MOST ? scan->count - UNITS_MOST : 0;
    scan->count -= beyond;
    if (beyond > 0 && beyond != units->left_out) {
        snprintf(count, sizeof count, "%lu", (unsigned long)beyond);
        engine_log(OS_LOG_WARNING, "units-left-out", "target", scan->session->target, "count",
                   count, "reason", "a target has at most 256 units", NULL);
    }
    units->left_out = beyond;
}

static bool keep_list(struct scan *scan, const uint8_t *data, size_t length)
{
    size_t count = scsi_luns_count(data, length);
    scan->luns = os_alloc((count + 1) * sizeof *scan->luns);
    if (scan->luns == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        scan->luns[i] = scsi_luns_at(data, i);
    scan->count = tidy(scan->luns, count);
    leave_out(scan);
    scan->findings = os_alloc((scan->count + 1) * sizeof *scan->findings);
    return scan->findings != NULL;
}

static void take_list(struct scan *scan, enum status status, const struct blob *data)
{
    /* A device from before SPC-3 need not know REPORT LUNS: it has one unit. */
    static const uint8_t only_zero[16] = {0, 0, 0, 8};
    uint32_t whole = status == STATUS_OK ? scsi_luns_length(data->data, data->length) : 0;
    if (whole > scan->allocation && scan->allocation < LUNS_MOST) {
        ask_list(scan, whole < LUNS_MOST ? whole : LUNS_MOST);
        return;
    }
    bool kept = status == STATUS_OK ? keep_list(scan, data->data, data->length)
                                    : keep_list(scan, only_zero, sizeof only_zero);
    if (kept)
        ask_next_unit(scan);
    else
        finish(scan, STATUS_NO_MEMORY);
}

/* --- answers --- */

static void take(struct scan *scan, enum status status, const struct reply_scsi *reply)
{
    static const struct blob nothing = {NULL, 0};
    const struct blob *data = status == STATUS_OK ? &reply->data : &nothing;
    switch (scan->step) {
    case STEP_LIST:
        take_list(scan, status, data);
        break;
    case STEP_INQUIRY:
        take_inquiry(scan, status, reply);
        break;
    case STEP_IDENTIFICATION:
        take_identification(scan, data);
        break;
    case STEP_SERIAL:
        take_serial(scan, data);
        break;
    case STEP_LIMITS:
        take_limits(scan, data);
        break;
    case STEP_PROVISIONING:
        take_provisioning(scan, data);
        break;
    case STEP_MODE:
        take_mode(scan, data);
        break;
    default:
        take_capacity(scan, data);
        break;
    }
}

/* Does the answer say which units there are? */
static bool tells_which(enum step step)
{
    return step == STEP_LIST || step == STEP_IDENTIFICATION || step == STEP_SERIAL;
}

/* It could not answer now: that says nothing of what it has. */
static bool is_passing(enum status status, const struct reply_scsi *reply)
{
    struct scsi_sense sense;
    if (status != STATUS_SCSI_STATUS)
        return false;
    if (reply->status != SCSI_CHECK_CONDITION)
        return true;
    scsi_sense_decode(&sense, reply->sense.data, reply->sense.length);
    return sense.valid && (sense.key == SCSI_UNIT_ATTENTION || sense.key == SCSI_ABORTED_COMMAND);
}

static void on_answer(void *context, enum status status, const struct reply_scsi *reply)
{
    struct scan *scan = context;
    bool answered = status == STATUS_OK || status == STATUS_SCSI_STATUS;
    if (scan->cancelled)
        return;
    bool passing = tells_which(scan->step) && is_passing(status, reply);
    if (passing)
        scan->session->units->again = true;
    if (!answered || passing)
        scan->now.certain = false;
    /* One unit may be silent; without a connection it is of no use to ask the others. */
    if (scan->stopping)
        finish(scan, STATUS_CANCELLED);
    else if (!answered && (status != STATUS_COMMAND_TIMEOUT || scan->step == STEP_LIST))
        finish(scan, status);
    else if (passing && scan->step == STEP_LIST)
        finish(scan, status);
    else
        take(scan, status, reply);
}

void scan_start(struct engine_session *session, scan_done *done, struct scan **slot)
{
    struct scan *scan = os_alloc(sizeof *scan);
    if (scan == NULL) {
        done(session, STATUS_NO_MEMORY, NULL, 0);
        return;
    }
    *slot = scan;
    scan->slot = slot;
    scan->session = session;
    scan->done = done;
    ask_list(scan, LUNS_FIRST);
}
