/*
 * Records and fails the file operations of a program (LD_PRELOAD), for tests of power cuts and failing disks.
 *
 * For the files of one folder it records every change and sync in order, and from a chosen change on it fails them.
 * Environment variables control it:
 *
 *   SHIM_FOLDER    the folder; other files are left alone
 *   SHIM_LOG       the log: a line "W PATH OFFSET LENGTH" and the bytes, "T PATH SIZE", "S PATH",
 *                  "C PATH" (created), "U PATH" (removed), "L OLD NEW" (a further name), "R OLD NEW" (renamed)
 *   SHIM_FAIL_AT   the number of the first change or sync that fails, from 1
 *   SHIM_ERRNO     how it fails
 *   SHIM_REPAIR    a path; when that file exists, nothing fails any more
 *   SHIM_BOOT_ID   a file that is read instead of the kernel's boot id
 *
 * A file called "journal" is recorded, but never fails. Shared memory (-shm) is not recorded: it does not survive a power cut.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;
static int count;

static int is_ours(const char *path)
{
    const char *folder = getenv("SHIM_FOLDER");
    size_t length = folder == NULL ? 0 : strlen(folder);
    return length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/' && strstr(path, "-shm") == NULL;
}

static int path_of(int file, char path[4096])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, 4095);
    path[length < 0 ? 0 : length] = '\0';
    return is_ours(path);
}

/* Whether this change fails; sets errno. */
static int fails(const char *path)
{
    const char *first = getenv("SHIM_FAIL_AT"), *repaired = getenv("SHIM_REPAIR"), *number = getenv("SHIM_ERRNO");
    if (first == NULL || repaired == NULL || number == NULL || strstr(path, "/journal") != NULL) {
        return 0;
    }
    if (__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) < atoi(first) || access(repaired, F_OK) == 0) {
        return 0;
    }
    errno = atoi(number);
    return 1;
}

static void record(const char *line, const void *bytes, size_t length)
{
    static int log = -1;
    const char *path = getenv("SHIM_LOG");
    if (path == NULL) {
        return;
    }
    pthread_mutex_lock(&recording);
    if (log < 0) {
        log = REAL(int, open, const char *, int, ...)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    ssize_t (*real)(int, const void *, size_t) = REAL(ssize_t, write, int, const void *, size_t);
    if (real(log, line, strlen(line)) < 0 || (length > 0 && real(log, bytes, length) != (ssize_t)length)) {
        abort();
    }
    pthread_mutex_unlock(&recording);
}

static void record_write(const char *path, const void *bytes, ssize_t written, off_t offset)
{
    if (written > 0) {
        char line[4200];
        snprintf(line, sizeof(line), "W %s %lld %zd\n", path, (long long)offset, written);
        record(line, bytes, (size_t)written);
    }
}

static void record_names(char what, const char *one, const char *other)
{
    char line[8400];
    snprintf(line, sizeof(line), other == NULL ? "%c %s\n" : "%c %s %s\n", what, one, other);
    record(line, NULL, 0);
}

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, int mode)
{
    const char *boot_id = getenv("SHIM_BOOT_ID");
    if (boot_id != NULL && strcmp(path, BOOT_ID) == 0) {
        return real(boot_id, flags, mode);
    }
    int makes = (flags & O_CREAT) != 0 && is_ours(path) && access(path, F_OK) != 0;
    if (makes && fails(path)) {
        return -1;
    }
    int file = real(path, flags, mode);
    if (makes && file >= 0) {
        record_names('C', path, NULL);
    }
    return file;
}

#define OPEN(name)                                        \
    int name(const char *path, int flags, ...)            \
    {                                                     \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest);                                     \
        return opened(REAL(int, name, const char *, int, ...), path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define PWRITE(name)                                                                              \
    ssize_t name(int file, const void *bytes, size_t length, off_t offset)                        \
    {                                                                                             \
        char path[4096];                                                                          \
        int ours = path_of(file, path);                                                           \
        if (ours && fails(path)) {                                                                \
            return -1;                                                                            \
        }                                                                                         \
        ssize_t written = REAL(ssize_t, name, int, const void *, size_t, off_t)(file, bytes, length, offset); \
        if (ours) {                                                                               \
            record_write(path, bytes, written, offset);                                           \
        }                                                                                         \
        return written;                                                                           \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int file, const void *bytes, size_t length)
{
    char path[4096];
    int ours = path_of(file, path);
    if (ours && fails(path)) {
        return -1;
    }
    struct stat status = {0};
    off_t offset = 0;
    if (ours) {
        fstat(file, &status);
        offset = (fcntl(file, F_GETFL) & O_APPEND) != 0 ? status.st_size : lseek(file, 0, SEEK_CUR);
    }
    ssize_t written = REAL(ssize_t, write, int, const void *, size_t)(file, bytes, length);
    if (ours) {
        record_write(path, bytes, written, offset);
    }
    return written;
}

#define FTRUNCATE(name)                                                  \
    int name(int file, off_t size)                                       \
    {                                                                    \
        char path[4096], line[4200];                                     \
        int ours = path_of(file, path);                                  \
        if (ours && fails(path)) {                                       \
            return -1;                                                   \
        }                                                                \
        int result = REAL(int, name, int, off_t)(file, size);            \
        if (ours && result == 0) {                                       \
            snprintf(line, sizeof(line), "T %s %lld\n", path, (long long)size); \
            record(line, NULL, 0);                                       \
        }                                                                \
        return result;                                                   \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

#define SYNC(name)                               \
    int name(int file)                           \
    {                                            \
        char path[4096];                         \
        int ours = path_of(file, path);          \
        if (ours && fails(path)) {               \
            return -1;                           \
        }                                        \
        int result = REAL(int, name, int)(file); \
        if (ours && result == 0) {               \
            record_names('S', path, NULL);       \
        }                                        \
        return result;                           \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path)
{
    int ours = is_ours(path);
    if (ours && fails(path)) {
        return -1;
    }
    int result = REAL(int, unlink, const char *)(path);
    if (ours && result == 0) {
        record_names('U', path, NULL);
    }
    return result;
}

int rename(const char *from, const char *to)
{
    int ours = is_ours(to);
    if (ours && fails(to)) {
        return -1;
    }
    int result = REAL(int, rename, const char *, const char *)(from, to);
    if (ours && result == 0) {
        record_names('R', from, to);
    }
    return result;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    int ours = is_ours(to);
    if (ours && fails(to)) {
        return -1;
    }
    int result = REAL(int, linkat, int, const char *, int, const char *, int)(from_folder, from, to_folder, to, flags);
    if (ours && result == 0) {
        record_names('L', from, to);
    }
    return result;
}
