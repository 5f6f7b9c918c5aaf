/* The rows that docs/performance.md shows. */
#include "io.h"

#include <stdio.h>

/* So much the same work differs from run to run: a limit that is reached but for this is reached.
 */
#define NOISE 1.06

static unsigned missed;

unsigned io_missed(void)
{
    return missed;
}

void io_table(const char *title, const char *base)
{
    printf("\n%s\n\n", title);
    printf("| | CPU, us: %s, iscsidsc | ratio (goal) | system calls: %s, iscsidsc | ratio (goal) | "
           "per second: %s, iscsidsc | ratio (goal) | parses nothing: us, per second | "
           "bare stream: us, per second | goals |\n",
           base, base, base);
    printf("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
}

static void print_limit(const struct io_figures *limit)
{
    if (limit != NULL)
        printf(" %.2f, %.0f", limit->cpu, 1e6 / limit->wall);
    printf(" |");
}

static void ratio(double value, double goal, const char *sign)
{
    printf(" **%.2f**", value);
    if (goal > 0)
        printf(" (%s %.2f)", sign, goal);
    printf(" |");
}

/* The worst of what has been found about a row. */
enum verdict { MET, LIMIT /* it is not, but nobody could */, MISSED };

static enum verdict judge_one(bool met, bool at_limit)
{
    return met ? MET : at_limit ? LIMIT : MISSED;
}

static enum verdict judge(const struct io_figures *base, const struct io_figures *ours,
                          const struct io_figures *limit, const struct io_goals *goals)
{
    enum verdict found[3] = {
        judge_one(goals->cpu == 0 || ours->cpu <= goals->cpu * base->cpu,
                  limit != NULL && ours->cpu <= limit->cpu * NOISE),
        judge_one(goals->calls == 0 || ours->calls <= goals->calls * base->calls, false),
        judge_one(goals->speed == 0 || base->wall >= goals->speed * ours->wall,
                  limit != NULL && ours->wall <= limit->wall * NOISE)};
    enum verdict worst = MET;

    for (int i = 0; i < 3; i++)
        worst = found[i] > worst ? found[i] : worst;
    return worst;
}

void io_row(const char *what, const struct io_figures *base, const struct io_figures *ours,
            const struct io_figures *blind, const struct io_figures *bare,
            const struct io_goals *goals)
{
    static const char *const words[] = {"met", "at the limit", "missed"};
    enum verdict verdict = judge(base, ours, blind, goals);
    bool is_asked = goals->cpu > 0 || goals->calls > 0 || goals->speed > 0;

    missed += verdict == MISSED;
    printf("| %s | %.2f, %.2f |", what, base->cpu, ours->cpu);
    ratio(ours->cpu / base->cpu, goals->cpu, "≤");
    printf(" %.3f, %.3f |", base->calls, ours->calls);
    ratio(ours->calls / base->calls, goals->calls, "≤");
    printf(" %.0f, %.0f |", 1e6 / base->wall, 1e6 / ours->wall);
    ratio(base->wall / ours->wall, goals->speed, "≥");
    print_limit(blind);
    print_limit(bare);
    printf(" %s |\n", is_asked ? words[verdict] : "");
    fflush(stdout);
}
