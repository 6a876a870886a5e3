/* What is searched for in the memory of the worker, and the search; see memory.h. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct needle needles[512];
size_t needle_count;

struct needle *needle(const char *name, const void *bytes, size_t length)
{
    if (needle_count == COUNT(needles) || length < 8 || length > sizeof(needles->bytes)) {
        die("%s has the wrong length for a search", name);
    }
    struct needle *added = &needles[needle_count++];
    added->name = name;
    added->length = length;
    memcpy(added->bytes, bytes, length);
    return added;
}

/* Adds bytes as a hash with words of that size holds them: each word in reverse. */
static void turned_needle(const char *name, const unsigned char *bytes, size_t length, size_t word)
{
    unsigned char turned[64];
    length -= length % word;
    for (size_t place = 0; place < length; place++) {
        turned[place] = bytes[place / word * word + word - 1 - place % word];
    }
    if (length >= 8) {
        needle(name, turned, length);
    }
}

/* Adds the key of an HMAC, xored with 0x36 or 0x5c, as bytes and as words in registers of 4, 8 and 16 bytes. */
static void pad_needles(const char *name, const unsigned char *key, size_t length, unsigned char with)
{
    unsigned char pad[64];
    for (size_t place = 0; place < length; place++) {
        pad[place] = key[place] ^ with;
    }
    needle(name, pad, length);
    turned_needle(text("%s in words of 4 bytes", name), pad, length, 4);
    turned_needle(text("%s in words of 8 bytes", name), pad, length, 8);
    turned_needle(text("%s in words of 16 bytes", name), pad, length, 16);
}

static uint32_t rotated(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* One block of SHA-1 (RFC 3174 section 6.1). A prepared HMAC is the state after its key's block, as good as the key. */
void sha1_block(uint32_t state[5], const unsigned char block[64])
{
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int t = 0; t < 80; t++) {
        words[t] = t < 16 ? (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16
                                | (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3]
                          : rotated(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
        uint32_t mixed = t < 20 ? (b & c) | (~b & d) : t < 40 || t >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t next = rotated(a, 5) + mixed + e + words[t] + constants[t / 20];
        e = d, d = c, c = rotated(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void prepare_sha1(uint32_t state[5], const unsigned char *key, size_t length, unsigned char with)
{
    unsigned char block[64];
    memset(block, with, sizeof(block));
    for (size_t place = 0; place < length; place++) {
        block[place] ^= key[place];
    }
    memcpy(state, (uint32_t[5]){0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, 20);
    sha1_block(state, block);
}

static void prepared_needle(const char *name, const unsigned char *key, size_t length, unsigned char with)
{
    uint32_t state[5];
    prepare_sha1(state, key, length, with);
    needle(name, state, sizeof(state));
}

void secret_needles(const char *secret, const char *whose)
{
    unsigned char bytes[64];
    int64_t length = tfa_decode_base32(secret, bytes, sizeof(bytes));
    if (length < 10) {
        die("%s is not a secret", secret);
    }
    char lower[SECRET_SIZE] = "";
    for (size_t place = 0; place < strlen(secret); place++) {
        lower[place] = (char)(secret[place] | ('A' <= secret[place] && secret[place] <= 'Z' ? 0x20 : 0));
    }
    needle(text("%s, in Base32", whose), secret, strlen(secret));
    needle(text("%s, in lower case", whose), lower, strlen(lower));
    needle(text("%s, its bytes", whose), bytes, (size_t)length);
    pad_needles(text("%s, HMAC's inner key", whose), bytes, (size_t)length, 0x36);
    pad_needles(text("%s, HMAC's outer key", whose), bytes, (size_t)length, 0x5c);
    prepared_needle(text("%s, HMAC's inner state", whose), bytes, (size_t)length, 0x36);
    prepared_needle(text("%s, HMAC's outer state", whose), bytes, (size_t)length, 0x5c);
}

void recovery_needles(const char *code)
{
    char letters[32] = "";
    unsigned char bytes[32];
    for (const char *letter = code; *letter != '\0'; letter++) {
        if (*letter != '-') {
            letters[strlen(letters)] = (char)('a' <= *letter && *letter <= 'z' ? *letter - 0x20 : *letter);
        }
    }
    needle("a recovery code", code, strlen(code));
    needle("a recovery code, normalised", letters, strlen(letters));
    needle("a recovery code, its bytes", bytes, (size_t)tfa_decode_base32(letters, bytes, sizeof(bytes)));
}

/* ---- The search ---- */

bool verbose = true;

/* Searches one mapping of the worker for all needles. */
static void search_mapping(int memory, unsigned long begin, unsigned long end, const char *name)
{
    size_t length = end - begin;
    char *bytes = malloc(length);
    if (bytes == NULL || pread(memory, bytes, length, (off_t)begin) != (ssize_t)length) {
        die("the worker's memory %lx-%lx %s cannot be read: %s", begin, end, name, strerror(errno));
    }
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        char *place = bytes;
        while ((place = memmem(place, length - (size_t)(place - bytes), one->bytes, one->length)) != NULL) {
            if (++one->found > one->allowed && verbose) {
                printf("# %s: %s, %#lx from its end\n", one->name, *name == '\0' ? "anonymous" : name,
                       (unsigned long)(bytes + length - place));
            }
            place++;
        }
    }
    free(bytes);
}

/* Looks for all needles in everything that the worker can write to; answers how many are not there as often as they are
 * allowed to be. */
int search(void)
{
    FILE *maps = fopen(text("/proc/%d/maps", worker), "re");
    int memory = open(text("/proc/%d/mem", worker), O_RDONLY | O_CLOEXEC), searched = 0, wrong = 0;
    if (maps == NULL || memory < 0) {
        die("the worker's memory cannot be read: %s", strerror(errno));
    }
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        one->found = 0;
    }
    char line[512], access[8], name[256];
    unsigned long begin, end;
    while (fgets(line, sizeof(line), maps) != NULL) {
        name[0] = '\0';
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255[^\n]", &begin, &end, access, name) >= 3
            && strncmp(access, "rw", 2) == 0) {
            search_mapping(memory, begin, end, name);
            searched++;
        }
    }
    fclose(maps);
    close(memory);
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        wrong += one->found != one->allowed;
    }
    return searched < 5 ? -1 : wrong;
}
