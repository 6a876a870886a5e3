/*
 * Fork: many processes use a handle that was opened before the fork.
 *
 * Promises: nothing that a child committed is lost, no two processes generate the same secret, a code is accepted in one
 * process, and no child hangs. TFA_TEST_PROCESSES sets how many race (200), TFA_TEST_ROUNDS the number of forks.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILDREN 8
#define USERS 4
#define SECRETS 50

/* One handle, opened before every fork. */
static struct place place;
static tfa_t *tfa;

/* Closes the inherited handle, as the last step of a child. */
static int closed(int status)
{
    tfa_close(tfa);
    return status;
}

/* ---- Enrolling and logging in everywhere at once ---- */

struct enrolled {
    struct gate gate;
    long step;
    struct {
        char name[32];
        char secret[SECRET_SIZE];
        char recovery_code[32];
    } users[CHILDREN][USERS];
};

struct task {
    struct enrolled *all;
    int child;
};

static int enrols_users(void *context)
{
    struct task *task = context;
    gate_wait(&task->all->gate);
    for (int user = 0; user < USERS; user++) {
        char *name = task->all->users[task->child][user].name, *secret = task->all->users[task->child][user].secret;
        snprintf(name, 32, "child%d-user%d", task->child, user);
        enrol(tfa, name, task->all->step, secret);
        NEED(tfa_login(tfa, name, code(secret, task->all->step + 1)) == TFA_VERIFIED);
        const char *codes = uapi(tfa, name, "generate_recovery_codes", NULL);
        snprintf(task->all->users[task->child][user].recovery_code, 32, "%s", at(codes, "data/recovery_codes/0"));
    }
    return closed(0);
}

static void nothing_committed_is_lost(void)
{
    struct enrolled *all = shared(sizeof(*all));
    struct task tasks[CHILDREN];
    pid_t children[CHILDREN];
    all->step = step_now();
    for (int child = 0; child < CHILDREN; child++) {
        tasks[child] = (struct task){all, child};
        children[child] = start(enrols_users, &tasks[child]);
    }
    gate_open(&all->gate, CHILDREN);
    is_number(finished(children, CHILDREN), CHILDREN, "%d children enrol %d users each, all at once", CHILDREN, USERS);
    int used = 0, fresh = 0, recovered = 0;
    for (int user = 0; user < CHILDREN * USERS; user++) {
        const char *name = all->users[user / USERS][user % USERS].name, *secret = all->users[user / USERS][user % USERS].secret;
        used += tfa_login(tfa, name, code(secret, all->step + 1)) == TFA_DENIED;
        fresh += tfa_login(tfa, name, code(secret, all->step + 2)) == TFA_VERIFIED;
        recovered += tfa_login(tfa, name, all->users[user / USERS][user % USERS].recovery_code) == TFA_VERIFIED;
    }
    is_number(used, CHILDREN * USERS, "every code that the children used is denied in the parent");
    is_number(fresh, CHILDREN * USERS, "the next code of every user is accepted");
    is_number(recovered, CHILDREN * USERS, "a recovery code of every user is accepted");
    const char *list = whm(tfa, "root", "twofactorauth_get_user_configs", NULL);
    is_number(size_at(list, "data"), CHILDREN * USERS + 1, "all users are listed, and root");
}

/* ---- Secrets ---- */

struct secrets {
    struct gate gate;
    char texts[CHILDREN + 1][SECRETS][SECRET_SIZE];
};

struct making {
    struct secrets *secrets;
    int process;
};

static int generate_secrets(struct making *making)
{
    for (int number = 0; number < SECRETS; number++) {
        char *into = making->secrets->texts[making->process][number];
        if (number % 2 == 0) {
            propose(tfa, "example", into);
        } else {
            snprintf(into, SECRET_SIZE, "%s", at(taken(tfa_generate_secret("{\"length\": 16}")), "secret"));
        }
        NEED(strlen(into) == 16);
    }
    return 0;
}

static int child_generates_secrets(void *context)
{
    struct making *making = context;
    gate_wait(&making->secrets->gate);
    return closed(generate_secrets(making));
}

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void secrets_differ(void)
{
    struct secrets *secrets = shared(sizeof(*secrets));
    struct making making[CHILDREN + 1];
    pid_t children[CHILDREN];
    taken(tfa_generate_secret(NULL)); /* A random generator with state would be inherited. */
    for (int child = 0; child < CHILDREN; child++) {
        making[child] = (struct making){secrets, child};
        children[child] = start(child_generates_secrets, &making[child]);
    }
    gate_open(&secrets->gate, CHILDREN);
    making[CHILDREN] = (struct making){secrets, CHILDREN};
    is_number(generate_secrets(&making[CHILDREN]), 0, "the parent generates %d secrets", SECRETS);
    is_number(finished(children, CHILDREN), CHILDREN, "%d children generate secrets at the same time", CHILDREN);
    char(*all)[SECRET_SIZE] = &secrets->texts[0][0];
    int total = (CHILDREN + 1) * SECRETS, same = 0;
    qsort(all, (size_t)total, SECRET_SIZE, compare);
    for (int number = 1; number < total; number++) {
        same += strcmp(all[number - 1], all[number]) == 0;
    }
    is_number(same, 0, "all %d secrets are different", total);
}

/* ---- Races ---- */

struct race {
    struct gate gate;
    char user[32];
    char code[32];
    atomic_int verified, denied, locked, unanswered;
};

static int races(void *context)
{
    struct race *race = context;
    gate_wait(&race->gate);
    switch (tfa_login(tfa, race->user, race->code)) {
    case TFA_VERIFIED: race->verified++; break;
    case TFA_DENIED: race->denied++; break;
    case TFA_LOCKED: race->locked++; break;
    default: race->unanswered++;
    }
    return closed(0);
}

static void run_race(const char *user, const char *right, const char *what)
{
    int processes = setting("TFA_TEST_PROCESSES", 200);
    struct race *race = shared(sizeof(*race));
    snprintf(race->user, sizeof(race->user), "%s", user);
    snprintf(race->code, sizeof(race->code), "%s", right);
    pid_t *children = calloc((size_t)processes, sizeof(*children));
    for (int child = 0; child < processes; child++) {
        children[child] = start(races, race);
    }
    gate_open(&race->gate, processes);
    is_number(finished(children, (size_t)processes), processes, "%d processes log in with one %s", processes, what);
    is_number(race->verified, 1, "one is accepted");
    is_number(race->denied + race->locked, processes - 1, "all others are denied");
    is_number(race->unanswered, 0, "every login is answered");
    is_number(race->locked, 0, "used codes are not counted, and do not lock the subject");
    free(children);
}

static void one_is_accepted(void)
{
    char secret[SECRET_SIZE], recovery_code[32];
    long step = step_now();
    enrol(tfa, "racer", step, secret);
    run_race("racer", code(secret, step + 1), "valid code");
    is_text(at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"racer\"}"), "data/failures"), "0",
            "a replayed code is not counted");
    const char *codes = uapi(tfa, "racer", "generate_recovery_codes", NULL);
    snprintf(recovery_code, sizeof(recovery_code), "%s", at(codes, "data/recovery_codes/4"));
    run_race("racer", recovery_code, "recovery code");
    is_text(at(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"racer\"}"), "data/recovery_codes_left"), "9",
            "nine recovery codes are left");
}

/* ---- Fork while threads call ---- */

static atomic_bool threads_end;
static atomic_int thread_calls, thread_failures;

static void *calls_until_the_end(void *context)
{
    while (!threads_end) {
        bool good = tfa_login(tfa, context, NULL) == TFA_NOT_REQUIRED &&
                    worked(whm(tfa, "root", "twofactorauth_set_issuer", "{\"issuer\": \"Example Hosting\"}"));
        atomic_fetch_add(good ? &thread_calls : &thread_failures, 1);
    }
    return NULL;
}

static int user_beside_threads(void *user)
{
    leave(closed(enrol_and_log_in(tfa, user)));
}

static void fork_among_threads(void)
{
    int rounds = setting("TFA_TEST_ROUNDS", 10);
    pthread_t threads[4];
    pid_t children[64];
    rounds = rounds > 64 ? 64 : rounds;
    for (size_t thread = 0; thread < COUNT(threads); thread++) {
        pthread_create(&threads[thread], NULL, calls_until_the_end, "stranger");
    }
    for (int child = 0; child < rounds; child++) {
        children[child] = start(user_beside_threads, (void *)text("among-threads-%d", child));
    }
    is_number(finished(children, (size_t)rounds), rounds, "%d forks while four threads call: every child works", rounds);
    threads_end = true;
    for (size_t thread = 0; thread < COUNT(threads); thread++) {
        pthread_join(threads[thread], NULL);
    }
    ok(thread_calls > 0 && thread_failures == 0, "every call of the threads works");
}

int main(void)
{
    place = new_place();
    tfa = open_at(&place, WIDE);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    nothing_committed_is_lost();
    secrets_differ();
    one_is_accepted();
    fork_among_threads();
    tfa_close(tfa);
    return done();
}
