/* The loaded library, for tests that look into it. */
#ifndef TESTS_ABI_LIBRARY_H
#define TESTS_ABI_LIBRARY_H

typedef void (*library_function)(void);

/* The exported function of that name in the library the program runs with; NULL: none. */
library_function library_find(const char *name);

#endif
