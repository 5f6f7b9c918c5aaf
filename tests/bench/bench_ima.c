/*
 * The management API: how long it takes to list so many targets and to ask for the properties of
 * each, with the engine in this process. A target of our own tells of them; what is measured is the
 * list that is known already.
 */
#include "ima.h"

#include "os/crypto.h"
#include "os/process.h"
#include "os/system.h"
#include "os/thread.h"
#include "target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, MOST = 10000, GOAL = 100 /* milliseconds for MOST */, PATIENCE = 60000 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_ima: %s\n", what);
    exit(1);
}

static void run_loop(void *loop)
{
    os_loop_run(loop);
}

/* Where they are told of. They live until the program ends. */
static uint16_t serve(unsigned count)
{
    struct portal_address portal;
    struct os_loop *loop = os_loop_new();
    struct target_entity *entity = target_entity_new(&os_crypto);
    struct target_server *server = target_server_new(loop, entity);
    if (server == NULL || target_server_listen(server, "127.0.0.1", 0, 1, &portal) != STATUS_OK)
        die("no target");
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        struct target *target;
        snprintf(name, sizeof name, "iqn.2026-11.org.example:number-%u", i);
        if (target_add(entity, name, &target) != STATUS_OK)
            die("out of memory");
    }
    if (os_thread_start(run_loop, loop) == NULL)
        die("no thread");
    return portal.port;
}

static IMA_OID the_lhba(void)
{
    IMA_OID_LIST *list;
    if (IMA_GetLhbaOidList(&list) != IMA_STATUS_SUCCESS || list->oidCount == 0)
        die("no LHBA");
    IMA_OID oid = list->oids[0];
    IMA_FreeMemory(list);
    return oid;
}

static IMA_UINT list_all(IMA_OID lhba, bool properties)
{
    static IMA_TARGET_PROPERTIES target;
    IMA_OID_LIST *list;
    if (IMA_GetTargetOidList(lhba, &list) != IMA_STATUS_SUCCESS)
        die("the targets could not be listed");
    IMA_UINT count = list->oidCount;
    for (IMA_UINT i = 0; properties && i < count; i++) {
        if (IMA_GetTargetProperties(list->oids[i], &target) != IMA_STATUS_SUCCESS)
            die("a target has no properties");
    }
    IMA_FreeMemory(list);
    return count;
}

/* The discovery goes on behind the call that starts it. */
static void discover(IMA_OID lhba, unsigned count, IMA_OID *address)
{
    IMA_TARGET_ADDRESS at = {.portNumber = serve(count)};
    at.hostnameIpAddress.id.ipAddress =
        (IMA_IP_ADDRESS){.ipv4Address = IMA_TRUE, .ipAddress = {127, 0, 0, 1}};
    if (IMA_AddDiscoveryAddress(lhba, at, address) != IMA_STATUS_SUCCESS)
        die("the address was not taken");
    for (uint64_t end = os_now() + PATIENCE; list_all(lhba, false) != count; os_sleep(10)) {
        if (os_now() >= end)
            die("the targets were not found in time");
    }
}

/* The best of several rounds, in milliseconds. */
static double measure(IMA_OID lhba)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = os_now_us();
        list_all(lhba, true);
        uint64_t took = os_now_us() - start;
        best = took < best ? took : best;
    }
    return (double)best / 1000;
}

int main(void)
{
    static const unsigned counts[] = {2500, 5000, MOST};
    double took = 0;
    if (getenv("ISCSIDSC_STATE") == NULL)
        die("tests/bench/run gives me a directory of my own");
    IMA_OID lhba = the_lhba();
    unsigned known = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        IMA_OID address;
        known = known > counts[i] ? known : counts[i]; /* the names of the first are among them */
        discover(lhba, counts[i], &address);
        took = measure(lhba);
        printf("%6u targets: %8.2f ms, %6.2f us each\n", known, took, took * 1000 / known);
    }
    printf("goal: %d targets in %d ms: %s\n", MOST, GOAL, took <= GOAL ? "met" : "missed");
    return took <= GOAL ? 0 : 1;
}
