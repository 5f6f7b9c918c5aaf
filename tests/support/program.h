/* What the test programs share: the loop's life, and the standard disks. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "target/target.h"

/* Prints "PROGRAM: message" and exits. */
enum { EXIT_NOT_HAD = 1, EXIT_USAGE = 2 };
_Noreturn void die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs the loop until SIGTERM, SIGINT or, with `watch_input` and a pipe or socket there, the end of
 * standard input. Call program_block_signals before any thread starts. */
void program_block_signals(void);
/* `goodbye` (may be NULL) is what happens then in the loop, and has to stop it in the end; `hangup`
 * (the same) what SIGHUP does. */
void program_run(struct os_loop *loop, bool watch_input, struct os_job *goodbye,
                 struct os_job *hangup);

/* Each 8 bytes hold their own offset, big-endian. */
void fill_with_offsets(struct target_disk *disk);
/* A RAM disk with that. */
struct target_disk *pattern_disk(uint64_t bytes, uint32_t block_length);

#define STANDARD_PREFIX     "iqn.2026-11.org.example"
#define STANDARD_DISK_BYTES (8u << 20)
#define STANDARD_USER       "chapuser"
#define STANDARD_SECRET     "chapsecret123"
#define STANDARD_IDENTITY   "targetuser"
#define STANDARD_PROOF      "targetsecret1"

#endif
