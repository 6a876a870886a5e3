/* The host's callbacks: the account lookup and the audit trail. */
#include "support.h"

static int32_t knows_nobody(void *context, const char *question, const char *name, void *reply)
{
    (void)question, (void)name, (void)reply;
    ++*(int *)context;
    return 0;
}

static void lookups(tfa_t *tfa)
{
    int asked = 0;
    is_number(tfa_set_lookup(tfa, knows_nobody, &asked), 1, "a lookup is registered");
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "no login of an unknown subject is answered");
    ok(asked > 0, "the lookup was called");
    is_number(tfa_reply(NULL, "{}"), 0, "a reply without a question is refused");
}

static void ignores(void *context, const char *entry)
{
    (void)context;
    (void)entry;
}

static void received(void *context, const char *entry)
{
    char *copy = context;
    snprintf(copy, 512, "%s", entry);
}

struct writer {
    tfa_t *tfa;
    int calls;
};

/* Writes with the handle that is calling it, then registers another callback. */
static void writes(void *context, const char *entry)
{
    struct writer *writer = context;
    writer->calls++;
    if (writer->calls == 1) {
        is_text(at(entry, "event"), "policy_disabled", "an entry is delivered within the call that writes it");
        ok(worked(whm(writer->tfa, "root", "twofactorauth_enable_policy", NULL)), "the callback may call with the same handle");
    } else {
        is_text(at(entry, "event"), "policy_enabled", "its own entry is delivered to it");
        is_number(tfa_set_audit(writer->tfa, ignores, NULL), 1, "the callback may register another");
    }
}

static void audit(tfa_t *tfa)
{
    char entry[512] = "";
    is_number(tfa_set_audit(tfa, received, entry), 1, "an audit callback is registered");
    is_number(tfa_set_audit(tfa, NULL, entry), 0, "no function is refused");
    is_number(tfa_set_audit(NULL, received, entry), 0, "no handle is refused");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is enabled");
    is_text(at(entry, "event"), "policy_enabled", "the entry has the event");
    is_text(at(entry, "caller"), "root", "the entry has the caller");
    is_text(at(entry, "function"), "twofactorauth_enable_policy", "the entry has the function");

    struct writer writer = {tfa, 0};
    is_number(tfa_set_audit(tfa, writes, &writer), 1, "another callback replaces it");
    ok(worked(whm(tfa, "root", "twofactorauth_disable_policy", NULL)), "the policy is disabled");
    is_number(writer.calls, 2, "each entry is delivered once");
    ok(worked(whm(tfa, "root", "twofactorauth_enable_policy", NULL)), "the policy is enabled again");
    is_number(writer.calls, 2, "only the present callback is called");
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
