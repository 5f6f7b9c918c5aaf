#include "service/service.h"
#include "devices/devices.h"
#include "door/door.h"
#include "engine/log.h"
#include "os/crypto.h"
#include "os/system.h"
#include "service/device_settings.h"
#include "service/log.h"
#include "service/meeting.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    REFUSALS_EVERY = 10000, /* milliseconds between two lines about refused clients */
    START_MARGIN = 10000,   /* beyond the time for which a start waits for devices */
};

enum { PROBLEMS_MOST = 100 };

/* Of a file, in words. */
struct problems {
    struct os_arena arena;
    const char *items[PROBLEMS_MOST];
    uint32_t count;
};

struct service {
    const struct service_options *options;
    struct meeting meeting;
    struct service_configuration configuration;
    struct configuration *whole; /* for the engine; NULL: it has it */
    struct engine *engine;
    struct door_server *server;
    struct devices *devices; /* NULL: none are made */
    bool ready;              /* and who started it has been told */
    atomic_uint missing;     /* bound devices */
    /* On the engine's thread: */
    uint64_t refusals_told;
    uint32_t refusals;
    /* For it: */
    struct os_job configure_job;
};

/* --- on the engine's thread --- */

/* Anybody can knock as often as he likes: the log tells how often, and not each time. */
static void tell_refusal(struct service *service, enum status status, const struct os_peer *peer)
{
    char count[16], user[16], process[16];
    uint64_t now = os_now();
    service->refusals++;
    if (service->refusals_told != 0 && now - service->refusals_told < REFUSALS_EVERY)
        return;
    snprintf(count, sizeof count, "%lu", (unsigned long)service->refusals);
    snprintf(user, sizeof user, "%lu", peer != NULL ? (unsigned long)peer->user : 0ul);
    snprintf(process, sizeof process, "%lu", peer != NULL ? (unsigned long)peer->process : 0ul);
    if (peer != NULL)
        log_event(OS_LOG_WARNING, "client-refused", "status", status_name(status), "count", count,
                  "uid", user, "pid", process, NULL);
    else
        log_event(OS_LOG_WARNING, "client-refused", "status", status_name(status), "count", count,
                  "by", "loopback", NULL);
    service->refusals_told = now;
    service->refusals = 0;
}

static void on_event(void *context, enum door_event event, enum status status,
                     const struct os_peer *peer)
{
    if (event == DOOR_EVENT_IDLE)
        os_notice_post(OS_NOTICE_IDLE);
    else
        tell_refusal(context, status, peer);
}

static void on_ready(void *context, unsigned missing, uint32_t left)
{
    struct service *service = context;
    service->missing = missing;
    if (left > 0)
        os_service_starting(left + START_MARGIN);
    else
        os_notice_post(OS_NOTICE_READY);
}

static void on_reload(void *context)
{
    (void)context;
    os_notice_post(OS_NOTICE_RELOAD);
}

static void on_configure(struct os_job *job)
{
    struct service *service = LIST_OWNER(job, struct service, configure_job);
    if (service->whole != NULL)
        engine_configure(service->engine, service->whole);
    service->whole = NULL;
}

/* --- starting --- */

static void tell_failure(const char *what, enum status status, const char *detail)
{
    log_event(OS_LOG_ERROR, what, "status", status_name(status), "reason",
              detail != NULL ? detail : status_text(status), NULL);
}

/* Of iscsi.conf, one by one. */
static void on_problem(void *context, bool warning, const char *text)
{
    (void)context;
    if (warning)
        log_event(OS_LOG_WARNING, "doubtful-configuration", "reason", text, NULL);
    else
        tell_failure("bad-configuration", STATUS_CONFIGURATION, text);
}

static const struct configuration_teller log_problems = {.tell = on_problem};

static void on_device(void *context, const char *path, enum status status)
{
    (void)context;
    if (status == STATUS_OK)
        log_event(OS_LOG_INFO, "device", "path", path, NULL);
    else
        log_event(OS_LOG_ERROR, "no-device", "path", path, "status", status_name(status), NULL);
}

static void without_tree(void *context, enum status status)
{
    (void)context;
    log_event(OS_LOG_WARNING, "no-device-files", "status", status_name(status), NULL);
}

static void on_prefix(void *context, const char *path, enum status status)
{
    (void)context;
    if (status == STATUS_OK)
        log_event(OS_LOG_INFO, "wine-prefix", "path", path, NULL);
    else
        log_event(OS_LOG_WARNING, "no-wine-name", "path", path, "status", status_name(status),
                  NULL);
}

static bool makes_block_devices(const struct service *service)
{
    const struct service_configuration *configuration = &service->configuration;
    struct loop_devices_settings loops;
    device_settings_loops(&loops, configuration, service->meeting.state);
    return configuration->parameters.device_directory[0] != '\0' && loops.attach;
}

static enum status start_devices(struct service *service)
{
    const struct parameters *parameters = &service->configuration.parameters;
    const char *directory = parameters->device_directory;
    char prefixes[OS_PATH_ROOM];
    struct devices_settings settings = {.directory = directory,
                                        .owner = service->configuration.device_owner,
                                        .group = service->configuration.device_group,
                                        .mode = service->configuration.device_mode,
                                        .told = on_device,
                                        .without_tree = without_tree,
                                        .prefixes = parameters->wine_prefix,
                                        .prefixes_file = prefixes,
                                        .prefix_told = on_prefix};
    int length = snprintf(prefixes, sizeof prefixes, "%s/wine-prefixes", service->meeting.state);
    if (length < 0 || (size_t)length >= sizeof prefixes)
        return STATUS_INVALID_PARAMETER;
    if (directory[0] == '\0')
        return STATUS_OK;
    device_settings_loops(&settings.loops, &service->configuration, service->meeting.state);
    enum status status = devices_start(&service->devices, service->engine, &settings);
    if (status != STATUS_OK)
        tell_failure("no-devices", status, directory);
    return status;
}

static enum status start_engine(struct service *service)
{
    const struct service_configuration *configuration = &service->configuration;
    if (makes_block_devices(service))
        os_serve_own_storage();
    enum status status = engine_start_service(&service->engine, service->meeting.state);
    if (status != STATUS_OK)
        return status;
    engine_on_reload(service->engine, on_reload, service);
    os_loop_post(engine_loop(service->engine), &service->configure_job);
    status = start_devices(service);
    if (status != STATUS_OK)
        return status;
    const struct door_server_options options = {
        .engine = service->engine,
        .loop = engine_loop(service->engine),
        .group = configuration->group,
        .read_group = configuration->read_group,
        .idle_time = (uint64_t)service->options->idle * 1000,
        .busy = engine_busy,
        .event = on_event,
        .context = service,
    };
    return door_server_new(&service->server, &options);
}

static void tell_started(const struct service *service)
{
    char pid[16], port[16];
    const struct meeting *meeting = &service->meeting;
    snprintf(pid, sizeof pid, "%lu", (unsigned long)os_process_id());
    snprintf(port, sizeof port, "%u", meeting->has_loopback ? meeting->credentials.port : 0u);
    log_event(OS_LOG_INFO, "started", "pid", pid, "state", meeting->state, "place",
              meeting->place.base, "port", port, "activated", meeting->activated ? "yes" : "no",
              NULL);
}

/* BUSY: another one does the work. */
static enum status start(struct service *service)
{
    struct meeting *meeting = &service->meeting;
    enum status status = service_configuration_load(&service->configuration, &service->whole,
                                                    meeting->state, NULL, &log_problems);
    if (status != STATUS_OK)
        return status;
    status = meeting_lock(meeting);
    if (status != STATUS_OK) {
        if (status != STATUS_BUSY)
            tell_failure("no-state", status, NULL);
        return status;
    }
    status = start_engine(service);
    if (status != STATUS_OK) {
        tell_failure("no-engine", status, NULL);
        return status;
    }
    status = meeting_open(meeting, service->server, &service->configuration);
    if (status != STATUS_OK)
        tell_failure("no-socket", status, NULL);
    return status;
}

/* --- running --- */

/* What was wrong, in the log and for those who asked. */
static void keep_problem(void *context, bool warning, const char *text)
{
    struct problems *problems = context;
    on_problem(NULL, warning, text);
    if (problems->count < PROBLEMS_MOST)
        problems->items[problems->count] = os_arena_text(&problems->arena, text);
    if (problems->count < PROBLEMS_MOST && problems->items[problems->count] != NULL)
        problems->count++;
}

static void answer_reload(struct service *service, uintptr_t begun, enum status status,
                          struct problems *problems)
{
    const struct text_list list = {problems->items, problems->count};
    engine_reloaded(service->engine, begun, status, &list);
    os_arena_clear(&problems->arena);
}

static void reload(struct service *service)
{
    struct service_configuration fresh;
    struct configuration *whole;
    struct problems problems = {.count = 0};
    const struct configuration_teller teller = {.tell = keep_problem, .context = &problems};
    uintptr_t begun = engine_reload_begins(service->engine);
    if (service->ready)
        os_service_tell(OS_SERVICE_RELOADING);
    enum status status =
        service_configuration_load(&fresh, &whole, service->meeting.state, NULL, &teller);
    if (status == STATUS_OK) {
        door_server_groups(service->server, fresh.group, fresh.read_group);
        /* That was done on the engine's thread, so an earlier job has run. */
        service->configuration = fresh;
        service->whole = whole;
        os_loop_post(engine_loop(service->engine), &service->configure_job);
        meeting_permit(&service->meeting, &fresh);
        log_event(OS_LOG_INFO, "configured", NULL);
    }
    answer_reload(service, begun, status, &problems);
    if (service->ready)
        os_service_tell(OS_SERVICE_READY);
}

static bool goes_to_background(const struct service *service)
{
    const struct service_options *options = service->options;
    return !options->foreground && !service->meeting.activated && options->action == ACTION_RUN;
}

static void become_ready(struct service *service)
{
    char missing[16];
    if (service->ready)
        return;
    service->ready = true;
    if (goes_to_background(service) || service->options->action == ACTION_SERVICE)
        log_to_system(true);
    os_background_ready(0);
    os_service_tell(OS_SERVICE_READY);
    snprintf(missing, sizeof missing, "%u", (unsigned)service->missing);
    if (service->missing > 0)
        log_event(OS_LOG_WARNING, "devices-missing", "count", missing, NULL);
    tell_started(service);
}

/* Calls are answered meanwhile. Who started it on demand is a caller, and must not wait. */
static void begin_waiting(struct service *service)
{
    if (service->options->on_demand)
        become_ready(service);
    else
        engine_when_ready(service->engine, on_ready, service);
}

/* True: nobody has come meanwhile, and the door is closed. The service manager's socket stays open,
 * and starts the service again for who comes now. */
static bool close_when_idle(struct service *service)
{
    struct meeting *meeting = &service->meeting;
    if (door_server_pause(service->server, true) != 0) {
        door_server_pause(service->server, false);
        return false;
    }
    if (meeting->activated)
        return true;
    meeting_withdraw(meeting);
    if (door_server_unlisten(service->server) == 0)
        return true;
    enum status status = meeting_open(meeting, service->server, &service->configuration);
    if (status != STATUS_OK)
        tell_failure("no-socket", status, NULL);
    return status != STATUS_OK;
}

static const char *wait_for_end(struct service *service)
{
    for (;;) {
        switch (os_notice_wait()) {
        case OS_NOTICE_STOP:
            return "told";
        case OS_NOTICE_RELOAD:
            reload(service);
            break;
        case OS_NOTICE_IDLE:
            if (close_when_idle(service))
                return "idle";
            break;
        case OS_NOTICE_READY:
            become_ready(service);
            break;
        }
    }
}

/* New clients find nobody any more, those that are there get their calls cancelled, and the
 * sessions are logged out within the engine's bound. */
static void stop(struct service *service)
{
    meeting_withdraw(&service->meeting);
    if (service->server != NULL)
        door_server_unlisten(service->server);
    devices_stop(service->devices);
    engine_stop(service->engine);
    configuration_free(service->whole);
    door_server_free(service->server);
    meeting_unlock(&service->meeting);
    door_credentials_clear(&service->meeting.credentials);
}

/* --- the whole --- */

static int run(struct service *service)
{
    enum status status = start(service);
    if (status != STATUS_OK) {
        bool harmless = status == STATUS_BUSY && service->options->on_demand;
        if (status == STATUS_BUSY && !harmless)
            log_event(OS_LOG_ERROR, "already-running", "place", service->meeting.place.base, NULL);
        stop(service);
        os_background_ready(harmless ? 0 : 1);
        return harmless ? 0 : 1;
    }
    begin_waiting(service);
    const char *why = wait_for_end(service);
    os_service_tell(OS_SERVICE_STOPPING);
    log_event(OS_LOG_INFO, "stopping", "reason", why, NULL);
    stop(service);
    log_event(OS_LOG_INFO, "stopped", NULL);
    return 0;
}

int service_run(const struct service_options *options)
{
    struct service *service = os_alloc(sizeof *service);
    int code = 1;
    log_to_system(options->system_log);
    engine_log_to(log_pairs);
    if (service == NULL || !os_notices_begin())
        return code;
    service->options = options;
    service->configure_job.run = on_configure;
    enum status status = meeting_find(&service->meeting);
    if (status != STATUS_OK)
        tell_failure("no-place", status, "set ISCSIDSC_STATE or HOME");
    else if (goes_to_background(service) && !os_background_begin())
        tell_failure("no-background", STATUS_INTERNAL, NULL);
    else
        code = run(service);
    os_free(service);
    return code;
}

static void print_problem(void *context, bool warning, const char *text)
{
    (void)context;
    fprintf(stderr, "iscsidscd: %s%s\n", warning ? "warning: " : "", text);
}

int service_check(const char *path)
{
    static const struct configuration_teller teller = {.tell = print_problem};
    struct service_configuration configuration;
    struct configuration *whole;
    char state[OS_PATH_ROOM];
    bool found = os_state_directory(state, sizeof state);
    if (service_configuration_load(&configuration, &whole, found ? state : NULL, path, &teller) !=
        STATUS_OK)
        return 1;
    configuration_free(whole);
    puts("The configuration is valid.");
    return 0;
}

int service_reload(void)
{
    const struct request_reload request = {0};
    struct reply_reload reply = {0};
    struct os_arena arena = {0};
    enum status status = STATUS_NO_MEMORY;
    if (os_set_environment("ISCSIDSC_SERVICE", "require"))
        status = door_call(OPERATION_reload, &request, &reply, &arena);
    if (status == STATUS_OK)
        status = (enum status)reply.outcome;
    for (uint32_t i = 0; i < reply.problems.count; i++)
        fprintf(stderr, "iscsidscd: %s\n", reply.problems.items[i]);
    if (status == STATUS_OK)
        puts("The configuration has been read again.");
    else if (reply.problems.count == 0)
        fprintf(stderr, "iscsidscd: %s\n", status_text(status));
    os_arena_clear(&arena);
    return status == STATUS_OK ? 0 : 1;
}
