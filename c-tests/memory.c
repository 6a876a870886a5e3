/*
 * Memory: what a process still holds of a secret when a call has returned.
 *
 * The process under test is a program of its own: this one, run again as a worker. It knows of a secret only what the
 * library is given or reads, does one call at a time as it is told over a pipe, and wipes what it was told. The test,
 * which knows the secrets, then reads all memory that the worker can write to, and looks for them: their text and bytes,
 * HMAC's keys as the hashes hold them, the codes that were typed, recovery codes, and the keys that seal.
 *
 * That the search can fail is shown first: each of these things is planted in a worker's heap, stack and data, and found.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- What both sides say to each other ---- */

#define FIELDS 6
#define ABSENT UINT32_MAX

/* A call: its name and its arguments, each with a NUL behind it. */
struct request {
    uint32_t lengths[FIELDS];
    uint32_t used;
    char fields[1 << 16];
};

#define HEAD offsetof(struct request, fields)

static void read_all(int file, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t now = read(file, (char *)bytes + done, length - done);
        if (now <= 0) {
            _exit(98);
        }
        done += (size_t)now;
    }
}

static void write_all(int file, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t now = write(file, (const char *)bytes + done, length - done);
        if (now <= 0) {
            _exit(98);
        }
        done += (size_t)now;
    }
}

/* ---- The worker ---- */

static struct request told;
static tfa_t *handle;
static char planted[256];
static char *planted_on_the_heap;

static char *field(int number)
{
    char *place = told.fields;
    for (int before = 0; before < number; before++) {
        place += told.lengths[before] == ABSENT ? 0 : told.lengths[before] + 1;
    }
    return told.lengths[number] == ABSENT ? NULL : place;
}

/* Leaves bytes in a frame that is gone when it returns, deep below everything else. */
__attribute__((noinline)) static void plant_below(const char *bytes, size_t length)
{
    char frame[32768];
    memcpy(frame + 1024, bytes, length);
    /* For the compiler, somebody may read it. */
    __asm__ volatile("" : : "r"(frame) : "memory");
}

/* Leaves bytes wherever a careless library would. */
static int plant(char *bytes, size_t length)
{
    if (planted_on_the_heap == NULL && (planted_on_the_heap = malloc(sizeof(planted))) == NULL) {
        return 1;
    }
    memcpy(planted, bytes, length);
    memcpy(planted_on_the_heap, bytes, length);
    plant_below(bytes, length);
    return 0;
}

static int open_handle(void)
{
    handle = tfa_open(field(1), NULL);
    return handle == NULL;
}

static int close_handle(void)
{
    tfa_close(handle);
    handle = NULL;
    return 0;
}

/* tfa_verify_totp, of codes with 8 digits. */
static int verify(void)
{
    return tfa_verify_totp((unsigned char *)field(1), told.lengths[1], (uint32_t)atoi(field(3)), 8, 30, 1,
                      strtoull(field(4), NULL, 10), field(2), NULL);
}

static int decode(void)
{
    static unsigned char bytes[128];
    int length = (int)tfa_decode_base32(field(1), bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return length;
}

/* Does a call that answers a number. */
static int number_of(const char *name)
{
    return strcmp(name, "open") == 0     ? open_handle()
           : strcmp(name, "close") == 0  ? close_handle()
           : strcmp(name, "login") == 0  ? tfa_login(handle, field(1), field(2))
           : strcmp(name, "verify") == 0 ? verify()
           : strcmp(name, "check") == 0  ? tfa_verify_totp_base32(field(1), field(2), strtoull(field(3), NULL, 10))
           : strcmp(name, "decode") == 0 ? decode()
           : strcmp(name, "plant") == 0  ? plant(field(1), told.lengths[1])
                                         : 0;
}

/* Does a call that answers a text; NULL when it is none of those. */
static char *text_of(const char *name)
{
    return strcmp(name, "whm") == 0       ? tfa_whmapi1(handle, field(1), field(2), field(3))
           : strcmp(name, "uapi") == 0    ? tfa_uapi(handle, field(1), "TwoFactorAuth", field(2), field(3))
           : strcmp(name, "http") == 0    ? tfa_http(handle, field(1), "POST", field(2), field(3))
           : strcmp(name, "secret") == 0  ? tfa_generate_secret(field(1))
           : strcmp(name, "otpauth") == 0 ? tfa_build_otpauth(field(1))
           : strcmp(name, "parse") == 0   ? tfa_parse_otpauth(field(1))
           : strcmp(name, "qr") == 0      ? tfa_draw_qr(field(1))
                                          : NULL;
}

/* Does as it is told until nobody tells it anything any more. Answers go out as the library made them. */
static int work(void)
{
    while (read(0, &told, 1) == 1) {
        read_all(0, (char *)&told + 1, HEAD - 1);
        read_all(0, told.fields, told.used);
        char number[16], *answer = text_of(field(0));
        if (answer == NULL) {
            snprintf(number, sizeof(number), "%d", number_of(field(0)));
        }
        explicit_bzero(&told, sizeof(told));
        char *out = answer == NULL ? number : answer;
        uint32_t length = (uint32_t)strlen(out);
        write_all(1, &length, sizeof(length));
        write_all(1, out, length);
        tfa_free(answer);
        write_all(1, "", 1);
    }
    return 0;
}

/* ---- The worker, from outside ---- */

static pid_t worker;
static int to_worker, from_worker;

static int stop_worker(void)
{
    int status = -1;
    close(to_worker);
    close(from_worker);
    waitpid(worker, &status, 0);
    return status;
}

static void add_field(struct request *request, int number, const char *bytes, size_t length)
{
    if (request->used + length + 1 > sizeof(request->fields)) {
        die("no room for a request");
    }
    request->lengths[number] = (uint32_t)length;
    memcpy(request->fields + request->used, bytes, length);
    request->fields[request->used + length] = '\0';
    request->used += (uint32_t)length + 1;
}

static const char *told_to(const struct request *request)
{
    write_all(to_worker, request, HEAD + request->used);
    uint32_t length;
    read_all(from_worker, &length, sizeof(length));
    char end, *answer = repeated(" ", length);
    read_all(from_worker, answer, length);
    /* The worker has freed its answer. */
    read_all(from_worker, &end, 1);
    const char *result = text("%s", answer);
    free(answer);
    return result;
}

/* Has the worker do a call; the arguments are texts, and absent ones NULL. */
#define TELL(...) tell((const char *[FIELDS]){__VA_ARGS__})

static const char *tell(const char *const fields[FIELDS])
{
    struct request request = {.used = 0};
    for (int number = 0; number < FIELDS; number++) {
        request.lengths[number] = ABSENT;
        if (fields[number] != NULL) {
            add_field(&request, number, fields[number], strlen(fields[number]));
        }
    }
    return told_to(&request);
}

static void start_worker(void)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0 || (worker = fork()) < 0) {
        die("no worker: %s", strerror(errno));
    }
    if (worker == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        execl("/proc/self/exe", "memory-worker", "worker", (char *)NULL);
        _exit(98);
    }
    close(down[0]);
    close(up[1]);
    to_worker = down[1];
    from_worker = up[0];
    /* Until it answers, it may still be the copy of this process that becomes it. */
    TELL("begin");
}

/* ---- Needles ---- */

struct needle {
    const char *name;
    unsigned char bytes[64];
    size_t length;
    int found;
    int allowed;
};

static struct needle needles[512];
static size_t needle_count;

static struct needle *needle(const char *name, const void *bytes, size_t length)
{
    if (needle_count == COUNT(needles) || length < 8 || length > sizeof(needles->bytes)) {
        die("%s cannot be looked for", name);
    }
    struct needle *added = &needles[needle_count++];
    added->name = name;
    added->length = length;
    memcpy(added->bytes, bytes, length);
    return added;
}

/* Bytes as a hash that reads words of so many bytes holds them: each word turned round. */
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

/* The key of an HMAC, xored with 0x36 or 0x5c, as bytes and as words in registers of 4, 8 and 16 bytes. */
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
static void sha1_block(uint32_t state[5], const unsigned char block[64])
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

static void prepare_sha1(uint32_t state[5], const unsigned char *key, size_t length, unsigned char with)
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

/* Everything that a secret could be recognised by. */
static void secret_needles(const char *secret, const char *whose)
{
    unsigned char bytes[64];
    int64_t length = tfa_decode_base32(secret, bytes, sizeof(bytes));
    if (length < 10) {
        die("%s is no secret", secret);
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

/* A recovery code as it is shown, as it is normalised, and its bytes. */
static void recovery_needles(const char *code)
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

/* Whether it is told where something was found. */
static bool telling = true;

/* Looks for all needles in one mapping of the worker's. */
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
            if (++one->found > one->allowed && telling) {
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
static int search(void)
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

/* Checks that the worker holds nothing that it should not, after what it was told. */
static void clean_after(const char *what, const char *answer, const char *expected)
{
    has_text(answer, expected, "%s", what);
    is_number(search(), 0, "nothing is left of it");
}

/* ---- The tests ---- */

static struct place place;
static tfa_t *keeper;
static long step;

static const char *code8(const char *secret, long at_step)
{
    const char *shown = code_of(secret, "sha1", 8, 30, at_step * 30);
    needle("a code that was typed", shown, strlen(shown));
    return shown;
}

static const char *giving(const char *account, const char *secret)
{
    return text("{\"%s\": {\"primary_account\": {\"secret\": \"%s\"}}}", account, secret);
}

/* A prepared HMAC as this test computes it leads to the code that oathtool shows. */
static void needles_are_right(const char *secret)
{
    unsigned char bytes[64], block[64] = {0};
    uint32_t inner[5], outer[5];
    size_t length = (size_t)tfa_decode_base32(secret, bytes, sizeof(bytes));
    prepare_sha1(inner, bytes, length, 0x36);
    prepare_sha1(outer, bytes, length, 0x5c);
    for (int place = 0; place < 8; place++) {
        block[place] = (unsigned char)((uint64_t)step >> (56 - 8 * place));
    }
    block[8] = 0x80, block[62] = (64 + 8) * 8 >> 8, block[63] = ((64 + 8) * 8) & 0xff;
    sha1_block(inner, block);
    memset(block, 0, sizeof(block));
    for (int place = 0; place < 20; place++) {
        block[place] = (unsigned char)(inner[place / 4] >> (24 - place % 4 * 8));
    }
    block[20] = 0x80, block[62] = (64 + 20) * 8 >> 8, block[63] = ((64 + 20) * 8) & 0xff;
    sha1_block(outer, block);
    int offset = (int)(outer[4] & 0xf);
    uint32_t value = 0;
    for (int place = offset; place < offset + 4; place++) {
        value = value << 8 | (outer[place / 4] >> (24 - place % 4 * 8) & 0xff);
    }
    is_text(text("%08u", (value & 0x7fffffff) % 100000000), code_of(secret, "sha1", 8, 30, step * 30),
            "the hash states that are looked for are those of the secret");
}

/* Each needle, planted in a worker of its own, is found in heap, stack and data. */
static void what_is_planted_is_found(void)
{
    int seen = 0;
    start_worker();
    is_number(search(), 0, "a worker begins without any of it");
    telling = false;
    for (struct needle *one = needles; one < needles + needle_count; one++) {
        struct request request = {.used = 0, .lengths = {0, 0, ABSENT, ABSENT, ABSENT, ABSENT}};
        add_field(&request, 0, "plant", 5);
        add_field(&request, 1, (char *)one->bytes, one->length);
        told_to(&request);
        search();
        seen += one->found >= 3;
    }
    telling = true;
    is_number(seen, (long long)needle_count, "each of %zu things, planted in heap, stack and data, is found",
              needle_count);
    is_number(stop_worker(), 0, "the worker ends well");
}

/* The key that seals, as the key file has it and as bytes. Answers the latter. */
static struct needle *key_needles(void)
{
    char file[1024] = "", command[256];
    unsigned char bytes[64];
    FILE *opened = fopen(place.key, "re");
    if (opened == NULL || fread(file, 1, sizeof(file) - 1, opened) == 0) {
        die("no key file");
    }
    fclose(opened);
    const char *base64 = at(file, text("keys/%s", at(file, "current")));
    snprintf(command, sizeof(command), "echo %s | base64 -d", base64);
    FILE *decoded = popen(command, "r");
    if (decoded == NULL || fread(bytes, 1, sizeof(bytes), decoded) != 32 || pclose(decoded) != 0) {
        die("the key file's key is not 32 bytes");
    }
    needle("the sealing key, in Base64", base64, strlen(base64));
    return needle("the sealing key, its bytes", bytes, 32);
}

static void logins(const char *secret, const char *const recovery[2])
{
    const char *right = code8(secret, step), *wrong = code8("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", step);
    clean_after("a right code", TELL("login", "example", right), "1");
    clean_after("the same code again", TELL("login", "example", right), "0");
    clean_after("a wrong code", TELL("login", "example", wrong), "0");
    clean_after("no code", TELL("login", "example"), "0");
    clean_after("a recovery code", TELL("login", "example", recovery[0]), "1");
    clean_after("the same recovery code again", TELL("login", "example", recovery[0]), "0");
    const char *next = code8(secret, step + 1), *last = code8(secret, step + 2);
    const char *asked = text("{\"user\": \"example\", \"tfa_token\": \"\\u003%c%s\"}", *next, next + 1);
    clean_after("a right code in JSON", TELL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("{\"user\": \"example\", \"tfa_token\": %ld}", strtol(last, NULL, 10));
    clean_after("and as a number", TELL("whm", "root", "twofactorauth_verify_login", asked), "\"verified\":1");
    asked = text("user=example&tfa_token=%s", recovery[1]);
    const char *uri = "/json-api/twofactorauth_verify_login?api.version=1";
    clean_after("a recovery code in a form", TELL("http", "root", uri, asked), "recovery");
    asked = text("{\"user\": \"example\", \"tfa_token\": \"%s\"", last);
    clean_after("JSON that breaks off", TELL("whm", "root", "twofactorauth_verify_login", asked), "not JSON");
}

static void calls_without_a_handle(const char *secret)
{
    unsigned char bytes[64];
    size_t length = (size_t)tfa_decode_base32(secret, bytes, sizeof(bytes));
    const char *const algorithms[][2] = {{"1", "sha1"}, {"256", "sha256"}, {"512", "sha512"}};
    for (size_t number = 0; number < COUNT(algorithms); number++) {
        const char *right = code_of(secret, algorithms[number][1], 8, 30, step * 30);
        needle("a code that was typed", right, strlen(right));
        for (int turn = 0; turn < 2; turn++) {
            struct request request = {.used = 0, .lengths = {0, 0, 0, 0, 0, ABSENT}};
            add_field(&request, 0, "verify", 6);
            add_field(&request, 1, (char *)bytes, length);
            add_field(&request, 2, turn == 0 ? right : "00000000", 8);
            add_field(&request, 3, algorithms[number][0], strlen(algorithms[number][0]));
            const char *time = text("%ld", step * 30);
            add_field(&request, 4, time, strlen(time));
            clean_after(text("tfa_verify_totp with %s", algorithms[number][1]), told_to(&request), turn == 0 ? "1" : "0");
        }
    }
    clean_after("tfa_verify_totp_base32", TELL("check", secret, code(secret, step), text("%ld", step * 30)), "1");
    clean_after("tfa_decode_base32", TELL("decode", secret), text("%zu", length));
    const char *uri = text("otpauth://totp/example?secret=%s", secret);
    clean_after("tfa_build_otpauth", TELL("otpauth", text("{\"account\": \"example\", \"secret\": \"%s\"}", secret)), uri);
    clean_after("tfa_parse_otpauth", TELL("parse", text("{\"otpauth_str\": \"%s\"}", uri)), secret);
    const char *const formats[] = {"svg", "png", "terminal"};
    for (size_t number = 0; number < COUNT(formats); number++) {
        const char *asked = text("{\"text\": \"%s\", \"format\": \"%s\"}", uri, formats[number]);
        clean_after(text("tfa_draw_qr, %s", formats[number]), TELL("qr", asked), "content_type");
    }
    const char *made = TELL("secret");
    secret_needles(at(made, "secret"), "a made secret");
    clean_after("tfa_generate_secret", made, "secret");
}

static void enrolments(const char *secret)
{
    const char *uri = "/xml-api/twofactorauth_get_tfa_config_for_user?api.version=1", *user = "{\"user\": \"example\"}";
    clean_after("secrets shown", TELL("whm", "root", "twofactorauth_get_tfa_config_for_user", user), secret);
    clean_after("secrets shown in XML", TELL("http", "root", uri, "user=example"), secret);
    const char *proposal = TELL("uapi", "other", "generate_user_configuration");
    const char *proposed = at(proposal, "data/secret");
    secret_needles(proposed, "a proposed secret");
    clean_after("a secret proposed", proposal, proposed);
    const char *typed = code8(proposed, step);
    const char *asked = text("{\"secret\": \"%.8s %s\", \"tfa_token\": \"%s\"}", proposed, proposed + 8, typed);
    clean_after("an enrolment", TELL("uapi", "other", "set_user_configuration", asked), "\"tfa_configured\":1");
    asked = text("secret=%s&tfa_token=%%3%c%s", proposed, *typed, typed + 1);
    uri = "/execute/TwoFactorAuth/set_user_configuration";
    clean_after("an enrolment that is refused", TELL("http", "other", uri, asked), "already been used");
    const char *codes = TELL("uapi", "other", "generate_recovery_codes");
    for (int number = 0; number < 10; number++) {
        recovery_needles(at(codes, text("data/recovery_codes/%d", number)));
    }
    clean_after("recovery codes", codes, "recovery_codes");
    asked = text("command=twofactorauth_get_tfa_config_for_user%%3Fuser%%3Dother&command=twofactorauth_get_issuer");
    clean_after("a batch", TELL("http", "root", "/json-api/batch?api.version=1", asked), proposed);
    char moved[SECRET_SIZE];
    propose(keeper, "moved", moved);
    secret_needles(moved, "a secret that is set");
    const char *set = "twofactorauth_set_tfa_config_for_user";
    clean_after("a secret set", TELL("whm", "root", set, giving("moved", moved)), "\"result\":1");
    uri = "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1";
    clean_after("a secret set by HTTP", TELL("http", "root", uri, giving("moved", moved)), "result");
    asked = text("{\"moved\": {\"primary_account\": {\"secret\": \"%s1\"}}}", moved);
    clean_after("a secret that is refused", TELL("whm", "root", set, asked), "Base32");
    clean_after("a removal", TELL("whm", "root", "twofactorauth_remove_user_config", "{\"user\": \"moved\"}"), "moved");
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "worker") == 0) {
        return work();
    }
    place = new_place();
    const char *more = WIDE ", \"digits\": 8, \"secret_length\": 32, \"lockout\": {\"failures\": 50}";
    keeper = open_at(&place, more);
    whm(keeper, "root", "twofactorauth_enable_policy", NULL);
    char secret[SECRET_SIZE];
    propose(keeper, "example", secret);
    if (!worked(whm(keeper, "root", "twofactorauth_set_tfa_config_for_user", "%s", giving("example", secret)))) {
        die("nobody is enrolled");
    }
    const char *codes = uapi(keeper, "example", "generate_recovery_codes", NULL);
    const char *recovery[2] = {at(codes, "data/recovery_codes/0"), at(codes, "data/recovery_codes/1")};
    step = step_now();
    secret_needles(secret, "the secret");
    recovery_needles(recovery[0]);
    recovery_needles(recovery[1]);
    struct needle *key = key_needles();
    needles_are_right(secret);
    what_is_planted_is_found();

    start_worker();
    key->allowed = 1;
    clean_after("an opened library, which holds the sealing key once", TELL("open", config(&place, more)), "0");
    logins(secret, recovery);
    enrolments(secret);
    calls_without_a_handle(secret);
    key->allowed = 0;
    clean_after("a closed library", TELL("close"), "0");
    is_number(stop_worker(), 0, "the worker ends well");
    tfa_close(keeper);
    return done();
}
