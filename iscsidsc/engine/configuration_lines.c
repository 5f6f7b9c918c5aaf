/* The lines of iscsi.conf: continuation, comments, quotes, and where each character stands. */
#include "engine/configuration_internal.h"
#include "os/system.h"

#include <string.h>

/* How far a line has got: a quote that opens a value hides '#' from being a comment's begin. */
enum phase { PHASE_NAME, PHASE_EQUALS, PHASE_VALUE, PHASE_QUOTED };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void file_reader_begin(struct file_reader *reader, const char *text)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that editors of Windows put in front of UTF-8 */
    if (strncmp(text, mark, sizeof mark - 1) == 0)
        text += sizeof mark - 1;
    *reader = (struct file_reader){.next = text, .at = {1, 1}};
}

static void step(struct file_reader *reader)
{
    char c = *reader->next++;
    if (c == '\n')
        reader->at = (struct place){reader->at.line + 1, 1};
    else if (((unsigned char)*reader->next & 0xc0) != 0x80)
        reader->at.column++;
}

static void complain(struct file_line *line, struct place at, const char *problem)
{
    if (line->problem != NULL)
        return;
    line->problem = problem;
    line->problem_at = at;
}

static void keep(struct file_line *line, char c, struct place at)
{
    if (line->length + 1 == LINE_ROOM) {
        complain(line, at, "the line is too long");
        return;
    }
    line->text[line->length] = c;
    line->places[line->length++] = at;
}

static size_t line_end(const char *text)
{
    return text[0] == '\r' ? (size_t)(text[1] == '\n' ? 2 : 0) : (size_t)(text[0] == '\n');
}

/* At a backslash: past it and the blanks that the next line begins with. */
static void join(struct file_reader *reader, struct file_line *line)
{
    struct place at = reader->at;
    size_t end = line_end(reader->next + 1);
    for (size_t i = 0; i <= end; i++)
        step(reader);
    if (*reader->next == '\0')
        complain(line, at, "nothing follows the backslash at the end of the line");
    while (*reader->next == ' ' || *reader->next == '\t')
        step(reader);
}

static bool only_blanks_follow(const char *text)
{
    text += strspn(text, " \t\r");
    return *text == '\n' || *text == '\0';
}

static enum phase after(enum phase phase, char c)
{
    switch (phase) {
    case PHASE_NAME:
        return c == '=' ? PHASE_EQUALS : PHASE_NAME;
    case PHASE_EQUALS:
        if (is_blank(c))
            return PHASE_EQUALS;
        return c == '"' ? PHASE_QUOTED : PHASE_VALUE;
    case PHASE_QUOTED:
        return c == '"' ? PHASE_VALUE : PHASE_QUOTED;
    default:
        return PHASE_VALUE;
    }
}

/* In quotes a backslash makes the next quote or backslash a character like others. */
static bool escapes(const struct file_reader *reader, enum phase phase)
{
    return phase == PHASE_QUOTED && (reader->next[1] == '"' || reader->next[1] == '\\');
}

static enum phase take_backslash(struct file_reader *reader, struct file_line *line,
                                 enum phase phase)
{
    if (line_end(reader->next + 1) > 0) {
        join(reader, line);
        return phase;
    }
    if (phase != PHASE_QUOTED && only_blanks_follow(reader->next + 1))
        complain(line, reader->at, "blanks or the file's end follow the backslash");
    bool pair = escapes(reader, phase);
    for (int i = 0; i < (pair ? 2 : 1); i++) {
        keep(line, *reader->next, reader->at);
        step(reader);
    }
    return phase == PHASE_EQUALS ? PHASE_VALUE : phase;
}

static void skip_comment(struct file_reader *reader)
{
    while (*reader->next != '\0' && *reader->next != '\n')
        step(reader);
}

static void take_characters(struct file_reader *reader, struct file_line *line)
{
    enum phase phase = PHASE_NAME;
    while (*reader->next != '\0' && *reader->next != '\n') {
        char c = *reader->next;
        if (c == '#' && phase != PHASE_QUOTED) {
            skip_comment(reader);
        } else if (c == '\\') {
            phase = take_backslash(reader, line, phase);
        } else {
            phase = after(phase, c);
            keep(line, c, reader->at);
            step(reader);
        }
    }
}

static void check(struct file_line *line)
{
    size_t length;
    for (size_t i = 0; i < line->length; i++) {
        unsigned char c = (unsigned char)line->text[i];
        if ((c < ' ' && !is_blank((char)c)) || c == 0x7f)
            complain(line, line->places[i], "a control character");
    }
    if (!os_utf8_valid(line->text, &length))
        complain(line, line->places[0], "the line is no UTF-8 text");
}

bool file_reader_line(struct file_reader *reader, struct file_line *line)
{
    if (*reader->next == '\0')
        return false;
    line->length = 0;
    line->problem = NULL;
    line->indented = is_blank(*reader->next);
    take_characters(reader, line);
    line->text[line->length] = '\0';
    line->places[line->length] = reader->at;
    if (*reader->next == '\n')
        step(reader);
    check(line);
    return true;
}

/* --- parts --- */

static void trim(const char *text, size_t *from, size_t *to)
{
    while (*from < *to && is_blank(text[*from]))
        ++*from;
    while (*to > *from && is_blank(text[*to - 1]))
        --*to;
}

static void cut(const char *text, size_t from, size_t to, char out[LINE_ROOM])
{
    memcpy(out, text + from, to - from);
    out[to - from] = '\0';
}

static bool unquote(struct file_line *line, size_t from, size_t to, char out[LINE_ROOM])
{
    size_t length = 0;
    size_t at = from + 1;
    for (; at < to && line->text[at] != '"'; at++) {
        if (line->text[at] == '\\' && (line->text[at + 1] == '"' || line->text[at + 1] == '\\'))
            at++;
        out[length++] = line->text[at];
    }
    out[length] = '\0';
    size_t behind = at + 1;
    trim(line->text, &behind, &to);
    if (at >= to)
        complain(line, line->places[from], "the quote is not closed");
    else if (behind < to)
        complain(line, line->places[behind], "nothing may follow the closing quote");
    return line->problem == NULL;
}

static bool has_inner_control(struct file_line *line, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if ((unsigned char)line->text[i] < ' ')
            complain(line, line->places[i], "a control character");
    }
    return line->problem != NULL;
}

static bool take_value(struct file_line *line, size_t from, struct assignment *out)
{
    size_t to = line->length;
    trim(line->text, &from, &to);
    out->value_at = line->places[from];
    if (from == to) {
        complain(line, line->places[from], "a value is missing behind \"=\"");
        return false;
    }
    if (has_inner_control(line, from, to))
        return false;
    if (line->text[from] == '"')
        return unquote(line, from, to, out->value);
    cut(line->text, from, to, out->value);
    return true;
}

bool file_line_split(struct file_line *line, struct assignment *out)
{
    const char *equals = memchr(line->text, '=', line->length);
    size_t from = 0;
    size_t to = equals != NULL ? (size_t)(equals - line->text) : line->length;
    trim(line->text, &from, &to);
    out->name_at = line->places[from];
    if (equals == NULL)
        complain(line, out->name_at, "not of the form \"Name = value\"");
    else if (from == to)
        complain(line, out->name_at, "a name is missing before \"=\"");
    else if (!has_inner_control(line, from, to))
        cut(line->text, from, to, out->name);
    return line->problem == NULL && take_value(line, (size_t)(equals - line->text) + 1, out);
}
