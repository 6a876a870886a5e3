/*
 * The Test Anything Protocol in a few functions: each check prints one line, and done() prints the plan.
 *
 * Promises: a failed check prints the expected and the actual value; done() returns the exit status of main, which is 0 only
 * if every check passed. Only the main thread of the first process makes checks.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_checks;
static int tap_failures;

static inline void tap_line(bool passed, const char *name, va_list values)
{
    tap_checks++;
    tap_failures += passed ? 0 : 1;
    printf("%sok %d - ", passed ? "" : "not ", tap_checks);
    vprintf(name, values);
    putchar('\n');
}

/* Checks that something holds. */
__attribute__((format(printf, 2, 3))) static inline bool ok(bool passed, const char *name, ...)
{
    va_list values;
    va_start(values, name);
    tap_line(passed, name, values);
    va_end(values);
    return passed;
}

/* Checks a number. */
__attribute__((format(printf, 3, 4))) static inline bool is_number(long long got, long long want, const char *name, ...)
{
    va_list values;
    va_start(values, name);
    tap_line(got == want, name, values);
    va_end(values);
    if (got != want) {
        printf("#      got: %lld\n# expected: %lld\n", got, want);
    }
    return got == want;
}

/* Checks a text. */
__attribute__((format(printf, 3, 4))) static inline bool is_text(const char *got, const char *want, const char *name, ...)
{
    bool same = strcmp(got, want) == 0;
    va_list values;
    va_start(values, name);
    tap_line(same, name, values);
    va_end(values);
    if (!same) {
        printf("#      got: %s\n# expected: %s\n", got, want);
    }
    return same;
}

/* Checks that a text contains another. */
__attribute__((format(printf, 3, 4))) static inline bool has_text(const char *got, const char *part, const char *name, ...)
{
    bool found = strstr(got, part) != NULL;
    va_list values;
    va_start(values, name);
    tap_line(found, name, values);
    va_end(values);
    if (!found) {
        printf("#      got: %s\n# expected: ... %s ...\n", got, part);
    }
    return found;
}

/* Prints the plan. Returns the exit status of main. */
static inline int done(void)
{
    printf("1..%d\n", tap_checks);
    return tap_failures == 0 && tap_checks > 0 ? 0 : 1;
}

#endif
