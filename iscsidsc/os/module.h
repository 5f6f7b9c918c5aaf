/* Libraries that are loaded while the program runs, and code in them that may misbehave. */
#ifndef OS_MODULE_H
#define OS_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_module;
typedef void (*os_function)(void);

/* NULL: it cannot be loaded. One that is loaded already is the same one again. */
struct os_module *os_module_open(const char *path);
void os_module_close(struct os_module *module);
bool os_module_same(const struct os_module *a, const struct os_module *b);
/* NULL: it exports nothing of that name. */
os_function os_module_function(const struct os_module *module, const char *name);

/* The file that the code of `function` was loaded from, as UTF-8. False: not known, or too long. */
bool os_code_path(os_function function, char *out, size_t room);

/*
 * Runs `run` on trial: in a copy of this process that has no other effect and ends at once, its
 * output going nowhere. False: it crashed, ended the process, returned false, or had not returned
 * after so many milliseconds. Where processes cannot be copied (Windows) nothing runs, and it is
 * true.
 */
bool os_rehearse(bool (*run)(void *argument), void *argument, uint64_t milliseconds);
/*
 * Runs `run` in this process. Where that can be done without handling the program's signals
 * (Windows) an invalid memory access and the like in it end the call, and not the process; what it
 * held stays held then. False: that, or it returned false. One caller at a time.
 */
bool os_guarded(bool (*run)(void *argument), void *argument);

/* Copies memory that may not be there, or not to be read. */
bool os_copy_memory(void *out, const void *from, size_t length);

/* Runs `run` when the process ends in an orderly way. On Windows, where other threads have been
 * killed by then, whatever they held, it is not run. */
void os_at_exit(void (*run)(void));

/* The file NAME of the directory for the system's configuration: /etc, or drivers\etc of Windows'
 * system directory. False: there is no such place. */
bool os_system_file(const char *name, char *out, size_t room);

#endif
