/* Argument texts that every function refuses: no JSON object, or too much of one. */
#ifndef BAD_TEXTS_H
#define BAD_TEXTS_H

#include <stddef.h>

struct bad_text {
    const char *what;
    char *args;
};

/* Which of them is a string of 2 MiB. */
#define TWO_MIB 10

extern struct bad_text bad_texts[16];
extern size_t bad_count;

/* Makes them all. */
void make_bad_texts(void);

/* Frees them all. */
void free_bad_texts(void);

/* Concatenates three texts, and frees the middle one. To be freed. */
char *around(const char *before, char *middle, const char *after);

#endif
