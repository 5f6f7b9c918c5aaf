/* A file or a block device by the kernel's asynchronous I/O, past the page cache. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct io_job *job;
static int file = -1;
static aio_context_t context;
static struct iocb blocks[IO_DEPTH_MOST];
static struct iocb *queue[IO_DEPTH_MOST];
static long queued;
static uint64_t to_start, under_way;

static int failed(const char *what)
{
    perror(what);
    return -1;
}

static void start(unsigned slot)
{
    if (to_start == 0)
        return;
    to_start--;
    under_way++;
    blocks[slot] = (struct iocb){.aio_data = slot,
                                 .aio_lio_opcode = job->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                                 .aio_fildes = (uint32_t)file,
                                 .aio_buf = (uintptr_t)io_buffer(job, slot),
                                 .aio_nbytes = job->size,
                                 .aio_offset = (int64_t)(io_next_block(job) * IO_BLOCK)};
    queue[queued++] = &blocks[slot];
}

static int flush(void)
{
    for (long done = 0; done < queued;) {
        long now = syscall(SYS_io_submit, context, queued - done, queue + done);
        if (now <= 0)
            return failed("file: io_submit");
        done += now;
    }
    queued = 0;
    return 0;
}

static int pump(uint64_t commands)
{
    struct io_event events[IO_DEPTH_MOST];

    to_start = commands;
    for (unsigned i = 0; i < job->depth; i++)
        start(i);
    while (under_way > 0) {
        if (flush() != 0)
            return -1;
        long count = syscall(SYS_io_getevents, context, 1L, (long)IO_DEPTH_MOST, events, NULL);
        if (count <= 0)
            return failed("file: io_getevents");
        for (long i = 0; i < count; i++) {
            if (events[i].res != job->size) {
                fprintf(stderr, "file: %s\n", strerror((int)-events[i].res));
                return -1;
            }
            under_way--;
            start((unsigned)events[i].data);
        }
    }
    return 0;
}

static int open_file(const struct io_job *wanted)
{
    job = wanted;
    file = open(job->path, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (file < 0)
        return failed(job->path);
    context = 0;
    return syscall(SYS_io_setup, IO_DEPTH_MOST, &context) == 0 ? 0 : failed("file: io_setup");
}

static int close_file(void)
{
    syscall(SYS_io_destroy, context);
    return close(file);
}

const struct io_contender io_file = {
    .name = "file", .open = open_file, .pump = pump, .close = close_file};
