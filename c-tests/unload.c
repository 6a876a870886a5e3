/*
 * The library as a plug-in: loaded, used, unloaded and loaded again in one process, as by a web server that reloads its
 * configuration. TFA_LIBRARY is its path; this is the only program that is not linked with it.
 *
 * Promise: nothing of an unloaded library is called, neither by a fork nor when a thread or the process ends.
 */
#include "tap.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct tfa_t tfa_t;

/* The functions that this program uses. */
struct library {
    void *handle;
    tfa_t *(*open)(const char *, char **);
    void (*close)(tfa_t *);
    void (*free)(char *);
    char *(*policy_status)(tfa_t *, const char *, const char *);
};

static void find(struct library *library, void *function, size_t size, const char *symbol)
{
    void *address = dlsym(library->handle, symbol);
    if (address == NULL) {
        fprintf(stderr, "# aborted: there is no symbol %s\n", symbol);
        exit(99);
    }
    memcpy(function, &address, size);
}

static struct library load(const char *path)
{
    struct library library = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (library.handle == NULL) {
        fprintf(stderr, "# aborted: %s\n", dlerror());
        exit(99);
    }
    find(&library, &library.open, sizeof(library.open), "tfa_open");
    find(&library, &library.close, sizeof(library.close), "tfa_close");
    find(&library, &library.free, sizeof(library.free), "tfa_free");
    find(&library, &library.policy_status, sizeof(library.policy_status), "tfa_twofactorauth_policy_status");
    return library;
}

static char config[256];

/* Opens a handle, makes a call and closes it. Returns whether that worked. */
static bool use(const struct library *library)
{
    char *error = NULL;
    tfa_t *tfa = library->open(config, &error);
    if (tfa == NULL) {
        printf("# %s\n", error);
        library->free(error);
        return false;
    }
    char *answer = library->policy_status(tfa, "root", NULL);
    bool good = strstr(answer, "\"is_enabled\":0") != NULL;
    library->free(answer);
    library->close(tfa);
    return good;
}

static void *use_in_a_thread(void *library)
{
    return use(library) ? library : NULL;
}

/* Forks a child that uses the library, if there is one, and exits. Returns whether that worked. */
static bool in_a_child(const struct library *library)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(library == NULL || use(library) ? 0 : 1);
    }
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    const char *path = getenv("TFA_LIBRARY");
    char folder[] = "/tmp/tfa-test-XXXXXX";
    if (path == NULL || mkdtemp(folder) == NULL) {
        fprintf(stderr, "# aborted: TFA_LIBRARY is not set, or there is no temporary folder\n");
        return 99;
    }
    snprintf(config, sizeof(config), "{\"create\": true, \"store\": \"sqlite:%s/tfa.db\"}", folder);
    for (int round = 1; round <= 3; round++) {
        struct library library = load(path);
        ok(use(&library), "load %d: used", round);
        pthread_t thread;
        void *result = NULL;
        pthread_create(&thread, NULL, use_in_a_thread, &library);
        pthread_join(thread, &result);
        ok(result != NULL, "load %d: used in a thread", round);
        ok(in_a_child(&library), "load %d: used in a child", round);
        is_number(dlclose(library.handle), 0, "load %d: unloaded", round);
        ok(in_a_child(NULL), "load %d: a fork works without it", round);
    }
    static const char *const files[] = {"tfa.db", "tfa.key", "tfa.key.lock"};
    for (size_t file = 0; file < 3; file++) {
        char name[300];
        snprintf(name, sizeof(name), "%s/%s", folder, files[file]);
        ok(unlink(name) == 0, "%s exists", files[file]);
    }
    is_number(rmdir(folder), 0, "no other file is left");
    return done();
}
