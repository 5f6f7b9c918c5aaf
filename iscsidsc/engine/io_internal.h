/* What the files of io share. */
#ifndef ENGINE_IO_INTERNAL_H
#define ENGINE_IO_INTERNAL_H

#include "engine/io.h"

/* --- io_part.c: commands --- */

/* Does what the submitter has set make sense, and can the unit do it? */
enum status io_check(const struct io *io);
/* The next command and its data; `facts` of the unit that it goes to, NULL: bound to a session. */
void io_part_begin(struct io *io, const struct unit_facts *facts);
void io_part_end(struct io *io);
/* Behind a part that was carried out: is there another one? */
bool io_part_next(struct io *io);

/* --- io_judge.c: answers --- */

enum io_verdict {
    IO_DONE,   /* the part is */
    IO_FAILED, /* with the task's status */
    IO_AGAIN,
    IO_LATER, /* the target is busy */
    IO_LOST,  /* the connection was, or its answer */
};

enum io_verdict io_judge(struct io *io);
/* May it be carried out twice? */
bool io_repeatable(const struct io *io);
/* What is left to do about the connection and the units. */
void io_heed(const struct io *io);

#endif
