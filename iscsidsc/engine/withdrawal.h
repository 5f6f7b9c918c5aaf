/*
 * Withdrawal: the devices of units go while the session that leads to them still works, so that
 * what programs have written reaches the target. Whoever makes devices does it (struct exposure of
 * units.h), and is asked again and again until nothing is left to be done.
 */
#ifndef ENGINE_WITHDRAWAL_H
#define ENGINE_WITHDRAWAL_H

#include "engine/units.h"

/* Begins it, or tells how far it is: WITHDRAWN when there are no devices. */
enum withdrawal unit_withdraw(struct unit *unit, bool forced);
/* Of all units: the worst of them. */
enum withdrawal units_withdraw(struct engine_session *session, bool forced);
/* It does not go after all: what was withdrawn comes back. */
void unit_readmit(struct unit *unit);
/* The same of a session that does not end. */
void units_readmit(struct engine_session *session);

/* There are to be no devices any more: `then` is called when all are withdrawn, or after a bound;
 * from inside when there are none. Those in use, or that do not end in time, are taken from whoever
 * uses them. */
void withdrawal_of_all(struct engine *engine, void (*then)(void *context), void *context);
/* A device may have gone. */
void withdrawal_look(struct engine *engine);
void withdrawal_init(struct engine *engine);

#endif
