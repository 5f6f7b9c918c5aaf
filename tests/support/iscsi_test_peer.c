/* A target that misbehaves to order: each case of misbehaviours.h on a port of its own. */
#include "os/crypto.h"
#include "os/memory.h"
#include "peer.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct row {
    const char *name;
    enum misbehaviour_phase phase;
    unsigned checklist;
    const char *what;
};

/* The codes are the test's business. */
#define ROW(name, phase, code, targets, checklist, what) {name, PHASE_##phase, checklist, what},
static const struct row rows[] = {MISBEHAVIOURS(ROW)};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const char *const phase_names[] = {"discovery", "login",  "chap",  "mutual",
                                          "command",   "digest", "logout"};

static struct scene *scenes[ROW_COUNT];

/* --- random numbers --- */

/* Challenges begin with the digit 0, so that one can be spelt without it. */
static bool random_with_zero(void *out, size_t length)
{
    if (!os_random(out, length))
        return false;
    if (length >= 16)
        *(uint8_t *)out &= 0x0f;
    return true;
}

static struct chap_crypto crypto;

/* --- the play --- */

enum { SEEN = 1, DISCOVERY = 2, CONCERNED = 4 };

static bool says_discovery(const struct target_fault_in *in)
{
    char value[32];

    return in->length > 0 && get_key(in->data, in->length, "SessionType", value, sizeof value) &&
           strcmp(value, "Discovery") == 0;
}

/* Each connection tells in its first PDU what it is for. */
static bool concerned(struct scene *scene, struct target_connection *connection,
                      const struct target_fault_in *in)
{
    uint32_t *memory = target_fault_memory(connection);

    if ((*memory & SEEN) == 0 && in != NULL) {
        bool discovery = says_discovery(in);

        *memory |= SEEN | (discovery ? DISCOVERY : 0);
        if (discovery == (scene->phase == PHASE_DISCOVERY)) {
            *memory |= CONCERNED;
            scene->arrivals++;
        }
    }
    return (*memory & CONCERNED) != 0;
}

static void on_connected(void *context, struct target_connection *connection)
{
    struct scene *scene = context;

    if (scene->play->connected != NULL)
        scene->play->connected(scene, connection);
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    struct scene *scene = context;

    if (concerned(scene, connection, in) && scene->play->incoming != NULL)
        scene->play->incoming(scene, connection, in);
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    struct scene *scene = context;

    if (concerned(scene, connection, NULL) && scene->play->outgoing != NULL)
        scene->play->outgoing(scene, connection, out);
}

static void on_encoded(void *context, struct target_connection *connection, const struct pdu *pdu,
                       uint8_t *bytes, size_t length)
{
    struct scene *scene = context;

    if (concerned(scene, connection, NULL))
        scene->play->encoded(scene, pdu, bytes, length);
}

/* --- setting the scenes --- */

static const struct play *find_play(const char *name)
{
    const struct {
        const struct play *plays;
        size_t count;
    } lists[] = {{discovery_plays, discovery_play_count},
                 {login_plays, login_play_count},
                 {chap_plays, chap_play_count},
                 {command_plays, command_play_count}};

    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (size_t i = 0; i < lists[list].count; i++) {
            if (strcmp(lists[list].plays[i].name, name) == 0)
                return &lists[list].plays[i];
        }
    }
    die(EXIT_NOT_HAD, "%s: nobody plays this case", name);
}

static void set_target(struct scene *scene)
{
    char name[128];
    struct target_access *access;

    snprintf(name, sizeof name, MISBEHAVIOUR_TARGET "%s", scene->name);
    if (target_add(scene->entity, name, &scene->target) != STATUS_OK ||
        target_add_disk(scene->target, 0, pattern_disk(65536, 512)) != STATUS_OK)
        die(EXIT_NOT_HAD, "%s: no target", name);
    access = target_access_of(scene->target);
    if (scene->phase == PHASE_CHAP || scene->phase == PHASE_MUTUAL)
        target_access_add(access, STANDARD_USER, STANDARD_SECRET);
    if (scene->phase == PHASE_MUTUAL)
        target_access_identity(access, STANDARD_IDENTITY, STANDARD_PROOF);
}

static void listen_on_ports(struct scene *scene)
{
    struct portal_address bound;

    for (unsigned i = 0; i <= scene->play->more_ports; i++) {
        enum status status = target_server_listen(scene->server, "127.0.0.1", 0, 1, &bound);

        if (status != STATUS_OK)
            die(EXIT_NOT_HAD, "%s: %s", scene->name, status_text(status));
        scene->ports[i] = bound.port;
        if (i > 0) /* only redirects lead there */
            target_remove_portal(scene->entity, &bound);
    }
}

static struct scene *set_scene(struct os_loop *loop, const struct row *row)
{
    struct scene *scene = os_alloc(sizeof *scene);

    if (scene == NULL)
        die(EXIT_NOT_HAD, "out of memory");
    scene->name = row->name;
    scene->phase = row->phase;
    scene->play = find_play(row->name);
    scene->entity = target_entity_new(&crypto);
    scene->server = scene->entity != NULL ? target_server_new(loop, scene->entity) : NULL;
    if (scene->server == NULL)
        die(EXIT_NOT_HAD, "out of memory");
    scene->fault = (struct target_fault){.context = scene,
                                         .connected = on_connected,
                                         .incoming = on_incoming,
                                         .outgoing = on_outgoing,
                                         .encoded = scene->play->encoded ? on_encoded : NULL};
    target_entity_settings(scene->entity)->fault = &scene->fault;
    set_target(scene);
    if (scene->play->setup != NULL)
        scene->play->setup(scene);
    if (strcmp(scene->name, "discovery-refused") == 0)
        scene->ports[0] = closed_port;
    else
        listen_on_ports(scene);
    return scene;
}

static void strike_scene(struct scene *scene)
{
    target_server_free(scene->server);
    target_entity_free(scene->entity);
    os_free(scene);
}

/* Bound, so that nobody else gets it, but deaf. */
static uint16_t reserve_closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int reserved = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (reserved < 0 || bind(reserved, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(reserved, (struct sockaddr *)&address, &length) != 0)
        die(EXIT_NOT_HAD, "no port for the closed one");
    return ntohs(address.sin_port);
}

/* --- the program --- */

static void write_ports(const char *path)
{
    char *draft = malloc(strlen(path) + 5);
    FILE *file;

    if (draft == NULL)
        die(EXIT_NOT_HAD, "out of memory");
    sprintf(draft, "%s.new", path);
    file = fopen(draft, "w");
    if (file == NULL)
        die(EXIT_NOT_HAD, "%s cannot be written", draft);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (scenes[i] != NULL)
            fprintf(file, "%s %u\n", scenes[i]->name, scenes[i]->ports[0]);
    }
    if (fclose(file) != 0 || rename(draft, path) != 0)
        die(EXIT_NOT_HAD, "%s cannot be written", path);
    free(draft);
}

static void list_rows(void)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        printf("%-32s %-9s %2u  %s\n", rows[i].name, phase_names[rows[i].phase], rows[i].checklist,
               rows[i].what);
}

struct wishes {
    const char *ports;
    bool watch_input;
    bool all;
    bool wanted[ROW_COUNT];
};

static void wish_case(struct wishes *wishes, const char *name)
{
    wishes->all = false;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            wishes->wanted[i] = true;
            return;
        }
    }
    die(EXIT_USAGE, "%s: no such case", name);
}

static struct wishes read_options(int argc, char **argv)
{
    static const struct option options[] = {{"ports", required_argument, NULL, 'p'},
                                            {"case", required_argument, NULL, 'c'},
                                            {"no-stdin", no_argument, NULL, 'n'},
                                            {"list", no_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    struct wishes wishes = {.watch_input = true, .all = true};
    int code;

    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (code == 'p')
            wishes.ports = optarg;
        else if (code == 'c')
            wish_case(&wishes, optarg);
        else if (code == 'n')
            wishes.watch_input = false;
        else if (code == 'l')
            list_rows(), exit(0);
        else
            exit(EXIT_USAGE);
    }
    if (wishes.ports == NULL || optind < argc)
        die(EXIT_USAGE, "usage: --ports FILE [--case NAME]... [--no-stdin] | --list");
    return wishes;
}

int main(int argc, char **argv)
{
    struct wishes wishes = read_options(argc, argv);
    struct os_loop *loop;

    program_block_signals();
    crypto = os_crypto;
    crypto.random = random_with_zero;
    closed_port = reserve_closed_port();
    loop = os_loop_new();
    if (loop == NULL)
        die(EXIT_NOT_HAD, "out of memory");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (wishes.all || wishes.wanted[i])
            scenes[i] = set_scene(loop, &rows[i]);
    }
    write_ports(wishes.ports);
    puts("ready");
    fflush(stdout);
    program_run(loop, wishes.watch_input, NULL, NULL);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (scenes[i] != NULL)
            strike_scene(scenes[i]);
    }
    os_loop_free(loop);
    return 0;
}
