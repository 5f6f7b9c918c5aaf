#include "discovery/pace.h"

enum {
    PATIENT_TASKS = 8,      /* so many must be under way */
    PATIENT_PART = 2,       /* waits for this part of their data */
    PATIENT_MOST = 1 << 20, /* but not for more bytes */
    PATIENT_TIME = 1000,    /* what takes longer was not worth it */
    HASTE_FIRST = 16,       /* rounds without patience, doubled each time */
    HASTE_MOST = 4096,

    TRIAL = 8,
    WAKEFUL = 1024,    /* answers until sleeping is measured anew */
    DROWSY_FIRST = 64, /* answers until the next trial, doubled each time */
    DROWSY_MOST = 16384,
    ANSWER_MOST = 1000, /* a longer one counts as this */
    SLEEP_MOST = 200,   /* when an answer takes so long, a wake-up does not matter */
};

void patience_init(struct patience *patience)
{
    *patience = (struct patience){.haste_next = HASTE_FIRST};
}

/* In steps, for each change is a system call. */
static unsigned part_of(uint64_t bytes)
{
    unsigned least = 1;

    bytes = bytes / PATIENT_PART < PATIENT_MOST ? bytes / PATIENT_PART : PATIENT_MOST;
    while (least * UINT64_C(2) <= bytes)
        least *= 2;
    return least;
}

unsigned patience_begin(struct patience *patience, size_t tasks, uint64_t bytes, uint64_t now)
{
    unsigned least = 1;

    if (patience->haste > 0)
        patience->haste--;
    else if (tasks >= PATIENT_TASKS)
        least = part_of(bytes);
    if (least == 1)
        patience->since = 0;
    else if (patience->since == 0)
        patience->since = now;
    return least;
}

void patience_end(struct patience *patience, uint64_t now)
{
    if (patience->since == 0)
        return;
    if (now - patience->since <= PATIENT_TIME) {
        patience->haste_next = HASTE_FIRST;
    } else {
        patience->haste = patience->haste_next;
        if (patience->haste_next < HASTE_MOST)
            patience->haste_next *= 2;
    }
    patience->since = 0;
}

/* --- eagerness --- */

static void begin_phase(struct eagerness *eagerness, enum eagerness_phase phase, unsigned length)
{
    eagerness->phase = (uint8_t)phase;
    eagerness->length = (uint16_t)length;
    eagerness->answers = 0;
    eagerness->total = 0;
}

void eagerness_init(struct eagerness *eagerness)
{
    *eagerness = (struct eagerness){.drowsy = DROWSY_FIRST};
    begin_phase(eagerness, EAGERNESS_SLEEPS, TRIAL);
}

static void go_to_sleep(struct eagerness *eagerness)
{
    begin_phase(eagerness, EAGERNESS_SLEEPS, eagerness->drowsy);
    if (eagerness->drowsy < DROWSY_MOST)
        eagerness->drowsy *= 2;
}

static void end_phase(struct eagerness *eagerness)
{
    unsigned average = eagerness->total / eagerness->answers;

    switch (eagerness->phase) {
    case EAGERNESS_SLEEPS:
        eagerness->sleeping = (uint16_t)average;
        if (average > SLEEP_MOST)
            go_to_sleep(eagerness);
        else
            begin_phase(eagerness, EAGERNESS_TRIES, TRIAL);
        break;
    case EAGERNESS_TRIES:
        if (average + average / 8 < eagerness->sleeping) {
            eagerness->drowsy = DROWSY_FIRST;
            begin_phase(eagerness, EAGERNESS_WAKES, WAKEFUL);
        } else {
            go_to_sleep(eagerness);
        }
        break;
    default:
        begin_phase(eagerness, EAGERNESS_SLEEPS, TRIAL);
        break;
    }
}

bool eagerness_begin(struct eagerness *eagerness, size_t tasks, uint64_t now)
{
    if (tasks != 1)
        eagerness->since = 0;
    else if (eagerness->since == 0)
        eagerness->since = now;
    return tasks == 1 && eagerness->phase != EAGERNESS_SLEEPS;
}

void eagerness_end(struct eagerness *eagerness, uint64_t now)
{
    uint64_t time = now - eagerness->since;

    if (eagerness->since == 0)
        return;
    eagerness->since = 0;
    eagerness->total += time < ANSWER_MOST ? (uint32_t)time : ANSWER_MOST;
    if (++eagerness->answers == eagerness->length)
        end_phase(eagerness);
}
