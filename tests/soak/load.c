#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 20 }; /* to find blocks that nobody uses */

static void *memory(size_t count, size_t size)
{
    void *room = calloc(count, size);

    if (room == NULL) {
        fprintf(stderr, "no memory for buffers\n");
        exit(1);
    }
    return room;
}

void load_open(struct load *load, struct shadow *shadow, uint64_t seed)
{
    memset(load, 0, sizeof *load);
    load->shadow = shadow;
    load->dice.state = seed;
    for (unsigned i = 0; i < LOAD_DEPTH_MOST; i++)
        load->slots[i].load = load;
}

static void forget_buffers(struct load *load)
{
    for (unsigned i = 0; i < LOAD_DEPTH_MOST; i++) {
        free(load->slots[i].request.data);
        free(load->slots[i].flushing);
        load->slots[i].request.data = NULL;
        load->slots[i].flushing = NULL;
    }
}

void load_close(struct load *load)
{
    forget_buffers(load);
}

void load_set(struct load *load, const struct load_settings *settings)
{
    forget_buffers(load);
    load->settings = *settings;
    load->reading_all = load->paused = false;
    load->moved = 0;
    for (unsigned i = 0; i < settings->depth; i++) {
        load->slots[i].request.data = memory(settings->blocks_most, SHADOW_BLOCK);
        load->slots[i].flushing = memory(load->shadow->blocks, sizeof(uint32_t));
    }
}

void load_read_all(struct load *load)
{
    load->reading_all = true;
    load->next = 0;
}

/* --- their end --- */

static void end_write(struct load_slot *slot)
{
    struct load *load = slot->load;
    const struct request *request = &slot->request;
    enum shadow_ending ending = SHADOW_NOTHING;

    if (request->result == REQUEST_GOOD)
        ending = request->force || load->settings.all_lasts ? SHADOW_DURABLE : SHADOW_WRITTEN;
    else if (request->result == REQUEST_UNKNOWN)
        ending = SHADOW_UNKNOWN;
    load->unknown += ending == SHADOW_UNKNOWN;
    shadow_wrote(load->shadow, request->first, request->count, slot->generation, ending);
}

static void end_good(struct load_slot *slot)
{
    struct load *load = slot->load;
    const struct request *request = &slot->request;

    if (request->kind == REQUEST_READ)
        shadow_check(load->shadow, request->first, request->count, request->data);
    if (request->kind == REQUEST_FLUSH)
        shadow_flushed(load->shadow, request->first, request->count, slot->flushing);
    else
        load->moved += (uint64_t)request->count * SHADOW_BLOCK;
    load->reads += request->kind == REQUEST_READ;
    load->writes += request->kind == REQUEST_WRITE;
    load->flushes += request->kind == REQUEST_FLUSH;
}

static void count_failure(struct load *load, const struct request *request)
{
    if (request->result == REQUEST_NOT_DONE) {
        load->not_done++;
        return;
    }
    load->failed++;
    memcpy(load->error, request->error, sizeof load->error);
}

static void on_done(struct request *request)
{
    struct load_slot *slot = LIST_OWNER(request, struct load_slot, request);
    struct load *load = slot->load;

    slot->busy = false;
    load->busy--;
    if (request->kind == REQUEST_WRITE)
        end_write(slot);
    if (request->result == REQUEST_GOOD)
        end_good(slot);
    else
        count_failure(load, request);
    /* What the reading of the whole disk has missed has to be read again. */
    if (load->reading_all && request->result != REQUEST_GOOD && request->first < load->next)
        load->next = request->first;
    if (request->kind != REQUEST_FLUSH)
        shadow_release(load->shadow, request->first, request->count);
    load->settings.changed(load->settings.context);
}

/* --- their beginning --- */

static bool choose(struct load *load, struct request *request)
{
    const struct load_settings *settings = &load->settings;
    uint32_t blocks = load->shadow->blocks;
    uint32_t most = dice_one_in(&load->dice, 4) ? settings->blocks_most : 16;

    request->kind = dice_below(&load->dice, 100) < settings->reads ? REQUEST_READ : REQUEST_WRITE;
    request->force = request->kind == REQUEST_WRITE && dice_one_in(&load->dice, settings->force);
    most = most < settings->blocks_most ? most : settings->blocks_most;
    for (unsigned i = 0; i < TRIES; i++) {
        request->count = dice_between(&load->dice, 1, most);
        request->first = dice_below(&load->dice, blocks - request->count + 1);
        if (shadow_take(load->shadow, request->first, request->count,
                        request->kind == REQUEST_WRITE))
            return true;
    }
    return false;
}

static void choose_flush(struct load *load, struct load_slot *slot)
{
    struct request *request = &slot->request;
    uint32_t blocks = load->shadow->blocks;

    request->kind = REQUEST_FLUSH;
    request->first = dice_one_in(&load->dice, 2) ? 0 : dice_below(&load->dice, blocks);
    request->count =
        request->first == 0 ? blocks : dice_between(&load->dice, 1, blocks - request->first);
    shadow_before_flush(load->shadow, request->first, request->count, slot->flushing);
}

static bool choose_next(struct load *load, struct request *request)
{
    uint32_t left = load->shadow->blocks - load->next;

    request->kind = REQUEST_READ;
    request->first = load->next;
    request->count = left < load->settings.blocks_most ? left : load->settings.blocks_most;
    if (left == 0 || !shadow_take(load->shadow, request->first, request->count, false))
        return false;
    load->next += request->count;
    return true;
}

static bool choose_any(struct load *load, struct load_slot *slot)
{
    struct request *request = &slot->request;

    if (load->reading_all)
        return choose_next(load, request);
    if (load->moved >= load->settings.bytes)
        return false;
    if (!dice_one_in(&load->dice, load->settings.flush))
        return choose(load, request);
    choose_flush(load, slot);
    return true;
}

static void give_back(struct load *load, const struct request *request)
{
    if (load->reading_all && request->first < load->next)
        load->next = request->first;
    if (request->kind != REQUEST_FLUSH)
        shadow_release(load->shadow, request->first, request->count);
}

/* False: nothing more can be given now. */
static bool give(struct load *load, struct load_slot *slot)
{
    struct request *request = &slot->request;

    if (!choose_any(load, slot))
        return false;
    request->done = on_done;
    if (request->kind == REQUEST_WRITE)
        slot->generation = shadow_fill(load->shadow, request->first, request->count, request->data);
    else if (request->kind == REQUEST_READ) /* what is not read must show */
        memset(request->data, 0xdb, (size_t)request->count * SHADOW_BLOCK);
    if (!load->settings.submit(load->settings.context, request)) {
        give_back(load, request);
        return false;
    }
    slot->busy = true;
    load->busy++;
    return true;
}

void load_pump(struct load *load)
{
    for (unsigned i = 0; i < load->settings.depth && !load->paused; i++) {
        if (!load->slots[i].busy && !give(load, &load->slots[i]))
            return;
    }
}

bool load_is_over(const struct load *load)
{
    if (load->busy > 0)
        return false;
    return load->reading_all ? load->next == load->shadow->blocks
                             : load->moved >= load->settings.bytes;
}
