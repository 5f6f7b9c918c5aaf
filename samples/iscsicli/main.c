/*
 * iscsicli: manages iSCSI targets and sessions from the command line, with the commands,
 * the arguments and the output of the Windows tool of that name.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

enum {
    LINE_LENGTH = 65536, /* room for some thousand mapped LUNs */
    WORDS = LINE_LENGTH / 2,
};

static void print_banner(void)
{
    ISCSI_VERSION_INFO version;

    if (GetIScsiVersionInformation(&version) == ERROR_SUCCESS)
        printf("Microsoft iSCSI Initiator Version %lu.%lu Build %lu\n\n",
               (unsigned long)version.MajorVersion, (unsigned long)version.MinorVersion,
               (unsigned long)version.BuildNumber);
    else
        printf("Microsoft iSCSI Initiator\n\n");
}

static void print_prompt(void)
{
    CHAR name[MAX_ISCSI_NAME_LEN + 1] = "";

    if (GetIScsiInitiatorNodeNameA(name) != ERROR_SUCCESS)
        name[0] = '\0';
    printf("[%s] Enter command or ^C to exit\n", name);
    fflush(stdout);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * Split a line at blanks, in place. Double quotes keep blanks together; a backslash is nothing
 * special, as initiator and device names are full of them.
 */
static int split(char *line, char **words)
{
    int count = 0;

    for (;;) {
        bool quoted = false;
        char *to;

        while (is_blank(*line))
            line++;
        if (*line == '\0')
            return count;
        words[count++] = to = line;
        for (; *line && (quoted || !is_blank(*line)); line++) {
            if (*line == '"')
                quoted = !quoted;
            else
                *to++ = *line;
        }
        line += *line != '\0';
        *to = '\0';
    }
}

/* One line without its end. An overlong line is dropped whole, never run in part. */
static bool read_line(char *line)
{
    while (fgets(line, LINE_LENGTH, stdin)) {
        size_t length = strlen(line);
        bool whole = length + 1 < LINE_LENGTH || line[length - 1] == '\n';
        int c = '\n';

        line[strcspn(line, "\r\n")] = '\0';
        if (whole)
            return true;
        do
            c = getchar();
        while (c != '\n' && c != EOF);
        puts("The line is too long");
        fflush(stdout);
    }
    return false;
}

/* The status of the last command. */
static ISDSC_STATUS run_interactively(void)
{
    static char line[LINE_LENGTH];
    static char *words[WORDS];
    ISDSC_STATUS status = ERROR_SUCCESS;

    for (print_prompt(); read_line(line); print_prompt())
        status = command_dispatch(split(line, words), words);
    return status;
}

int main(int argc, char **argv)
{
    print_banner();
    return platform_exit_code(argc > 1 ? command_dispatch(argc - 1, argv + 1)
                                       : run_interactively());
}
