/* Makes a process show its syncs and wait in them: preloaded, it stands before the C library's fsync and fdatasync.
 *
 * While the file named by HOLD_SYNC_WHILE exists, a sync writes "sync held" to standard error, waits for one byte on
 * standard input, does its work, and writes "sync done". Otherwise it does its work at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void tell(const char *line, size_t length)
{
    if (write(STDERR_FILENO, line, length) < 0)
        _exit(90);
}

static int held(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *gate = getenv("HOLD_SYNC_WHILE");
    char byte;
    int result;

    if (real == NULL)
        _exit(91);
    if (gate == NULL || access(gate, F_OK) != 0)
        return real(fd);
    tell("sync held\n", 10);
    if (read(STDIN_FILENO, &byte, 1) != 1)
        _exit(92);
    result = real(fd);
    tell("sync done\n", 10);
    return result;
}

int fsync(int fd)
{
    return held("fsync", fd);
}

int fdatasync(int fd)
{
    return held("fdatasync", fd);
}
