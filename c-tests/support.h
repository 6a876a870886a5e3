/*
 * What the C tests share: a store of their own in a temporary folder, calls that answer texts, JSON by paths, codes
 * from an authenticator that is not ours (oathtool), and child processes.
 *
 * Promises: whatever goes wrong here ends the program with a word about it, so a test never passes on half a
 * preparation. Texts that these functions return need no freeing: they live as long as the thread that asked for them.
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

/* Skew of the widest window that the configuration allows: tests that use it need not fear the turn of a step. */
#define WIDE "\"skew\": 10"

/* ---- Texts ---- */

/* The text that printf would print. */
__attribute__((format(printf, 1, 2))) const char *text(const char *format, ...);

/* `count` times `part`. To be freed. */
char *repeated(const char *part, size_t count);

/* Ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* The number in an environment variable, or `usual`. */
int setting(const char *variable, int usual);

/* ---- A store of one's own ---- */

struct place {
    char folder[64];
    char database[96];
    char key[96];
};

/* Makes an empty folder, which goes away when the program ends. */
struct place new_place(void);

/* The configuration for a store there, with `more` keys ("" for none). */
const char *config(const struct place *place, const char *more);

/* Opens a store there. */
tfa_t *open_at(const struct place *place, const char *more);

/* The error that opening with a configuration makes; "" when it opens (and is closed again). */
const char *refusal(const char *configuration);

/* Writes a file of mode 0600. */
void write_file(const char *path, const char *contents, size_t length);

/* Everything in the store's files but SQLite's shared memory, in one number. */
unsigned long long fingerprint(const struct place *place);

/* ---- Calls ---- */

/* Copies an answer of the library and frees it. */
const char *taken(char *answer);

/* Calls a WHM function; the arguments are a format and its values, or NULL. */
__attribute__((format(printf, 4, 5))) const char *
whm(tfa_t *tfa, const char *caller, const char *function, const char *args, ...);

/* Calls a UAPI function, likewise. */
__attribute__((format(printf, 4, 5))) const char *
uapi(tfa_t *tfa, const char *caller, const char *function, const char *args, ...);

/* The value at a path such as "data/retry_after" or "errors/0": a string without its quotes, anything else as JSON,
 * "(absent)" when there is none. */
const char *at(const char *answer, const char *path);

/* The number at a path. */
long number_at(const char *answer, const char *path);

/* Whether a text is JSON. */
bool is_json(const char *answer);

/* How many entries the array or object at a path has; -1 when there is none. */
long size_at(const char *answer, const char *path);

/* The reason in an answer of either API. */
const char *reason(const char *answer);

/* Whether an answer of either API says that the call worked. */
bool worked(const char *answer);

/* Whether an answer is an error with a reason. */
bool refused(const char *answer);

/* ---- Codes ---- */

/* The present step. */
long step_now(void);

/* Waits until the present step has at least `seconds` left, which is at once nearly always. */
void settle_in_step(int seconds);

/* What oathtool shows for a Base32 secret in a step. */
const char *code(const char *secret, long step);

/* The same for other parameters; algorithm is "sha1", "sha256" or "sha512", time is in seconds. */
const char *code_of(const char *secret, const char *algorithm, int digits, int period, long time);

/* Six digits that are no code of the secret for 25 steps either side of `step`. */
const char *wrong_code(const char *secret, long step);

/* Room for a secret as text. */
#define SECRET_SIZE 136

/* Proposes a secret for a caller through UAPI. The policy must be on. */
void propose(tfa_t *tfa, const char *caller, char secret[SECRET_SIZE]);

/* Enrols a caller through UAPI, with the code of a step. The policy must be on. */
void enrol(tfa_t *tfa, const char *caller, long step, char secret[SECRET_SIZE]);

/* Makes a store with the policy enabled and `example` enrolled, and closes it. */
void furnish(const struct place *place);

/* Enrols a user, then logs in with the used code, the next one, and that one again; 0 when each has its verdict. */
int enrol_and_log_in(tfa_t *tfa, const char *user);

/* ---- Processes ---- */

/* In a child or thread, which has no checks of its own: ends it with 1 unless something holds. */
#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                           \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* Memory that parent and children share, all zero. */
void *shared(size_t size);

/* Forks a child that runs body and exits with what it returns; it is killed after two minutes. Valgrind looks for leaks
 * in it, AddressSanitizer only in the parent, since that takes it longer than the child lives. */
pid_t start(int (*body)(void *), void *context);

/* Ends a child of a process with threads. What the other threads held at the moment of the fork is lost in it, which is
 * nobody's fault, so it becomes another program, in which nothing looks for leaks. */
__attribute__((noreturn)) void leave(int status);

/* Waits for children; answers how many of them exited with 0. */
int finished(const pid_t *children, size_t count);

/* Where several wait to begin at the same moment. In shared memory for processes. */
struct gate {
    atomic_int waiting;
    atomic_int open;
};

/* Waits at the gate. */
void gate_wait(struct gate *gate);

/* Opens the gate once so many wait. */
void gate_open(struct gate *gate, int expected);

#endif
