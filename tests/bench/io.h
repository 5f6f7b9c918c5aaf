/* What bench_io measures: the same reads and writes done by several contenders. */
#ifndef BENCH_IO_H
#define BENCH_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IO_BLOCK      512u
#define IO_DEPTH_MOST 128 /* of one session */

struct io_job {
    const char *portal; /* host:port */
    const char *target;
    int lun;
    uint64_t blocks; /* of the disk */
    bool write;
    bool random;
    bool digests; /* CRC32C on headers and data */
    uint32_t size;
    unsigned depth;       /* commands under way, over all sessions */
    unsigned connections; /* of each session */
    unsigned sessions;
    uint64_t commands; /* of one run; 0: as many as take a moment */
    const char *path;  /* of a device of this machine */
};

struct io_contender {
    const char *name;
    /* Each returns 0, or -1 after a message to stderr. */
    int (*open)(const struct io_job *job);
    /* Does so many commands, `depth` of them at any time, and waits for the last one. */
    int (*pump)(uint64_t commands);
    int (*close)(void);
};

/* io_blind parses nothing of what the target sends; io_bare talks to no target at all. io_nbd and
 * io_file use a device that a service makes of the unit. */
extern const struct io_contender io_core, io_engine, io_libiscsi, io_blind, io_bare, io_nbd,
    io_file;

/* The block where the next command begins. */
uint64_t io_next_block(const struct io_job *job);
/* A buffer for one of `depth` commands, at `slot`; never freed. With very many they share some. */
uint8_t *io_buffer(const struct io_job *job, unsigned slot);
/* System calls of this process that move data or wait, until now. */
uint64_t io_system_calls(void);

/* --- io_measure.c --- */

enum { IO_ROUNDS = 7 };

/* Of one command. */
struct io_figures {
    double wall; /* microseconds */
    double cpu;  /* microseconds */
    double calls;
};

struct io_entrant {
    const struct io_contender *contender;
    struct io_job job;
    struct io_figures samples[IO_ROUNDS];
    struct io_figures median;
};

/* Runs the entrants in turn, again and again. */
int io_measure(struct io_entrant *entrants, size_t count);
/* Bytes of heap that an idle session of the contender's takes; below 0: it failed. */
double io_heap(const struct io_contender *contender, const struct io_job *job);

/* --- io_table.c --- */

/* What is asked for; 0: nothing. */
struct io_goals {
    double cpu, calls; /* at most so many times the base's */
    double speed;      /* at least so many times the base's */
};

/* Markdown. `base` names what the rows compare with. */
void io_table(const char *title, const char *base);
/* `blind` and `bare` tell what nobody can beat; NULL: not known. */
void io_row(const char *what, const struct io_figures *base, const struct io_figures *ours,
            const struct io_figures *blind, const struct io_figures *bare,
            const struct io_goals *goals);
/* How many rows have missed a goal that could be met. */
unsigned io_missed(void);

#endif
