/* A target with two portals that come and go, and a disk behind it. */
#ifndef FAILOVER_TARGET_H
#define FAILOVER_TARGET_H

#include "io_target.h"

#include "engine/session_portals.h"

enum { PORTALS = 2 };

static struct target_server *servers[PORTALS];
static struct portal_address portals[PORTALS];
static const char *const hosts[PORTALS] = {"127.0.0.1", "127.0.0.2"};

/* --- on the target's thread --- */

static struct os_job host_job;
static void (*host_errand)(unsigned portal);
static unsigned host_portal;
static atomic_bool host_done;

static void run_host_errand(struct os_job *job)
{
    (void)job;
    host_errand(host_portal);
    host_done = true;
}

static inline void in_host(void (*run)(unsigned portal), unsigned portal)
{
    host_errand = run;
    host_portal = portal;
    host_done = false;
    host_job.run = run_host_errand;
    os_loop_post(host.loop, &host_job);
    wait_until(host_done);
}

static void run_down(unsigned portal)
{
    target_server_free(servers[portal]);
    servers[portal] = NULL;
}

static void run_up(unsigned portal)
{
    servers[portal] = target_server_new(host.loop, host.entity);
    if (servers[portal] == NULL ||
        target_server_listen(servers[portal], portals[portal].host, portals[portal].port, 1,
                             &portals[portal]) != STATUS_OK)
        abort();
}

static inline void down(unsigned portal)
{
    in_host(run_down, portal);
}

static inline void up(unsigned portal)
{
    in_host(run_up, portal);
}

/* --- the session --- */

/* Which portal it uses: -1 none, -2 another. */
static inline int where(void)
{
    if (count_sessions() == 0 || last_listed.connections.count == 0)
        return -1;
    for (int i = 0; i < PORTALS; i++) {
        if (last_listed_connection.target_socket == portals[i].port &&
            strcmp(last_listed_connection.target_address, portals[i].host) == 0)
            return i;
    }
    return -2;
}

static inline enum status switch_to(unsigned portal)
{
    char address[100];
    assert_true(portal_format(&portals[portal], address, sizeof address));
    const struct request_switch_portal request = {.session = &last_session, .address = address};
    return ask(OPERATION_switch_portal, &request, NULL);
}

static inline void open_portals_of(uint16_t connections, const char *settings)
{
    open_host();
    target_entity_settings(host.entity)->offers.max_connections = connections;
    for (unsigned i = 0; i < PORTALS; i++) {
        snprintf(portals[i].host, sizeof portals[i].host, "%s", hosts[i]);
        portals[i].port = 0;
        run_up(i);
    }
    target_server_free(host.server);
    host.server = NULL;
    target_host_start(&host);
    if (settings != NULL)
        write_text("iscsi.conf", settings);
}

static inline void open_portals(const char *settings)
{
    open_portals_of(1, settings);
}

static inline void log_in_with(const struct request_login *request)
{
    assert_status(ask(OPERATION_login, request, copy_login), STATUS_OK);
    settle();
    in_engine(find_volume, &last_session);
    assert_non_null(volume);
}

static inline void log_in_to_known(void)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT};
    log_in_with(&(struct request_login){
        .target = BASE ":a", .initiator_port = ANY_PORT, .options = &options});
}

static inline void log_in(void)
{
    assert_status(add_portal(&portals[0]), STATUS_OK);
    log_in_to_known();
}

static int start_failover(void **state)
{
    (void)state;
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    volume = NULL;
    return 0;
}

static int stop_failover(void **state)
{
    (void)state;
    if (volume != NULL)
        in_engine(run_release, volume);
    engine_stop(engine);
    engine = NULL;
    for (unsigned i = 0; i < PORTALS; i++) {
        if (servers[i] != NULL)
            down(i);
    }
    target_host_stop(&host);
    return 0;
}

#endif
