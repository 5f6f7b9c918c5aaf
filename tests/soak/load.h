/*
 * Random reads, writes and flushes, many at a time. What ends well is checked against the shadow;
 * what does not is counted, and leaves the shadow in doubt where it may have been carried out.
 */
#ifndef SOAK_LOAD_H
#define SOAK_LOAD_H

#include "dice.h"
#include "shadow.h"

#include "initiator/initiator.h"
#include "os/list.h"

#define LOAD_DEPTH_MOST 32u

enum request_kind { REQUEST_READ, REQUEST_WRITE, REQUEST_FLUSH };

enum request_result {
    REQUEST_GOOD,
    REQUEST_NOT_DONE, /* certainly not carried out */
    REQUEST_UNKNOWN,  /* an error was told */
};

struct request {
    enum request_kind kind;
    uint32_t first, count; /* blocks */
    bool force;            /* FUA */
    uint8_t *data;
    enum request_result result;
    char error[96];
    void (*done)(struct request *request);
    /* Whoever carries it out. */
    struct task task;
    struct iov pieces[2];
};

struct load_settings {
    unsigned depth;
    uint32_t blocks_most;      /* of one command */
    unsigned reads;            /* of 100 commands */
    uint32_t force, flush;     /* one in so many; 0: none */
    uint64_t bytes;            /* to be moved until the end */
    bool all_lasts;            /* the disk has no cache that could be lost */
    void (*changed)(void *of); /* a command ended, or could not be given */
    /* False: not now. It calls `done` for what it took, and not from inside this call. */
    bool (*submit)(void *to, struct request *request);
    void *context; /* of both */
};

struct load_slot {
    struct request request;
    struct load *load;
    bool busy;
    uint32_t generation;
    uint32_t *flushing; /* generations that would last */
};

struct load {
    struct load_settings settings;
    struct shadow *shadow;
    struct dice dice;
    struct load_slot slots[LOAD_DEPTH_MOST];
    unsigned busy;
    bool reading_all; /* the disk from begin to end, instead of at random */
    bool paused;      /* what ends is not followed by anything */
    uint32_t next;    /* of that */
    uint64_t moved;
    uint64_t reads, writes, flushes;
    uint64_t failed;   /* told as errors */
    uint64_t unknown;  /* writes among them that may have been carried out */
    uint64_t not_done; /* certainly not carried out; given again as others */
    char error[96];    /* the last one's */
};

/* Exits when there is no memory. */
void load_open(struct load *load, struct shadow *shadow, uint64_t seed);
void load_close(struct load *load);

/* What is to be done from now on; load_pump begins. */
void load_set(struct load *load, const struct load_settings *settings);
/* Reads the whole disk instead. */
void load_read_all(struct load *load);
/* Gives commands until the depth is reached. */
void load_pump(struct load *load);
/* All was moved, and nothing is under way. */
bool load_is_over(const struct load *load);

#endif
