/* The host's callbacks: the account lookup and the audit trail. */
#include "support.h"

static int32_t nobody(void *context, const char *question, const char *name, void *reply)
{
    (void)question, (void)name, (void)reply;
    ++*(int *)context;
    return 0;
}

static void lookups(tfa_t *tfa)
{
    int asked = 0;
    is_number(tfa_set_lookup(tfa, nobody, &asked), 1, "a lookup takes the place of the directory");
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "whom it does not know is kept out");
    ok(asked > 0, "it was asked");
    is_number(tfa_reply(NULL, "{}"), 0, "a reply to nothing is refused");
}

static void ignores(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static void heard(void *context, const char *line)
{
    char *copy = context;
    snprintf(copy, 512, "%s", line);
}

struct asking {
    tfa_t *tfa;
    int calls;
};

/* Writes with the handle that is calling, and lends its ear to somebody else. */
static void asks(void *context, const char *line)
{
    struct asking *asking = context;
    asking->calls++;
    if (asking->calls == 1) {
        is_text(at(line, "event"), "policy_disabled", "a line comes in the call that writes it");
        ok(worked(whm(asking->tfa, "root", "twofactorauth_enable_policy", NULL)), "which may write with the same handle");
    } else {
        is_text(at(line, "event"), "policy_enabled", "what it writes comes back to it");
        is_number(tfa_set_audit(asking->tfa, ignores, NULL), 1, "and it may give its place to another");
    }
}

static void audit(tfa_t *tfa)
{
    char line[512] = "";
    is_number(tfa_set_audit(tfa, heard, line), 1, "the host hears of the audit trail");
    is_number(tfa_set_audit(tfa, NULL, line), 0, "without a function it does not");
    is_number(tfa_set_audit(NULL, heard, line), 0, "nor without a handle");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is turned on");
    is_text(at(line, "event"), "policy_enabled", "and the host is told what");
    is_text(at(line, "caller"), "root", "by whom");
    is_text(at(line, "function"), "twofactorauth_enable_policy", "and how");

    struct asking asking = {tfa, 0};
    is_number(tfa_set_audit(tfa, asks, &asking), 1, "another hears in its place");
    ok(worked(whm(tfa, "root", "twofactorauth_disable_policy", NULL)), "the policy is turned off");
    is_number(asking.calls, 2, "each line is told once");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is turned on again");
    is_number(asking.calls, 2, "and to whoever hears now");
}

int main(void)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE);
    whm(tfa, "root", "twofactorauth_enable_policy", NULL);
    audit(tfa);
    lookups(tfa);
    tfa_close(tfa);
    return done();
}
