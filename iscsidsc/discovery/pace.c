#include "discovery/pace.h"

enum {
    PATIENT_TASKS = 8,        /* so many must be under way */
    PATIENT_ANSWERS = 4,      /* for fewer, */
    PATIENT_BULK = 128 << 10, /* and fewer bytes, no wait is worth it */
    PATIENT_MOST = 1 << 20,   /* bytes */
    PATIENT_TIME = 1000,      /* in which the part should come, */
    PATIENT_LITTLE = 250,     /* and when it did in this, it was too small */
    HASTE_FIRST = 16,         /* rounds without patience, doubled each time */
    HASTE_MOST = 4096,

    TRIAL = 8,         /* answers */
    WAKEFUL = 1024,    /* until sleeping is measured anew */
    DROWSY_FIRST = 64, /* until the next trial, doubled each time */
    DROWSY_MOST = 16384,
    ANSWER_MOST = 1000, /* a longer one counts as this */
    SLEEP_MOST = 200,   /* when an answer takes so long, a wake-up does not matter */
};

void patience_init(struct patience *patience)
{
    *patience = (struct patience){.least = 1, .halvings = 1, .haste_next = HASTE_FIRST};
}

static void be_hasty(struct patience *patience)
{
    patience->haste = patience->haste_next;
    if (patience->haste_next < HASTE_MOST)
        patience->haste_next *= 2;
}

/* In steps, and as it was when that is not too far off: each change is a system call. */
static unsigned round_down(const struct patience *patience, uint64_t bytes)
{
    unsigned least = 1;

    if (patience->least > 1 && patience->least <= bytes && bytes < patience->least * UINT64_C(3))
        return patience->least;
    while (least * UINT64_C(2) <= bytes)
        least *= 2;
    return least;
}

static unsigned part_of(struct patience *patience, size_t tasks, uint64_t bytes)
{
    uint64_t part = bytes >> patience->halvings;

    if (part > PATIENT_MOST)
        part = PATIENT_MOST;
    if (part >= PATIENT_BULK || part * tasks >= bytes * PATIENT_ANSWERS)
        return round_down(patience, part);
    if (patience->halvings > 1) {
        patience->halvings--;
        be_hasty(patience);
    }
    return 1;
}

unsigned patience_begin(struct patience *patience, size_t tasks, uint64_t bytes, uint64_t now)
{
    unsigned least = 1;

    if (patience->haste > 0)
        patience->haste--;
    else if (tasks >= PATIENT_TASKS && bytes > 0)
        least = part_of(patience, tasks, bytes);
    if (least == 1)
        patience->since = 0;
    else if (patience->since == 0)
        patience->since = now;
    patience->least = least;
    return least;
}

void patience_end(struct patience *patience, uint64_t now)
{
    uint64_t time = now - patience->since;

    if (patience->since == 0)
        return;
    patience->since = 0;
    if (time > PATIENT_TIME) {
        patience->halvings++;
        return;
    }
    patience->haste_next = HASTE_FIRST;
    if (time < PATIENT_LITTLE && patience->halvings > 1)
        patience->halvings--;
}

void patience_restart(struct patience *patience)
{
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

static bool is_better(const struct eagerness *eagerness, unsigned time, unsigned used)
{
    return time + time / 8 < eagerness->sleeping && used <= eagerness->asleep;
}

/* What an answer took on average, of time and of the processor. */
static void end_phase(struct eagerness *eagerness, unsigned time, unsigned used)
{
    switch (eagerness->phase) {
    case EAGERNESS_SLEEPS:
        eagerness->sleeping = (uint16_t)time;
        eagerness->asleep = (uint16_t)used;
        if (time > SLEEP_MOST)
            go_to_sleep(eagerness);
        else
            begin_phase(eagerness, EAGERNESS_TRIES, TRIAL);
        break;
    case EAGERNESS_TRIES:
        if (is_better(eagerness, time, used)) {
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

bool eagerness_end(struct eagerness *eagerness, uint64_t now)
{
    uint64_t time = now - eagerness->since;

    if (eagerness->since == 0)
        return false;
    eagerness->since = 0;
    eagerness->total += time < ANSWER_MOST ? (uint32_t)time : ANSWER_MOST;
    return ++eagerness->answers >= eagerness->length;
}

void eagerness_judge(struct eagerness *eagerness, uint64_t used, uintptr_t thread)
{
    uint64_t average = (used - eagerness->used) / eagerness->answers;
    unsigned time = eagerness->total / eagerness->answers;

    if (used == 0 || thread != eagerness->thread) /* nothing can be said */
        begin_phase(eagerness, EAGERNESS_SLEEPS, DROWSY_FIRST);
    else
        end_phase(eagerness, time, average < ANSWER_MOST ? (unsigned)average : ANSWER_MOST);
    eagerness->used = used;
    eagerness->thread = thread;
}
