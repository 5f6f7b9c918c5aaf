/*
 * Faults by script: text of one rule a line, "on scsi-response 3 omit". What can be said is in
 * docs/faults.md. A script is deterministic: the same PDUs and the same seed give the same faults.
 */
#ifndef TARGET_SCRIPT_H
#define TARGET_SCRIPT_H

#include "target/fault.h"

struct target_script;

/* NULL: out of memory. */
struct target_script *target_script_new(uint32_t seed);
/* No connection of its entity may be left, unless the entity's fault was set to another. */
void target_script_free(struct target_script *script);

/* Adds the rules of `text` behind those that are there, all of them or none. False: `error` says
 * what is wrong ("line 2: omitt: no such action"), or out of memory. */
bool target_script_add(struct target_script *script, const char *text, char *error, size_t room);
/* Forgets all rules; how many connections there were is remembered. */
void target_script_clear(struct target_script *script);

/* For target_settings.fault. */
const struct target_fault *target_script_fault(struct target_script *script);

/* How often the `rule`th rule (from 0, in the order of the lines) was obeyed. */
uint64_t target_script_hits(const struct target_script *script, unsigned rule);

#endif
