/*
 * A client of an NBD export (doc/proto.md of NetworkBlockDevice/nbd) on one connection: requests
 * that can be sent leave in one system call, and as many replies come in one as are there.
 */
#include "io.h"

#include "protocol/bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    GREETING = 18,
    REQUEST = 28,
    REPLY = 16,
    AHEAD = 256 << 10,
    BUFFERED = 64 << 10, /* what is left of a read and more than that is received in its place */
    REQUEST_MAGIC = 0x25609513,
    REPLY_MAGIC = 0x67446698,
    OPTION_EXPORT_NAME = 1,
    FIXED_NEWSTYLE_NO_ZEROES = 3,
    COMMAND_READ = 0,
    COMMAND_WRITE,
    COMMAND_DISCONNECT,
};

static const struct io_job *job;
static int peer = -1;
static uint8_t requests[IO_DEPTH_MOST][REQUEST];
static struct iovec pieces[2 * IO_DEPTH_MOST];
static size_t piece_count;
static uint64_t to_start, under_way;

static uint8_t ahead[AHEAD];
static size_t ahead_begin, ahead_end;
static uint8_t *filling; /* where the next byte of the read belongs */
static size_t missing;   /* of its data */
static bool reading;     /* the data of `reading_slot` */
static unsigned reading_slot;

static int failed(const char *what)
{
    perror(what);
    return -1;
}

/* --- sending --- */

static int flush(void)
{
    struct iovec *piece = pieces;

    while (piece_count > 0) {
        ssize_t sent = writev(peer, piece, (int)piece_count);
        if (sent <= 0)
            return failed("nbd: writev");
        for (; piece_count > 0 && (size_t)sent >= piece->iov_len; piece_count--)
            sent -= (ssize_t)(piece++)->iov_len;
        if (piece_count > 0)
            *piece =
                (struct iovec){(uint8_t *)piece->iov_base + sent, piece->iov_len - (size_t)sent};
    }
    return 0;
}

static void add(unsigned slot, uint16_t command, uint64_t offset, uint32_t length)
{
    uint8_t *request = requests[slot];

    put_be32(request, REQUEST_MAGIC);
    put_be16(request + 4, 0);
    put_be16(request + 6, command);
    put_be64(request + 8, slot);
    put_be64(request + 16, offset);
    put_be32(request + 24, length);
    pieces[piece_count++] = (struct iovec){request, REQUEST};
    if (command == COMMAND_WRITE)
        pieces[piece_count++] = (struct iovec){io_buffer(job, slot), length};
}

static void start(unsigned slot)
{
    if (to_start == 0)
        return;
    to_start--;
    under_way++;
    add(slot, job->write ? COMMAND_WRITE : COMMAND_READ, io_next_block(job) * IO_BLOCK, job->size);
}

/* --- receiving --- */

static int receive(void)
{
    struct iovec places[2] = {{filling, missing}, {ahead + ahead_end, AHEAD - ahead_end}};
    bool direct = missing > BUFFERED;
    ssize_t received = readv(peer, direct ? places : places + 1, direct ? 2 : 1);

    if (received <= 0)
        return failed("nbd: readv");
    if (direct) {
        size_t placed = (size_t)received < missing ? (size_t)received : missing;
        filling += placed;
        missing -= placed;
        received -= (ssize_t)placed;
    }
    ahead_end += (size_t)received;
    return 0;
}

static void fill(void)
{
    size_t there = ahead_end - ahead_begin, taken = there < missing ? there : missing;

    memcpy(filling, ahead + ahead_begin, taken);
    filling += taken;
    missing -= taken;
    ahead_begin += taken;
}

/* 1: the next reply is whole, 0: more has to come, -1: it tells an error. */
static int next_reply(unsigned *slot)
{
    const uint8_t *reply = ahead + ahead_begin;

    if (ahead_end - ahead_begin < REPLY)
        return 0;
    if (get_be32(reply) != REPLY_MAGIC || get_be32(reply + 4) != 0) {
        fprintf(stderr, "nbd: error %u\n", get_be32(reply + 4));
        return -1;
    }
    *slot = (unsigned)get_be64(reply + 8);
    ahead_begin += REPLY;
    return 1;
}

/* As soon as a command is done the next one begins in its slot. */
static int take_replies(void)
{
    unsigned slot = reading_slot;
    int found;

    for (;;) {
        if (reading) {
            fill();
            if (missing > 0)
                return 0;
        } else if ((found = next_reply(&slot)) <= 0) {
            return found;
        }
        if (!reading && !job->write) {
            reading = true;
            reading_slot = slot;
            filling = io_buffer(job, slot);
            missing = job->size;
            continue;
        }
        reading = false;
        under_way--;
        start(slot);
    }
}

static int pump(uint64_t commands)
{
    to_start = commands;
    for (unsigned i = 0; i < job->depth; i++)
        start(i);
    while (under_way > 0) {
        if (flush() != 0 || receive() != 0 || take_replies() != 0)
            return -1;
        memmove(ahead, ahead + ahead_begin, ahead_end - ahead_begin);
        ahead_end -= ahead_begin;
        ahead_begin = 0;
    }
    return 0;
}

/* --- the connection --- */

static int negotiate(void)
{
    uint8_t greeting[GREETING], answer[4 + 16], told[10];

    put_be32(answer, FIXED_NEWSTYLE_NO_ZEROES);
    memcpy(answer + 4, "IHAVEOPT", 8);
    put_be32(answer + 12, OPTION_EXPORT_NAME);
    put_be32(answer + 16, 0);
    if (recv(peer, greeting, sizeof greeting, MSG_WAITALL) != sizeof greeting ||
        send(peer, answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer ||
        recv(peer, told, sizeof told, MSG_WAITALL) != sizeof told)
        return failed("nbd: negotiation");
    return 0;
}

static int open_export(const struct io_job *wanted)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    job = wanted;
    if (strlen(job->path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, job->path);
    peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(peer, (const struct sockaddr *)&address, sizeof address) != 0)
        return failed(job->path);
    return negotiate();
}

static int close_export(void)
{
    add(0, COMMAND_DISCONNECT, 0, 0);
    int result = flush();
    close(peer);
    return result;
}

const struct io_contender io_nbd = {
    .name = "nbd", .open = open_export, .pump = pump, .close = close_export};
