/* Going on without a terminal, when all that can go wrong at the start has been told. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

/* Who started the program waits from now on. */
void background_begin(void);
/* And goes on. Nothing, without a begin. */
void background_ready(void);

#endif
