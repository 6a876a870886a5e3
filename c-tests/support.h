/*
 * Shared by the C tests: stores in temporary folders, calls that return texts, JSON by paths, codes from an independent
 * authenticator (oathtool), and child processes.
 *
 * Promises: any failure here ends the program with a message, so that no test passes on half a preparation. Texts that
 * these functions return need no freeing: they live as long as the calling thread.
 * Time steps are 30 seconds unless a function says otherwise.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../include/tfa.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The widest window that the configuration allows, so that the end of a time step does not affect a test. */
#define WIDE "\"skew\": 10"

/* ---- Texts ---- */

/* The text that printf prints. */
__attribute__((format(printf, 1, 2))) const char *text(const char *format, ...);

/* `part` repeated `count` times. To be freed. */
char *repeated(const char *part, size_t count);

/* Ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* The number in an environment variable, or `usual`. */
int setting(const char *variable, int usual);

/* ---- Stores ---- */

struct place {
    char folder[64];
    char database[96];
    char key[96];
};

/* Creates an empty folder, which is removed when the program ends. */
struct place new_place(void);

/* The configuration of a store there, with `more` keys ("" for none). */
const char *config(const struct place *place, const char *more);

/* Opens a store there. */
tfa_t *open_at(const struct place *place, const char *more);

/* The error of opening with a configuration; "" if it opens (and is closed again). */
const char *refusal(const char *configuration);

/* Writes a file of mode 0600. */
void write_file(const char *path, const char *contents, size_t length);

/* A hash of the store's files, except SQLite's shared memory. */
unsigned long long fingerprint(const struct place *place);

/* ---- Calls ---- */

/* Copies an answer of the library, and frees it. */
const char *taken(char *answer);

/* Calls a WHM function; the arguments are a format and its values, or NULL. */
__attribute__((format(printf, 4, 5))) const char *
whm(tfa_t *tfa, const char *caller, const char *function, const char *args, ...);

/* Calls a UAPI function in the same way. */
__attribute__((format(printf, 4, 5))) const char *
uapi(tfa_t *tfa, const char *caller, const char *function, const char *args, ...);

/* The value at a path such as "data/retry_after" or "errors/0": a string without its quotes, anything else as JSON,
 * "(absent)" if there is none. */
const char *at(const char *answer, const char *path);

/* The number at a path. */
long number_at(const char *answer, const char *path);

/* Whether a text is JSON. */
bool is_json(const char *answer);

/* The number of entries of the array or object at a path; -1 if there is none. */
long size_at(const char *answer, const char *path);

/* The reason in an answer of either API. */
const char *reason(const char *answer);

/* Whether the call worked, for an answer of either API. */
bool worked(const char *answer);

/* Whether an answer is an error with a reason. */
bool refused(const char *answer);

/* ---- Codes ---- */

/* The present time step. */
long step_now(void);

/* Waits until the present step has at least `seconds` left. */
void settle_in_step(int seconds);

/* The code of a Base32 secret in a step, as oathtool computes it. */
const char *code(const char *secret, long step);

/* The same for other code formats; algorithm is "sha1", "sha256" or "sha512", time is in seconds. */
const char *code_of(const char *secret, const char *algorithm, int digits, int period, long time);

/* A code that is invalid for 25 steps on either side of `step`. */
const char *wrong_code(const char *secret, long step);

/* Room for a secret as text. */
#define SECRET_SIZE 136

/* Generates a secret for a caller through UAPI. The policy must be enabled. */
void propose(tfa_t *tfa, const char *caller, char secret[SECRET_SIZE]);

/* Enrols a caller through UAPI, with the code of a step and a secret whose codes differ from step to step. The policy must be enabled. */
void enrol(tfa_t *tfa, const char *caller, long step, char secret[SECRET_SIZE]);

/* Makes a store with the policy enabled and `example` enrolled, and closes it. */
void furnish(const struct place *place);

/* Enrols a user, then logs in with the used code, the next one, and that one again; 0 if each has the right verdict. */
int enrol_and_log_in(tfa_t *tfa, const char *user);

/* ---- Processes ---- */

/* In a child, which prints no checks of its own: returns 1 unless the condition holds. */
#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                           \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* Memory that parent and children share, all zero. */
void *shared(size_t size);

/* Forks a child that runs body and exits with its result; it is killed after two minutes. Valgrind checks it for leaks;
 * AddressSanitizer checks the parent only, since a check takes longer than the child runs. */
pid_t start(int (*body)(void *), void *context);

/* Ends a child of a process with threads. Memory of the other threads at the moment of the fork is lost in it, which is no
 * leak, so it executes another program, which is not checked for leaks. */
__attribute__((noreturn)) void leave(int status);

/* Waits for children. Returns how many of them exited with 0. */
int finished(const pid_t *children, size_t count);

/* A barrier at which threads or processes (in shared memory) wait to start at the same moment. */
struct gate {
    atomic_int waiting;
    atomic_int open;
};

/* Waits at the gate. */
void gate_wait(struct gate *gate);

/* Opens the gate when that many are waiting. */
void gate_open(struct gate *gate, int expected);

#endif
