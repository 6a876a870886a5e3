/* The process whose memory is searched, from inside and from outside; see memory.h. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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

static struct request asked;
static tfa_t *handle;
static char planted[256];
static char *planted_on_the_heap;

static char *field(int number)
{
    char *place = asked.fields;
    for (int before = 0; before < number; before++) {
        place += asked.lengths[before] == ABSENT ? 0 : asked.lengths[before] + 1;
    }
    return asked.lengths[number] == ABSENT ? NULL : place;
}

/* Leaves bytes in a stack frame that ends when it returns, far below all others. */
__attribute__((noinline)) static void plant_below(const char *bytes, size_t length)
{
    char frame[32768];
    memcpy(frame + 1024, bytes, length);
    /* Keeps the compiler from removing the copy. */
    __asm__ volatile("" : : "r"(frame) : "memory");
}

/* Leaves bytes in data, heap and stack. */
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
    return tfa_verify_totp((unsigned char *)field(1), asked.lengths[1], (uint32_t)atoi(field(3)), 8, 30, 1,
                      strtoull(field(4), NULL, 10), field(2), NULL);
}

static int decode(void)
{
    static unsigned char bytes[128];
    int length = (int)tfa_decode_base32(field(1), bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return length;
}

/* Performs a call that returns a number. */
static int number_of(const char *name)
{
    return strcmp(name, "open") == 0     ? open_handle()
           : strcmp(name, "close") == 0  ? close_handle()
           : strcmp(name, "login") == 0  ? tfa_login(handle, field(1), field(2))
           : strcmp(name, "verify") == 0 ? verify()
           : strcmp(name, "check") == 0  ? tfa_verify_totp_base32(field(1), field(2), strtoull(field(3), NULL, 10))
           : strcmp(name, "decode") == 0 ? decode()
           : strcmp(name, "plant") == 0  ? plant(field(1), asked.lengths[1])
                                         : 0;
}

/* Performs a call that returns a text; NULL for any other call. */
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

int work(void)
{
    while (read(0, &asked, 1) == 1) {
        read_all(0, (char *)&asked + 1, HEAD - 1);
        read_all(0, asked.fields, asked.used);
        char number[16], *answer = text_of(field(0));
        if (answer == NULL) {
            snprintf(number, sizeof(number), "%d", number_of(field(0)));
        }
        explicit_bzero(&asked, sizeof(asked));
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

pid_t worker;
static int to_worker, from_worker;

int stop_worker(void)
{
    int status = -1;
    close(to_worker);
    close(from_worker);
    waitpid(worker, &status, 0);
    return status;
}

void add_field(struct request *request, int number, const char *bytes, size_t length)
{
    if (request->used + length + 1 > sizeof(request->fields)) {
        die("no room for a request");
    }
    request->lengths[number] = (uint32_t)length;
    memcpy(request->fields + request->used, bytes, length);
    request->fields[request->used + length] = '\0';
    request->used += (uint32_t)length + 1;
}

const char *performed(const struct request *request)
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

const char *call(const char *const fields[FIELDS])
{
    struct request request = {.used = 0};
    for (int number = 0; number < FIELDS; number++) {
        request.lengths[number] = ABSENT;
        if (fields[number] != NULL) {
            add_field(&request, number, fields[number], strlen(fields[number]));
        }
    }
    return performed(&request);
}

void start_worker(void)
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
    /* Before it answers, it may still be a copy of this process. */
    CALL("begin");
}
