/*
 * A client that parses nothing: it logs in to the same target, and from then on knows how many
 * bytes the answer to each command has. It shows what the target can do, and what no initiator can
 * do with less. Of an answer to a write it looks at the first byte, whether it is an R2T.
 */
#include "io.h"

#include "protocol/bytes.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    HEAD = 48,
    R2T = 0x31,
    PIECES = 512,
    FIRST_BURST = 65536,
};

static const struct io_job *job;
static int peer = -1;
static uint32_t command_sn, exp_stat_sn, segment;
static size_t answer; /* bytes of the answer to a read */

/* What waits to be sent. */
static struct iovec pieces[PIECES];
static uint8_t heads[PIECES][HEAD];
static size_t piece_count, head_count;
static bool broken;

static int failed(const char *what)
{
    perror(what);
    return -1;
}

static int flush(void)
{
    struct iovec *piece = pieces;
    size_t left = piece_count;

    while (left > 0 && !broken) {
        ssize_t sent = writev(peer, piece, (int)left);
        if (sent <= 0) {
            broken = true;
            return failed("blind: writev");
        }
        for (; left > 0 && (size_t)sent >= piece->iov_len; left--)
            sent -= (ssize_t)(piece++)->iov_len;
        if (left > 0)
            *piece =
                (struct iovec){(uint8_t *)piece->iov_base + sent, piece->iov_len - (size_t)sent};
    }
    piece_count = head_count = 0;
    return broken ? -1 : 0;
}

static int receive_whole(void *to, size_t length)
{
    return recv(peer, to, length, MSG_WAITALL) == (ssize_t)length ? 0 : failed("blind: recv");
}

static uint8_t *add_head(void *data, uint32_t length)
{
    uint8_t *head;

    if (piece_count + 2 > PIECES)
        flush();
    head = heads[head_count++];
    memset(head, 0, HEAD);
    put_be32(head + 4, length); /* the first byte of the four is the additional headers' */
    pieces[piece_count++] = (struct iovec){head, HEAD};
    if (length > 0)
        pieces[piece_count++] = (struct iovec){data, length};
    return head;
}

/* --- commands --- */

static void add_data(unsigned slot, const uint8_t *ttt, uint32_t offset, uint32_t length)
{
    for (uint32_t sn = 0; length > 0; sn++) {
        uint32_t now = length < segment ? length : segment;
        uint8_t *head = add_head(io_buffer(job, slot) + offset, now);
        head[0] = 0x05;
        head[1] = now == length ? 0x80 : 0;
        head[9] = (uint8_t)job->lun;
        put_be32(head + 16, slot);
        memset(head + 20, 0xff, 4);
        if (ttt != NULL)
            memcpy(head + 20, ttt, 4);
        put_be32(head + 28, exp_stat_sn);
        put_be32(head + 36, sn);
        put_be32(head + 40, offset);
        offset += now;
        length -= now;
    }
}

static void add_command(unsigned slot)
{
    uint32_t first = job->size < FIRST_BURST ? job->size : FIRST_BURST;
    uint32_t immediate = !job->write ? 0 : first < segment ? first : segment;
    uint64_t block = io_next_block(job);
    uint8_t *head = add_head(io_buffer(job, slot), immediate);

    head[0] = 0x01;
    head[1] = job->write ? 0x20 : 0x40;
    if (!job->write || immediate == first)
        head[1] |= 0x80;
    head[9] = (uint8_t)job->lun;
    put_be32(head + 16, slot);
    put_be32(head + 20, job->size);
    put_be32(head + 24, command_sn++);
    put_be32(head + 28, exp_stat_sn);
    head[32] = job->write ? 0x2a : 0x28;
    put_be32(head + 34, (uint32_t)block);
    put_be16(head + 39, (uint16_t)(job->size / IO_BLOCK));
    if (job->write && immediate < first)
        add_data(slot, NULL, immediate, first - immediate);
}

/* --- the login --- */

/* The bytes of the answer to one command, header by header; -1: no good status. */
static ssize_t walk(void)
{
    uint8_t head[HEAD], data[8192];
    size_t total = 0;

    for (;;) {
        if (receive_whole(head, HEAD) != 0)
            return -1;
        uint32_t left = (get_be32(head + 4) + 3) & ~UINT32_C(3);
        total += HEAD + left;
        for (; left > 0; left -= left < sizeof data ? left : (uint32_t)sizeof data)
            if (receive_whole(data, left < sizeof data ? left : sizeof data) != 0)
                return -1;
        if (head[0] == 0x21 || (head[0] == 0x25 && (head[1] & 1)))
            return head[3] == 0 ? (ssize_t)total : -2;
    }
}

static int learn(void)
{
    struct io_job probe = *job;
    const struct io_job *real = job;

    probe.write = false;
    job = &probe;
    for (int tries = 0; tries < 4; tries++) { /* the first command meets the unit's attention */
        ssize_t got;
        add_command(0);
        if (flush() != 0)
            return -1;
        got = walk();
        if (got == -1)
            return -1;
        if (got > 0)
            answer = (size_t)got;
    }
    job = real;
    return 0;
}

static const char *value_of(const char *text, size_t length, const char *key)
{
    for (size_t at = 0; at < length; at += strnlen(text + at, length - at) + 1)
        if (strncmp(text + at, key, strlen(key)) == 0)
            return text + at + strlen(key);
    return NULL;
}

/* One login request and its answer. 1: the target wants to talk longer. */
static int login_step(char *text, size_t *length, size_t room)
{
    uint8_t *head = add_head(text, (uint32_t)*length), answered[HEAD];
    size_t padded = (*length + 3) & ~(size_t)3;

    memset(text + *length, 0, padded - *length);
    pieces[piece_count - 1].iov_len = *length > 0 ? padded : HEAD;
    head[0] = 0x43;
    head[1] = 0x87; /* from the operational stage to the full feature phase */
    memcpy(head + 8, "\x40\0\1\x37\xff\xff", 6);
    put_be32(head + 24, 1);
    put_be32(head + 28, exp_stat_sn);
    if (flush() != 0 || receive_whole(answered, HEAD) != 0)
        return -1;
    *length = (get_be32(answered + 4) + 3) & ~UINT32_C(3);
    if (*length >= room || (*length > 0 && receive_whole(text, *length) != 0) || answered[36] != 0)
        return -1;
    text[*length] = '\0';
    exp_stat_sn = get_be32(answered + 24) + 1;
    return (answered[1] & 0x83) == 0x83 ? 0 : 1;
}

static int log_in(void)
{
    static const char rest[] =
        "SessionType=Normal\0HeaderDigest=None\0DataDigest=None\0InitialR2T=No"
        "\0ImmediateData=Yes\0MaxBurstLength=1048576\0FirstBurstLength=65536"
        "\0MaxRecvDataSegmentLength=262144\0MaxOutstandingR2T=16"
        "\0ErrorRecoveryLevel=0";
    char text[4096];
    int step;
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "InitiatorName=iqn.2026-11.org.example:blind%cTargetName=%s", 0,
                                   job->target) +
                  1;

    memcpy(text + used, rest, sizeof rest);
    used += sizeof rest;
    segment = 8192;
    command_sn = 1;
    exp_stat_sn = 0;
    do {
        const char *value;
        step = login_step(text, &used, sizeof text);
        if (step < 0)
            return failed("blind: login");
        value = value_of(text, used, "MaxRecvDataSegmentLength=");
        if (value != NULL)
            segment = (uint32_t)strtoul(value, NULL, 10);
        used = 0;
    } while (step > 0);
    return 0;
}

static int open_session(const struct io_job *wanted)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(wanted->portal, ':');
    char host[64];
    int one = 1;

    job = wanted;
    snprintf(host, sizeof host, "%.*s", (int)(colon - wanted->portal), wanted->portal);
    inet_pton(AF_INET, host, &address.sin_addr);
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0)
        return failed("blind: connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return log_in() == 0 ? learn() : -1;
}

/* --- running --- */

static uint64_t started, to_start;

static void start(unsigned slot)
{
    if (started == to_start)
        return;
    started++;
    add_command(slot);
}

/* As much memory is written to as the others write to. */
static int pump_reads(uint64_t commands)
{
    const uint64_t room = (uint64_t)job->depth * job->size;
    uint64_t done = 0, held = 0, at = 0;

    while (done < commands) {
        while (started < to_start && started - done < job->depth)
            start((unsigned)(started % job->depth));
        if (flush() != 0)
            return -1;
        ssize_t got = recv(peer, io_buffer(job, 0) + at, (size_t)(room - at), 0);
        if (got <= 0)
            return failed("blind: recv");
        at = (at + (uint64_t)got) % room;
        held += (uint64_t)got;
        done += held / answer;
        held %= answer;
    }
    return 0;
}

/* True: it was the command's end. */
static bool take_answer(const uint8_t *head)
{
    unsigned slot = get_be32(head + 16);

    if (head[0] == R2T) {
        add_data(slot, head + 20, get_be32(head + 40), get_be32(head + 44));
        return false;
    }
    start(slot);
    return true;
}

static int pump_writes(uint64_t commands)
{
    static uint8_t answers[128 * HEAD];
    uint64_t done = 0;
    size_t held = 0;

    for (unsigned slot = 0; slot < job->depth; slot++)
        start(slot);
    while (done < commands) {
        ssize_t got;
        size_t at = 0;

        if (flush() != 0)
            return -1;
        got = recv(peer, answers + held, sizeof answers - held, 0);
        if (got <= 0)
            return failed("blind: recv");
        for (held += (size_t)got; held - at >= HEAD; at += HEAD)
            done += take_answer(answers + at);
        held -= at;
        memmove(answers, answers + at, held);
    }
    return 0;
}

static int pump(uint64_t commands)
{
    started = 0;
    to_start = commands;
    return job->write ? pump_writes(commands) : pump_reads(commands);
}

static int close_session(void)
{
    close(peer);
    return 0;
}

const struct io_contender io_blind = {
    .name = "parses nothing", .open = open_session, .pump = pump, .close = close_session};
