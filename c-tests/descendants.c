/*
 * Children of children, orphans, daemons, closed handles, and forks within a call.
 *
 * Promise: each of them enrols and logs in with the handle that it inherited.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One handle, opened before every fork. */
static struct place place;
static tfa_t *tfa;

/* Closes the inherited handle, as the last step of a child. */
static int closed(int status)
{
    tfa_close(tfa);
    return status;
}

static int user_in_a_child(void *user)
{
    return closed(enrol_and_log_in(tfa, user));
}

/* ---- Generations ---- */

static int child_with_child(void *context)
{
    NEED(enrol_and_log_in(tfa, text("%s-child", (const char *)context)) == 0);
    pid_t child = start(user_in_a_child, context);
    NEED(enrol_and_log_in(tfa, text("%s-meanwhile", (const char *)context)) == 0);
    NEED(finished(&child, 1) == 1);
    return closed(0);
}

static void child_of_a_child(void)
{
    pid_t child = start(child_with_child, "generations");
    is_number(finished(&child, 1), 1, "a child and its own child work at the same time");
}

struct orphan {
    atomic_int result; /* 0 until the orphan has ended, then 1 for success, 2 for failure */
    bool close_before_exit;
    bool daemon;
};

/* Makes the process a daemon: its own session, no inherited files, another folder. */
static void become_daemon(void)
{
    setsid();
    for (int file = 3; file < 1024; file++) {
        close(file);
    }
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    umask(0);
    if (chdir("/") != 0) {
        _exit(1);
    }
}

static int outlives_its_parent(void *context)
{
    struct orphan *orphan = context;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        return 1;
    }
    if (child > 0) {
        if (orphan->close_before_exit) {
            tfa_close(tfa);
        }
        _exit(0);
    }
    alarm(60);
    while (getppid() == parent) {
        usleep(1000);
    }
    if (orphan->daemon) {
        become_daemon();
    }
    const char *user = text("orphan-%d%d", orphan->close_before_exit, orphan->daemon);
    atomic_store(&orphan->result, closed(enrol_and_log_in(tfa, user)) == 0 ? 1 : 2);
    _exit(0);
}

static void parent_exits_first(bool close_before_exit, bool daemon, const char *what)
{
    struct orphan *orphan = shared(sizeof(*orphan));
    orphan->close_before_exit = close_before_exit;
    orphan->daemon = daemon;
    pid_t child = start(outlives_its_parent, orphan);
    is_number(finished(&child, 1), 1, "%s: the parent has exited", what);
    for (int wait = 0; orphan->result == 0 && wait < 6000; wait++) {
        usleep(10 * 1000);
    }
    is_number(orphan->result, 1, "%s: its child enrols and logs in", what);
}

/* ---- Closing ---- */

static int closes(void *context)
{
    (void)context;
    tfa_close(tfa);
    tfa = open_at(&place, WIDE);
    NEED(enrol_and_log_in(tfa, "opened-again") == 0);
    tfa_close(tfa);
    return 0;
}

static tfa_t *second;

static int waits_for_gate(void *context)
{
    gate_wait(context);
    NEED(tfa_login(second, "stranger", NULL) == TFA_NOT_REQUIRED);
    tfa_close(second);
    return closed(enrol_and_log_in(tfa, "after-close"));
}

static void closing(void)
{
    pid_t child = start(closes, NULL);
    is_number(finished(&child, 1), 1, "a child closes the inherited handle, and opens one of its own");
    is_number(enrol_and_log_in(tfa, "parent"), 0, "the handle of the parent still works");
    struct gate *gate = shared(sizeof(*gate));
    second = open_at(&place, WIDE);
    child = start(waits_for_gate, gate);
    tfa_close(second);
    tfa_close(tfa);
    gate_open(gate, 1);
    is_number(finished(&child, 1), 1, "handles that the parent has closed still work in a child");
    tfa = open_at(&place, WIDE);
}

/* ---- A lookup that forks ---- */

static pid_t forked_in_lookup;

static int32_t forks_in_lookup(void *context, const char *question, const char *name, void *reply)
{
    (void)context, (void)name;
    if (forked_in_lookup == 0) {
        fflush(stdout);
        forked_in_lookup = fork();
        if (forked_in_lookup == 0) {
            forked_in_lookup = -1; /* the child continues within the call, and does not fork again */
            alarm(60);
        }
    }
    return strcmp(question, "account") == 0 ? tfa_reply(reply, "{}") : 0;
}

static void fork_in_a_lookup(void)
{
    tfa_set_lookup(tfa, forks_in_lookup, NULL);
    int32_t verdict = tfa_login(tfa, "from-a-lookup", NULL);
    if (forked_in_lookup == -1) {
        _exit(closed(verdict == TFA_NOT_REQUIRED ? enrol_and_log_in(tfa, "from-a-lookup") : 1));
    }
    is_number(verdict, TFA_NOT_REQUIRED, "a lookup may fork");
    is_number(finished(&forked_in_lookup, 1), 1, "its child returns from the call, and works");
}

/* ---- A process that was made without libc ---- */

static void bare_clone(void)
{
    fflush(stdout);
    long child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0) {
        int32_t verdict = tfa_login(tfa, "example", NULL);
        char *answer = tfa_twofactorauth_policy_status(tfa, "root", NULL);
        bool refused = verdict == TFA_UNANSWERED && answer != NULL && strstr(answer, "\"result\":0") != NULL;
        tfa_free(answer);
        tfa_close(tfa); /* changes nothing, as the handle is the parent's */
        leave(refused ? 0 : 1);
    }
    pid_t children[1] = {(pid_t)child};
    is_number(finished(children, 1), 1, "a process made without libc gets errors, and may close the handle");
    is_number(enrol_and_log_in(tfa, "after-clone"), 0, "the handle of the parent still works");
}

int main(void)
{
    place = new_place();
    tfa = open_at(&place, WIDE);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    child_of_a_child();
    parent_exits_first(false, false, "leaving the handle open");
    parent_exits_first(true, false, "closing the handle");
    parent_exits_first(false, true, "as a daemon");
    closing();
    bare_clone();
    fork_in_a_lookup();
    tfa_close(tfa);
    tfa = open_at(&place, WIDE);
    is_text(at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data/orphan-01/is_enabled"), "1",
            "the store has the enrolments of the children after it is opened again");
    tfa_close(tfa);
    return done();
}
