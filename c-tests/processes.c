/* Child processes, and gates at which they wait for each other; see support.h. */
#include "support.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("no shared memory: %s", strerror(errno));
    }
    return memory;
}

pid_t start(int (*body)(void *), void *context)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        die("no child process: %s", strerror(errno));
    }
    if (child == 0) {
        alarm(120);
        int status = body(context);
        fflush(stdout);
        _exit(status);
    }
    return child;
}

void leave(int status)
{
    fflush(stdout);
    execl("/bin/sh", "sh", "-c", status == 0 ? "exit 0" : "exit 1", (char *)NULL);
    _exit(status);
}

int finished(const pid_t *children, size_t count)
{
    int well = 0;
    for (size_t child = 0; child < count; child++) {
        int status = 0;
        while (waitpid(children[child], &status, 0) < 0) {
            if (errno != EINTR) {
                die("waitpid: %s", strerror(errno));
            }
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            well++;
        } else {
            printf("# child %zu ended with status 0x%x\n", child, (unsigned)status);
        }
    }
    return well;
}

void gate_wait(struct gate *gate)
{
    atomic_fetch_add(&gate->waiting, 1);
    while (atomic_load(&gate->open) == 0) {
        syscall(SYS_futex, &gate->open, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
}

void gate_open(struct gate *gate, int expected)
{
    while (atomic_load(&gate->waiting) < expected) {
        usleep(1000);
    }
    atomic_store(&gate->open, 1);
    syscall(SYS_futex, &gate->open, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
