/*
 * The C side of bench.py: measures the time that logins take.
 *
 *     bench_login CONFIG < SUBJECTS_AND_CODES
 *
 * Reads lines "subject code", calls tfa_login with each, and prints the median time of a call in nanoseconds. Promise: if
 * a login is not accepted, it exits with 1 and a message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tfa.h"

#define MOST 100000

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static long long took[MOST];
    size_t count = 0;
    char subject[256], code[64], *error = NULL;
    tfa_t *tfa = tfa_open(argc > 1 ? argv[1] : NULL, &error);
    if (tfa == NULL) {
        fprintf(stderr, "bench_login: %s\n", error);
        tfa_free(error);
        return 1;
    }
    while (count < MOST && scanf("%255s %63s", subject, code) == 2) {
        long long before = now();
        int32_t found = tfa_login(tfa, subject, code);
        took[count++] = now() - before;
        if (found != 1) {
            fprintf(stderr, "bench_login: %s: tfa_login returned %d\n", subject, (int)found);
            return 1;
        }
    }
    tfa_close(tfa);
    if (count == 0) {
        fprintf(stderr, "bench_login: standard input has no logins\n");
        return 1;
    }
    qsort(took, count, sizeof took[0], by_size);
    printf("%lld\n", took[count / 2]);
    return 0;
}
