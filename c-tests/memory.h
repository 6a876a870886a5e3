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

/* A call: its name and its arguments, each with a NUL behind it. */
struct request {
    uint32_t lengths[FIELDS];
    uint32_t used;
    char fields[1 << 16];
};

/* The worker's process id. */
extern pid_t worker;

/* What the worker does: it carries out requests from standard input until that is closed. */
int work(void);

/* Starts a worker, and waits until it has become a program of its own. */
void start_worker(void);

/* Ends the worker; returns its exit status. */
int stop_worker(void);

/* Adds a field to a request. */
void add_field(struct request *request, int number, const char *bytes, size_t length);

/* Has the worker carry out a request; returns its answer when the call is over. */
const char *told_to(const struct request *request);

/* Has the worker do a call; the arguments are texts, and absent ones NULL. */
#define TELL(...) tell((const char *[FIELDS]){__VA_ARGS__})

const char *tell(const char *const fields[FIELDS]);

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

/* Everything that a secret could be recognised by. */
void secret_needles(const char *secret, const char *whose);

/* A recovery code as it is shown, as it is normalised, and its bytes. */
void recovery_needles(const char *code);

/* The state of SHA-1 after an HMAC key's block, xored with 0x36 or 0x5c. */
void prepare_sha1(uint32_t state[5], const unsigned char *key, size_t length, unsigned char with);

/* One block of SHA-1 (RFC 3174 section 6.1). */
void sha1_block(uint32_t state[5], const unsigned char block[64]);

/* ---- The search ---- */

/* Whether the search prints where it finds something. */
extern bool telling;

/* Searches everything that the worker can write to; returns how many needles are not there as often as they are allowed
 * to be, -1 when the memory was not read. */
int search(void);

#endif
