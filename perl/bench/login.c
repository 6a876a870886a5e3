/*
 * login CONFIG.json CODE FIRST COUNT: logs in user FIRST and the COUNT - 1 after it with one code, by the C call.
 * Prints the processor time of each login in nanoseconds. For bench.pl, which does the same through Perl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tfa.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int count, char **arguments) {
    static char config[65536];
    char name[64];
    char *error = NULL;
    FILE *file = count == 5 ? fopen(arguments[1], "r") : NULL;
    if (!file || fread(config, 1, sizeof config - 1, file) == 0) return 2;
    fclose(file);
    tfa_t *tfa = tfa_open(config, &error);
    if (!tfa) {
        fputs(error, stderr);
        tfa_free(error);
        return 1;
    }
    long first = atol(arguments[3]), logins = atol(arguments[4]);
    tfa_login(tfa, "user1", NULL);
    double start = now();
    for (long user = first; user < first + logins; user++) {
        snprintf(name, sizeof name, "user%ld", user);
        if (tfa_login(tfa, name, arguments[2]) != 1) {
            fprintf(stderr, "%s was not accepted\n", name);
            return 1;
        }
    }
    printf("%.1f", (now() - start) / (double)logins);
    tfa_close(tfa);
    return 0;
}
