/* Between the files that read iscsi.conf. */
#ifndef ENGINE_CONFIGURATION_INTERNAL_H
#define ENGINE_CONFIGURATION_INTERNAL_H

#include "engine/configuration.h"
#include "engine/network.h"
#include "os/memory.h"

struct place {
    uint32_t line;   /* from 1 on */
    uint32_t column; /* likewise, in characters */
};

/* Of a file. */
struct setting {
    struct setting *next;
    enum scoped_parameter parameter;
    uint32_t line;      /* of the name */
    struct place place; /* of the value, which may be on a line further down */
    uint32_t number;
    const char *text; /* instead; NULL: a number */
};

struct section {
    enum configuration_scope scope;
    uint32_t line;                /* 0: the global one */
    const char *name;             /* as the file spells what it names; a target's is folded */
    struct network network;       /* SUBNET, TARGET_IP_ADDRESS, ADDRESS */
    struct portal_address portal; /* DISCOVERY_ADDRESS */
    struct setting *settings;     /* the latest first */
    struct section *next;
};

struct configuration {
    struct parameters parameters;
    uint32_t lines[PARAMETERS_COUNT];      /* that set them */
    struct place places[PARAMETERS_COUNT]; /* of their values */
    struct section global;                 /* its `next` are the others, in the order of the file */
    struct configuration_discovery *discovery;
    size_t discovery_count;
    const char *file;
    struct os_arena arena; /* holds passwords */
};

const struct setting *section_find(const struct section *section, enum scoped_parameter parameter);

/* --- lines: configuration_lines.c --- */

#define LINE_ROOM 2048u

/* A logical line, its continuations joined and its comment gone. */
struct file_line {
    char text[LINE_ROOM];
    struct place places[LINE_ROOM]; /* of each byte, and of the NUL */
    size_t length;
    bool indented;
    const char *problem; /* NULL: none */
    struct place problem_at;
};

struct file_reader {
    const char *next;
    struct place at;
};

void file_reader_begin(struct file_reader *reader, const char *text);
/* False: there are no more. */
bool file_reader_line(struct file_reader *reader, struct file_line *line);

/* "Name = value" in a line, without blanks around and without the quotes of the value. */
struct assignment {
    char name[LINE_ROOM];
    char value[LINE_ROOM];
    struct place name_at;
    struct place value_at;
};
/* False: what is wrong is in the line's `problem`. */
bool file_line_split(struct file_line *line, struct assignment *out);

/* --- values: configuration_values.c --- */

#define EXPECTED_ROOM 160u
/* What such a value may be, for "Name is "value", not ...". */
void scoped_value_expected(const struct scoped_info *info, char out[EXPECTED_ROOM]);
bool scoped_value_number(const struct scoped_info *info, const char *text, uint32_t *out);
/* `out` has info->room bytes. */
bool scoped_value_text(const struct scoped_info *info, const char *text, char *out);
/* A row of parameter_table. */
bool service_value(const struct parameter_info *info, const char *text, void *member);
void service_value_expected(const struct parameter_info *info, char out[EXPECTED_ROOM]);

/* --- sections: configuration_scopes.c --- */

/* SCOPE_DEFAULT: no such name. */
enum configuration_scope scope_of_name(const char *name);
/* Reads what a section names. NULL: it does; else what it ought to be. `section->name` is not set.
 */
const char *section_read(struct section *section, const char *value);
bool section_same(const struct section *a, const struct section *b);
bool section_matches(const struct section *section, const struct configuration_subject *subject);
/* Which of two matching sections of one scope is the more specific. */
unsigned section_weight(const struct section *section);

#endif
