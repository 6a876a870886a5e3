/*
 * A worker process, the needles that its memory must not hold, and the search for them. Shared by the files of memory.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

#include "support.h"

/* ---- The worker ---- */

#define FIELDS 6
#define ABSENT UINT32_MAX

/* A call: its name and its arguments, each followed by a NUL. */
struct request {
    uint32_t lengths[FIELDS];
    uint32_t used;
    char fields[1 << 16];
};

/* The worker's process id. */
extern pid_t worker;

/* The worker: performs requests from standard input until that is closed. */
int work(void);

/* Starts a worker, and waits until it has become a program of its own. */
void start_worker(void);

/* Ends the worker. Returns its exit status. */
int stop_worker(void);

/* Adds a field to a request. */
void add_field(struct request *request, int number, const char *bytes, size_t length);

/* Has the worker perform a request. Returns its answer after the call. */
const char *performed(const struct request *request);

/* Has the worker perform a call with these arguments; NULL for those that are absent. */
#define CALL(...) call((const char *[FIELDS]){__VA_ARGS__})

const char *call(const char *const fields[FIELDS]);

/* ---- The needles ---- */

struct needle {
    const char *name;
    unsigned char bytes[64];
    size_t length;
    int found;
    int allowed;
};

extern struct needle needles[512];
extern size_t needle_count;

/* Adds a needle. */
struct needle *needle(const char *name, const void *bytes, size_t length);

/* Adds every form of a secret. */
void secret_needles(const char *secret, const char *whose);

/* Adds every form of a recovery code. */
void recovery_needles(const char *code);

/* The state of SHA-1 after an HMAC key's block, xored with 0x36 or 0x5c. */
void prepare_sha1(uint32_t state[5], const unsigned char *key, size_t length, unsigned char with);

/* One block of SHA-1 (RFC 3174 section 6.1). */
void sha1_block(uint32_t state[5], const unsigned char block[64]);

/* ---- The search ---- */

/* Whether the search prints where it finds something. */
extern bool verbose;

/* Searches everything that the worker can write to; Returns the number of needles that are not there as often as they are
 * allowed to be, or -1 if the memory was not read. */
int search(void);

#endif
