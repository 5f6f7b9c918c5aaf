/*
 * How a link waits for what its tasks are to bring: decisions alone, made from what has been
 * measured. Times are microseconds.
 */
#ifndef DISCOVERY_PACE_H
#define DISCOVERY_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Patience: when many tasks are under way, the link sleeps until a part of what they bring has
 * come, and so handles several answers in one go. The part is what comes within a moment. Where
 * that is too little to wait for, the link is not patient again for a while.
 */
#define PATIENCE_LIMIT 2000u /* the longest wait, ended by a timer of its owner's */

struct patience {
    uint64_t since;    /* when the wait began; 0: none */
    unsigned least;    /* bytes that are waited for; 1: no wait */
    unsigned halvings; /* of what the tasks bring, to get the part */
    unsigned haste;    /* rounds until it may be patient again */
    unsigned haste_next;
};

void patience_init(struct patience *patience);
/* `tasks` are under way, and at least `bytes` will come for them: how many shall be there before
 * the wait ends? 1: no more than a wait needs. The wait begins, or goes on. */
unsigned patience_begin(struct patience *patience, size_t tasks, uint64_t bytes, uint64_t now);
/* So many bytes have come, or their time was over. */
void patience_end(struct patience *patience, uint64_t now);
/* Something was taken before that: nothing is learnt from this wait. */
void patience_restart(struct patience *patience);

/*
 * Eagerness: when one task alone is under way and its answer is near, staying awake for it can be
 * quicker than a sleep and a wake-up, and take no more of the processor than these. Whether it is
 * so depends on the machine, on where the target is and on what else runs: so both are tried, and
 * the better one is done until the next trial.
 */
#define EAGERNESS_LIMIT 40u /* what a wait awake may take: about a sleep and a wake-up */

enum eagerness_phase { EAGERNESS_SLEEPS, EAGERNESS_TRIES, EAGERNESS_WAKES };

struct eagerness {
    uint64_t since;    /* when the wait began; 0: none */
    uint64_t used;     /* of the processor, when the phase began */
    uintptr_t thread;  /* by which thread */
    uint32_t total;    /* of the phase: time, */
    uint16_t answers;  /* answers, */
    uint16_t length;   /* and of how many it consists */
    uint16_t drowsy;   /* the length of the next sleep after a trial in vain */
    uint16_t sleeping; /* what an answer took asleep, on average, of time */
    uint16_t asleep;   /* and of the processor */
    uint8_t phase;     /* enum eagerness_phase */
};

void eagerness_init(struct eagerness *eagerness);
/* The wait begins, or goes on. True: awake. */
bool eagerness_begin(struct eagerness *eagerness, size_t tasks, uint64_t now);
/* Something has come. True: the phase is over, to be judged. */
bool eagerness_end(struct eagerness *eagerness, uint64_t now);
/* Ends the phase. `used` is the time that this thread has had of the processor until now; 0: that
 * cannot be told. */
void eagerness_judge(struct eagerness *eagerness, uint64_t used, uintptr_t thread);

#endif
