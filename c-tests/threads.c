/*
 * Threads: one handle that many use at once, several handles on one store, and a lookup that is replaced meanwhile.
 *
 * TFA_TEST_ROUNDS sets the number of rounds (10).
 */
#include "support.h"

#include <unistd.h>

#define THREADS 8

static tfa_t *tfa;
static int rounds;

/* Runs body in threads, each with its number. Returns how many returned NULL, which is success. */
static int in_threads(void *(*body)(void *), int count)
{
    pthread_t threads[32];
    int numbers[32], well = 0;
    for (int number = 0; number < count; number++) {
        numbers[number] = number;
        if (pthread_create(&threads[number], NULL, body, &numbers[number]) != 0) {
            die("no thread");
        }
    }
    for (int number = 0; number < count; number++) {
        void *result = NULL;
        pthread_join(threads[number], &result);
        well += result == NULL;
    }
    return well;
}

/* NEED in a thread: its failure is a result that is not NULL. */
#define SHOULD(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                           \
            return "failed";                                                                                           \
        }                                                                                                              \
    } while (0)

/* ---- One handle ---- */

static char secrets[THREADS][32][SECRET_SIZE];
static long enrolled_in;

static void *enrols_and_logs_in(void *context)
{
    int number = *(int *)context;
    for (int round = 0; round < rounds && round < 32; round++) {
        char user[32];
        snprintf(user, sizeof(user), "thread%d-user%d", number, round);
        char *secret = secrets[number][round];
        enrol(tfa, user, enrolled_in, secret);
        SHOULD(tfa_login(tfa, user, code(secret, enrolled_in)) == TFA_DENIED);
        SHOULD(tfa_login(tfa, user, code(secret, enrolled_in + 1)) == TFA_VERIFIED);
        SHOULD(size_at(uapi(tfa, user, "generate_recovery_codes", NULL), "data/recovery_codes") == 10);
        SHOULD(worked(whm(tfa, "root", "twofactorauth_policy_status", NULL)));
    }
    return NULL;
}

static void one_handle(void)
{
    enrolled_in = step_now();
    is_number(in_threads(enrols_and_logs_in, THREADS), THREADS, "%d threads enrol and log in on one handle", THREADS);
    int users = rounds < 32 ? rounds : 32, right = 0;
    is_number(size_at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"), THREADS * users + 1,
              "all of their users are enrolled");
    for (int user = 0; user < THREADS * users; user++) {
        const char *name = text("thread%d-user%d", user / users, user % users);
        right += tfa_login(tfa, name, code(secrets[user / users][user % users], enrolled_in + 2)) == TFA_VERIFIED;
    }
    is_number(right, THREADS * users, "each user has its own secret");
}

/* ---- A race for one code ---- */

static struct gate gate;
static char raced_code[32];
static atomic_int verified, denied;

static void *races(void *context)
{
    (void)context;
    gate_wait(&gate);
    int32_t verdict = tfa_login(tfa, "racer", raced_code);
    verified += verdict == TFA_VERIFIED;
    denied += verdict == TFA_DENIED;
    return NULL;
}

static void *opens_gate(void *context)
{
    (void)context;
    gate_open(&gate, 16);
    return NULL;
}

static void one_code(void)
{
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "racer", step - 5, secret);
    for (int round = 0; round < 6; round++) {
        gate = (struct gate){0};
        verified = denied = 0;
        snprintf(raced_code, sizeof(raced_code), "%s", code(secret, step + round));
        pthread_t opener;
        pthread_create(&opener, NULL, opens_gate, NULL);
        in_threads(races, 16);
        pthread_join(opener, NULL);
        is_number(verified, 1, "16 threads log in with one code: one is accepted");
        is_number(denied, 15, "all others are denied");
    }
}

/* ---- Invalid codes ---- */

static void *guesses(void *context)
{
    for (int round = 0; round < rounds; round++) {
        SHOULD(tfa_login(tfa, "guessed", context == NULL ? "" : raced_code) == TFA_DENIED);
    }
    return NULL;
}

static void every_guess_counts(void)
{
    char secret[SECRET_SIZE];
    long step = step_now();
    enrol(tfa, "guessed", step, secret);
    snprintf(raced_code, sizeof(raced_code), "%s", wrong_code(secret, step));
    is_number(in_threads(guesses, THREADS), THREADS, "%d threads log in with invalid codes", THREADS);
    is_number(number_at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"guessed\"}"), "data/failures"),
              THREADS * rounds, "every invalid code is counted");
}

/* ---- Handles ---- */

static struct place place;

static void *opens_and_closes(void *context)
{
    int number = *(int *)context;
    for (int round = 0; round < rounds; round++) {
        tfa_t *own = open_at(&place, WIDE);
        SHOULD(tfa_login(own, text("stranger%d", number), NULL) == TFA_NOT_REQUIRED);
        SHOULD(worked(whm(own, "root", "twofactorauth_set_issuer", "{\"issuer\": \"Thread %d\"}", number)));
        tfa_close(own);
    }
    return NULL;
}

/* ---- A lookup that is replaced ---- */

static atomic_bool replacing;
static atomic_int asked[2];

static int32_t look_up(void *context, const char *question, const char *name, void *reply)
{
    atomic_int *mine = context;
    ++*mine;
    if (strcmp(question, "account") == 0 && strcmp(name, "example") == 0) {
        return tfa_reply(reply, "{\"domain\": \"example.com\"}");
    }
    return 0;
}

static void *replaces(void *context)
{
    (void)context;
    for (int turn = 0; replacing; turn++) {
        SHOULD(tfa_set_lookup(tfa, look_up, &asked[turn % 2]) == 1);
        usleep(100);
    }
    return NULL;
}

static void *asks(void *context)
{
    (void)context;
    for (int round = 0; round < 20 * rounds; round++) {
        SHOULD(tfa_login(tfa, "example", NULL) == TFA_NOT_REQUIRED);
        SHOULD(tfa_login(tfa, "ghost", NULL) == TFA_UNANSWERED);
        SHOULD(strcmp(at(whm(tfa, "root", "twofactorauth_get_user_configs", "{\"user\": \"example\"}"),
                         "data/example/primary_domain"), "example.com") == 0);
    }
    return NULL;
}

static void lookup_replaced(void)
{
    is_number(tfa_set_lookup(tfa, look_up, &asked[0]), 1, "a lookup is registered");
    replacing = true;
    pthread_t replacer;
    void *result = NULL;
    pthread_create(&replacer, NULL, replaces, NULL);
    is_number(in_threads(asks, THREADS), THREADS, "it is replaced while %d threads call", THREADS);
    replacing = false;
    pthread_join(replacer, &result);
    ok(result == NULL, "every replacement works");
    ok(asked[0] > 0 && asked[1] > 0, "both lookups were called");
}

int main(void)
{
    rounds = setting("TFA_TEST_ROUNDS", 10);
    place = new_place();
    tfa = open_at(&place, WIDE ", \"lockout\": {\"failures\": 1000, \"hard_limit\": 1000000}");
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    one_handle();
    one_code();
    every_guess_counts();
    is_number(in_threads(opens_and_closes, THREADS), THREADS, "%d threads open and close handles of their own", THREADS);
    lookup_replaced();
    tfa_close(tfa);
    return done();
}
