/* The text of iscsi.bindings: which target has which SCSI bus and target id. */
#ifndef ENGINE_BINDING_TABLE_H
#define ENGINE_BINDING_TABLE_H

#include "engine/numbers.h"
#include "os/memory.h"

struct binding {
    char *target;   /* folded */
    uint32_t place; /* SCSI bus * 256 + target id */
    unsigned line;  /* of the file; 0: it is not there yet */
    size_t chain;   /* in the hash table: an index, or BINDING_NONE */
};

#define BINDING_NONE ((size_t)-1)

/* Zero-initialise, use, clear. */
struct binding_table {
    struct binding *entries; /* in the order of the file */
    size_t count;
    size_t room;
    size_t *buckets;
    size_t bucket_count;
    struct numbers places;
    struct os_arena names;
    unsigned lines; /* of the text */
};

enum { BINDING_PROBLEM_ROOM = 512, BINDING_PROBLEMS_TOLD = 20 };

/* A line that does not count, and why; line 0: how many more there are. */
typedef void binding_problem(void *context, unsigned line, const char *why);

/*
 * Reads the text into an empty table: lines `BusId TargetId TargetName`, blanks between them; a
 * word that begins with '#' begins a comment. The first line that names a target or a place counts.
 * False: out of memory.
 */
bool binding_table_read(struct binding_table *table, const char *text, size_t length,
                        binding_problem *problem, void *context);
/* Can a line have it? */
bool binding_name_valid(const char *target);
/* NULL: it has none. */
const struct binding *binding_table_find(const struct binding_table *table, const char *target);
/* One that is not in the text; neither target nor place are bound. False: out of memory. */
bool binding_table_add(struct binding_table *table, const char *target, uint32_t place);
void binding_table_clear(struct binding_table *table);

/* The text with a line for each of those that are not in it; NULL: out of memory. The caller frees.
 */
char *binding_table_text(const struct binding_table *table, const char *text, size_t length,
                         size_t *out_length);
/* They are in it now. */
void binding_table_written(struct binding_table *table);

#endif
