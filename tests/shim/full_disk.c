/* Makes a process meet a full disk: preloaded, it stands before the C library's writes.
 *
 * While the file named by DISK_FULL_WHILE exists, writing to a regular file fails with ENOSPC. Pipes, sockets and
 * the standard streams go on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int refused(int fd)
{
    const char *gate = getenv("DISK_FULL_WHILE");
    struct stat file;

    if (fd <= STDERR_FILENO || gate == NULL || access(gate, F_OK) != 0)
        return 0;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

    return refused(fd) ? -1 : real(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) =
        (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");

    return refused(fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

    return refused(fd) ? -1 : real(fd, bytes, length, at);
}
