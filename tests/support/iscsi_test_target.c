/* The embedded target as a program for tests. README.md tells its options. */
#include "os/crypto.h"
#include "program.h"
#include "protocol/crc32c.h"
#include "target/script.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    struct os_loop *loop;
    struct target_entity *entity;
    struct target_server *server;
    struct target *target;        /* the last one named */
    struct target_script *script; /* NULL: no faults */
    uint32_t seed;
    uint32_t next_lun;
    unsigned portals;
    bool watch_input;
    uint32_t patience; /* milliseconds that initiators get to log out at the end */
    struct os_job goodbye;
    struct os_job hangup;
    int option_count;
    char **options;
    int log; /* descriptor, -1: none */
};

static void check(enum status status, const char *what)
{
    if (status != STATUS_OK)
        die(status == STATUS_INVALID_NAME || status == STATUS_TARGET_EXISTS ||
                    status == STATUS_INVALID_CHAP_NAME || status == STATUS_INVALID_SECRET
                ? EXIT_USAGE
                : EXIT_NOT_HAD,
            "%s: %s", what, status_text(status));
}

static struct target *last_target(const struct run *run)
{
    if (run->target == NULL)
        die(EXIT_USAGE, "this option needs a --target before it");
    return run->target;
}

/* --- portals --- */

/* "address:port" with an optional ",group"; port 0 is one to be chosen, which no portal really has.
 */
static struct portal_address read_portal(const char *text)
{
    struct portal_address portal;
    char copy[PORTAL_HOST_MAX + 32];
    char *any;
    bool choose;
    enum status status;

    snprintf(copy, sizeof copy, "%s", text);
    any = strstr(copy, ":0");
    choose = any != NULL && (any[2] == ',' || any[2] == '\0');
    if (choose)
        memmove(any, any + 2, strlen(any + 2) + 1);
    status = portal_parse(copy, strlen(copy), true, false, &portal);
    if (status != STATUS_OK)
        die(EXIT_USAGE, "%s: %s", text, status_text(status));
    if (choose)
        portal.port = 0;
    return portal;
}

static void listen_at(struct run *run, const char *text)
{
    struct portal_address portal = read_portal(text);
    char shown[PORTAL_HOST_MAX + 16];

    check(target_server_listen(run->server, portal.host, portal.port,
                               portal.group != 0 ? portal.group : 1, &portal),
          text);
    portal_format(&portal, shown, sizeof shown);
    printf("portal %s\n", shown);
    run->portals++;
}

/* --- targets --- */

static void begin_target(struct run *run, const char *name)
{
    check(target_add(run->entity, name, &run->target), name);
    run->next_lun = 0;
}

/* One line for each change, in one call each: what is there when the program is killed is whole. */
static void log_change(void *context, enum target_disk_change change, uint64_t offset,
                       uint64_t length, const void *data)
{
    static const char *const names[] = {"write", "zero", "flush"};
    const struct run *run = context;
    char line[96];
    int size = snprintf(line, sizeof line, "%s %llu %llu %08x\n", names[change],
                        (unsigned long long)offset, (unsigned long long)length,
                        data != NULL ? crc32c(0, data, (size_t)length) : 0);

    if (write(run->log, line, (size_t)size) != size)
        die(EXIT_NOT_HAD, "the log: %s", strerror(errno));
}

static void open_log(struct run *run, const char *path)
{
    run->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (run->log < 0)
        die(EXIT_NOT_HAD, "%s: %s", path, strerror(errno));
}

static void add_disk(struct run *run, struct target_disk *disk)
{
    if (run->log >= 0)
        target_disk_on_change(disk, log_change, run);
    check(target_add_disk(last_target(run), run->next_lun++, disk), "--lun");
}

static uint64_t read_size(const char *text)
{
    char *end;
    unsigned long long size = strtoull(text, &end, 10);
    const char *units = "KMG";
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;

    if (end == text || (*end != '\0' && (unit == NULL || end[1] != '\0')))
        die(EXIT_USAGE, "%s: not a size", text);
    return unit == NULL ? size : size << (10 * (unit - units + 1));
}

/* "ram:8M,ro,bs=4096" */
static void add_lun(struct run *run, char *text)
{
    uint32_t block_length = 512;
    uint32_t physical = 0;
    bool read_only = false;
    bool removable = false;
    const char *reservations = NULL;
    bool cached = false;
    struct target_disk *disk;
    char *option;

    while ((option = strrchr(text, ',')) != NULL) {
        if (strcmp(option, ",ro") == 0)
            read_only = true;
        else if (strcmp(option, ",cached") == 0)
            cached = true;
        else if (strcmp(option, ",removable") == 0)
            removable = true;
        else if (strncmp(option, ",reservations=", 14) == 0)
            reservations = option + 14;
        else if (strncmp(option, ",bs=", 4) == 0)
            block_length = (uint32_t)read_size(option + 4);
        else if (strncmp(option, ",physical=", 10) == 0)
            physical = (uint32_t)read_size(option + 10);
        else
            break;
        *option = '\0';
    }
    if (strncmp(text, "ram:", 4) == 0)
        disk = pattern_disk(read_size(text + 4), block_length);
    else if (strncmp(text, "file:", 5) == 0 && cached)
        check(target_disk_cached(text + 5, block_length, &disk), text);
    else if (strncmp(text, "file:", 5) == 0)
        check(target_disk_file(text + 5, block_length, read_only, &disk), text);
    else
        die(EXIT_USAGE, "%s: neither ram: nor file:", text);
    if (read_only)
        target_disk_set_read_only(disk);
    if (removable)
        target_disk_set_removable(disk);
    if (reservations != NULL)
        check(target_disk_keep_reservations(disk, reservations), reservations);
    if (physical != 0)
        check(target_disk_set_physical(disk, physical), "physical");
    add_disk(run, disk);
}

/* Cuts "user:secret" in two. */
static char *cut_secret(char *text)
{
    char *colon = strchr(text, ':');

    if (colon == NULL)
        die(EXIT_USAGE, "%s: not user:secret", text);
    *colon = '\0';
    return colon + 1;
}

static void add_account(struct target_access *access, char *text)
{
    const char *secret = cut_secret(text);

    check(target_access_add(access, text, secret), text);
}

static void set_identity(struct target_access *access, char *text)
{
    const char *secret = cut_secret(text);

    check(target_access_identity(access, text, secret), text);
}

static void find_target(struct run *run, const char *name)
{
    run->target = target_find(run->entity, name);
    if (run->target == NULL)
        die(EXIT_USAGE, "%s: no such target", name);
}

/* "name,lun" */
static void choose_target(struct run *run, char *text)
{
    char *lun = strrchr(text, ',');

    if (lun == NULL)
        die(EXIT_USAGE, "%s: not NAME,LUN", text);
    *lun++ = '\0';
    find_target(run, text);
    run->next_lun = (uint32_t)strtoul(lun, NULL, 10);
}

static void remove_target(struct run *run, const char *name)
{
    find_target(run, name);
    target_remove(run->target);
    run->target = NULL;
}

static void add_standard(struct run *run)
{
    static const struct {
        const char *name;
        bool chap, mutual;
        unsigned disks;
    } targets[] = {{"open", false, false, 1},
                   {"chap", true, false, 1},
                   {"mutual", true, true, 1},
                   {"two-luns", false, false, 2}};

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char name[64];

        snprintf(name, sizeof name, "%s:%s", STANDARD_PREFIX, targets[i].name);
        begin_target(run, name);
        for (unsigned disk = 0; disk < targets[i].disks; disk++)
            add_disk(run, pattern_disk(STANDARD_DISK_BYTES, 512));
        if (targets[i].chap)
            check(target_access_add(target_access_of(run->target), STANDARD_USER, STANDARD_SECRET),
                  name);
        if (targets[i].mutual)
            check(target_access_identity(target_access_of(run->target), STANDARD_IDENTITY,
                                         STANDARD_PROOF),
                  name);
    }
    run->target = NULL;
}

static void add_many(struct run *run, const char *count)
{
    unsigned long last = strtoul(count, NULL, 10);

    for (unsigned long i = 0; i < last; i++) {
        char name[64];

        snprintf(name, sizeof name, "%s:many-%04lu", STANDARD_PREFIX, i);
        begin_target(run, name);
    }
    run->target = NULL;
}

/* --- options --- */

static void set_by_name(struct run *run, char *text)
{
    char *value = strchr(text, '=');

    if (value == NULL)
        die(EXIT_USAGE, "%s: not NAME=VALUE", text);
    *value++ = '\0';
    if (target_set(run->entity, text, value) != STATUS_OK)
        die(EXIT_USAGE, "--set %s=%s: no such setting, or not a value for it", text, value);
}

enum option_code {
    PORTAL,
    STANDARD,
    MANY,
    TARGET,
    OF,
    REMOVE,
    LUN,
    CHAP,
    MUTUAL,
    ALLOW_NAME,
    ALLOW_NETWORK,
    ALIAS,
    REDIRECT,
    REDIRECT_PERMANENT,
    GROUP,
    DISCOVERY_CHAP,
    DISCOVERY_MUTUAL,
    DIGEST,
    NOP_INTERVAL,
    TIME2WAIT,
    SET,
    FAULT,
    FAULTS,
    SEED,
    LOG,
    GOODBYE,
    NO_STDIN,
    ON_HUP,
};

static const struct option options[] = {
    {"portal", required_argument, NULL, PORTAL},
    {"standard", no_argument, NULL, STANDARD},
    {"many", required_argument, NULL, MANY},
    {"target", required_argument, NULL, TARGET},
    {"of", required_argument, NULL, OF},
    {"remove", required_argument, NULL, REMOVE},
    {"lun", required_argument, NULL, LUN},
    {"chap", required_argument, NULL, CHAP},
    {"mutual", required_argument, NULL, MUTUAL},
    {"allow-name", required_argument, NULL, ALLOW_NAME},
    {"allow-network", required_argument, NULL, ALLOW_NETWORK},
    {"alias", required_argument, NULL, ALIAS},
    {"redirect", required_argument, NULL, REDIRECT},
    {"redirect-permanent", required_argument, NULL, REDIRECT_PERMANENT},
    {"group", required_argument, NULL, GROUP},
    {"discovery-chap", required_argument, NULL, DISCOVERY_CHAP},
    {"discovery-mutual", required_argument, NULL, DISCOVERY_MUTUAL},
    {"digest", required_argument, NULL, DIGEST},
    {"nop-interval", required_argument, NULL, NOP_INTERVAL},
    {"time2wait", required_argument, NULL, TIME2WAIT},
    {"set", required_argument, NULL, SET},
    {"fault", required_argument, NULL, FAULT},
    {"faults", required_argument, NULL, FAULTS},
    {"seed", required_argument, NULL, SEED},
    {"log", required_argument, NULL, LOG},
    {"goodbye", required_argument, NULL, GOODBYE},
    {"no-stdin", no_argument, NULL, NO_STDIN},
    {"on-hup", no_argument, NULL, ON_HUP},
    {NULL, 0, NULL, 0},
};

static void add_rules(struct run *run, const char *where, const char *text)
{
    char error[256];

    if (run->script == NULL) {
        run->script = target_script_new(run->seed);
        if (run->script == NULL)
            die(EXIT_NOT_HAD, "out of memory");
        target_entity_settings(run->entity)->fault = target_script_fault(run->script);
    }
    if (!target_script_add(run->script, text, error, sizeof error))
        die(EXIT_USAGE, "%s: %s", where, error);
}

static void add_rules_of_file(struct run *run, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t length = 0;

    if (file == NULL)
        die(EXIT_NOT_HAD, "%s: %s", path, strerror(errno));
    if (getdelim(&text, &length, '\0', file) < 0 && ferror(file))
        die(EXIT_NOT_HAD, "%s: %s", path, strerror(errno));
    fclose(file);
    if (text != NULL)
        add_rules(run, path, text);
    free(text);
}

static void set_seed(struct run *run, const char *text)
{
    char *end;

    run->seed = (uint32_t)strtoul(text, &end, 0);
    if (end == text || *end != '\0' || run->script != NULL)
        die(EXIT_USAGE, "--seed %s: a number, and before the faults", text);
}

static void obey_target_option(struct run *run, int code)
{
    struct target *target = last_target(run);

    switch (code) {
    case LUN:
        add_lun(run, optarg);
        break;
    case CHAP:
        add_account(target_access_of(target), optarg);
        break;
    case MUTUAL:
        set_identity(target_access_of(target), optarg);
        break;
    case ALLOW_NAME:
        check(target_access_allow_name(target_access_of(target), optarg), optarg);
        break;
    case ALLOW_NETWORK:
        check(target_access_allow_network(target_access_of(target), optarg), optarg);
        break;
    case ALIAS:
        check(target_set_alias(target, optarg), "--alias");
        break;
    case GROUP:
        check(target_add_group(target, (uint16_t)strtoul(optarg, NULL, 10)), "--group");
        break;
    default:
        check(target_set_redirect(target, optarg, code == REDIRECT_PERMANENT), "--redirect");
        break;
    }
}

static void obey_option(struct run *run, int code)
{
    struct target_settings *settings = target_entity_settings(run->entity);
    struct target_access *discovery = target_access_of_discovery(run->entity);

    switch (code) {
    case PORTAL:
        listen_at(run, optarg);
        break;
    case STANDARD:
        add_standard(run);
        break;
    case MANY:
        add_many(run, optarg);
        break;
    case TARGET:
        begin_target(run, optarg);
        break;
    case OF:
        choose_target(run, optarg);
        break;
    case REMOVE:
        remove_target(run, optarg);
        break;
    case DISCOVERY_CHAP:
        add_account(discovery, optarg);
        break;
    case DISCOVERY_MUTUAL:
        set_identity(discovery, optarg);
        break;
    case DIGEST:
        settings->offers.header_digest = settings->offers.data_digest = optarg;
        break;
    case NOP_INTERVAL:
        settings->nop_interval = 1000 * (uint32_t)strtoul(optarg, NULL, 10);
        break;
    case TIME2WAIT:
        settings->offers.default_time2wait = (uint32_t)strtoul(optarg, NULL, 10);
        break;
    case SET:
        set_by_name(run, optarg);
        break;
    case FAULT:
        add_rules(run, "--fault", optarg);
        break;
    case FAULTS:
        add_rules_of_file(run, optarg);
        break;
    case SEED:
        set_seed(run, optarg);
        break;
    case LOG:
        open_log(run, optarg);
        break;
    case GOODBYE:
        run->patience = 1000 * (uint32_t)strtoul(optarg, NULL, 10);
        break;
    case NO_STDIN:
        run->watch_input = false;
        break;
    default:
        obey_target_option(run, code);
        break;
    }
}

static void gone(void *context)
{
    os_loop_stop(((struct run *)context)->loop);
}

static void say_goodbye(struct os_job *job)
{
    struct run *run = (struct run *)((char *)job - offsetof(struct run, goodbye));

    target_server_stop(run->server, run->patience, gone, run);
}

/* Up to an --on-hup, or the end. */
static void obey_options(struct run *run)
{
    int code;

    while ((code = getopt_long(run->option_count, run->options, "", options, NULL)) != -1) {
        if (code == '?')
            exit(EXIT_USAGE);
        if (code == ON_HUP)
            return;
        obey_option(run, code);
    }
    if (optind < run->option_count)
        die(EXIT_USAGE, "%s: not an option", run->options[optind]);
}

static void hang_up(struct os_job *job)
{
    struct run *run = (struct run *)((char *)job - offsetof(struct run, hangup));

    obey_options(run);
    target_announce(run->entity);
    puts("changed");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct run run = {.watch_input = true,
                      .log = -1,
                      .goodbye = {.run = say_goodbye},
                      .hangup = {.run = hang_up},
                      .option_count = argc,
                      .options = argv};

    program_block_signals();
    run.loop = os_loop_new();
    run.entity = target_entity_new(&os_crypto);
    run.server =
        run.loop != NULL && run.entity != NULL ? target_server_new(run.loop, run.entity) : NULL;
    if (run.server == NULL)
        die(EXIT_NOT_HAD, "out of memory");
    obey_options(&run);
    if (run.portals == 0)
        listen_at(&run, "127.0.0.1:0");
    puts("ready");
    fflush(stdout);
    program_run(run.loop, run.watch_input, run.patience > 0 ? &run.goodbye : NULL, &run.hangup);
    target_server_free(run.server);
    target_entity_free(run.entity);
    target_script_free(run.script);
    os_loop_free(run.loop);
    return 0;
}
