/* Argument texts that every function refuses; see bad_texts.h. */
#include "bad_texts.h"

#include "support.h"

#include <stdlib.h>

struct bad_text bad_texts[16];
size_t bad_count;

static void bad(const char *what, char *args)
{
    bad_texts[bad_count++] = (struct bad_text){what, args};
}

char *around(const char *before, char *middle, const char *after)
{
    size_t length = strlen(before) + strlen(middle) + strlen(after) + 1;
    char *whole = malloc(length);
    if (whole == NULL) {
        die("out of memory");
    }
    snprintf(whole, length, "%s%s%s", before, middle, after);
    free(middle);
    return whole;
}

void make_bad_texts(void)
{
    bad("an empty text", repeated("", 0));
    bad("no JSON", repeated("user=root", 1));
    bad("half an object", repeated("{\"user\": \"root\"", 1));
    bad("two objects", repeated("{}", 2));
    bad("an array", repeated("[]", 1));
    bad("a number", repeated("7", 1));
    bad("null", repeated("null", 1));
    bad("bad UTF-8", repeated("{\"user\": \"\xff\xfe\"}", 1));
    bad("a lone surrogate", repeated("{\"user\": \"\\ud800\"}", 1));
    bad("a raw control character", repeated("{\"user\": \"a\x01\"}", 1));
    bad("2 MiB", around("{\"user\": \"", repeated("a", 2 << 20), "\"}"));
    bad("2 MiB of spaces", around("{", repeated(" ", 2 << 20), "}"));
    bad("10,000 brackets", repeated("[", 10000));
    char *closing = repeated("]", 10000);
    bad("10,000 brackets, closed", around("", repeated("[", 10000), closing));
    free(closing);
    bad("10,000 objects", repeated("{\"user\":", 10000));
}

void free_bad_texts(void)
{
    for (size_t place = 0; place < bad_count; place++) {
        free(bad_texts[place].args);
    }
}
