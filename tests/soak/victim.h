/* The embedded target as a process with its disk in a file, to be killed. */
#ifndef SOAK_VICTIM_H
#define SOAK_VICTIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VICTIM_TARGET "iqn.2026-11.org.example:victim"

struct victim {
    const char *program;
    char disk[256];
    uint16_t port; /* outside of what is given to anybody; always the same */
    pid_t process; /* 0: none */
};

/* A disk of so many blocks of 512 bytes whose 8 bytes each hold their own offset. Exits when it
 * cannot. */
void victim_prepare(struct victim *victim, const char *program, uint32_t blocks);
/* `cached`: what is written is lost with the process until a flush or FUA makes it last. Returns
 * when it answers. */
void victim_start(struct victim *victim, bool cached);
/* At once, whatever it is doing; returns when it is gone. */
void victim_kill(struct victim *victim);
/* What is on the disk now. */
void victim_read(const struct victim *victim, uint8_t *out, uint32_t blocks);
void victim_remove(struct victim *victim);

#endif
