/*
 * Who may call what, and act on whom (contract sections 1 and 2), with each kind of directory: the inline map, the
 * panel's files, and a callback of the host's. The expectations are written out here, not read from the library.
 */
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

#define POLICY_ON "twofactorauth_enable_policy"

enum role { ROOT, RESELLER, USER, NOBODY };

static const struct {
    const char *name;
    enum role role;
} callers[] = {
    {"root", ROOT},
    {"reseller1", RESELLER}, /* listed as a reseller */
    {"owner2", RESELLER},    /* not listed, but owns an account */
    {"example", USER},
    {"other", USER},
    {"user@example.com", USER},
    {"user@ADDON.example", USER},
    {"team_user@example", USER},
    {"ghost", NOBODY},
    {"user@ghost.example", NOBODY},
    {"team_user@ghost", NOBODY},
    {"", NOBODY},
    {"root ", NOBODY},
    {"Root", NOBODY},
};

static const struct {
    const char *name;
    enum role least;
} whm_functions[] = {
    {"twofactorauth_enable_policy", ROOT},
    {"twofactorauth_policy_status", RESELLER},
    {"twofactorauth_generate_tfa_config", RESELLER},
    {"twofactorauth_set_tfa_config", RESELLER},
    {"twofactorauth_get_issuer", RESELLER},
    {"twofactorauth_set_issuer", RESELLER},
    {"twofactorauth_get_user_configs", RESELLER},
    {"twofactorauth_remove_user_config", RESELLER},
    {"twofactorauth_get_tfa_config_for_user", ROOT},
    {"twofactorauth_set_tfa_config_for_user", ROOT},
    {"twofactorauth_login_status", ROOT},
    {"twofactorauth_verify_login", ROOT},
    {"twofactorauth_unlock_user", RESELLER},
    {"twofactorauth_generate_recovery_codes", RESELLER},
    {"applist", RESELLER},
    {"batch", RESELLER},
    {"uapi_cpanel", RESELLER},
    {"cpanel", RESELLER},
    {"twofactorauth_disable_policy", ROOT},
};

static const char *const uapi_functions[] = {
    "generate_user_configuration", "get_user_configuration",      "set_user_configuration",
    "remove_user_configuration",   "get_team_user_configuration", "generate_recovery_codes",
};

/* Each caller calls each function; only the refusal for its role matters here. */
static void who_calls(tfa_t *tfa, const char *kind)
{
    for (size_t caller = 0; caller < COUNT(callers); caller++) {
        const char *name = callers[caller].name;
        for (size_t function = 0; function < COUNT(whm_functions); function++) {
            const char *command = whm_functions[function].name;
            const char *refused = text("You are not authorized to call \"%s\".", command);
            bool allowed = callers[caller].role <= whm_functions[function].least;
            const char *got = reason(whm(tfa, name, command, NULL));
            ok((strcmp(got, refused) != 0) == allowed, "%s: \"%s\" %s call %s", kind, name, allowed ? "may" : "may not",
               command);
        }
        for (size_t function = 0; function < COUNT(uapi_functions); function++) {
            const char *refused = text("You are not authorized to call \"%s\".", uapi_functions[function]);
            bool allowed = callers[caller].role != NOBODY;
            const char *got = reason(uapi(tfa, name, uapi_functions[function], NULL));
            ok((strcmp(got, refused) != 0) == allowed, "%s: \"%s\" %s call %s", kind, name, allowed ? "may" : "may not",
               uapi_functions[function]);
        }
    }
}

/* Root and a reseller act on everybody in turn. */
static void on_whom(tfa_t *tfa, const char *kind)
{
    static const struct {
        const char *name;
        bool exists, of_reseller1;
    } subjects[] = {
        {"root", true, false},
        {"reseller1", true, true},
        {"user@reseller.example", true, true},
        {"example", true, true},
        {"user@example.com", true, true},
        {"user@addon.example", true, true},
        {"team_user@example", true, true},
        {"owner2", true, false},
        {"owned", true, false},
        {"other", true, false},
        {"user@other.example", true, false},
        {"ghost", false, false},
        {"user@ghost.example", false, false},
        {"Example", false, false},
    };
    for (size_t place = 0; place < COUNT(subjects); place++) {
        const char *name = subjects[place].name;
        const char *by_root = reason(whm(tfa, "root", "twofactorauth_unlock_user", "{\"user\": \"%s\"}", name));
        is_text(by_root, subjects[place].exists ? "OK" : text("The user \"%s\" does not exist.", name),
                "%s: root unlocks \"%s\"", kind, name);
        const char *by_reseller = reason(whm(tfa, "reseller1", "twofactorauth_unlock_user", "{\"user\": \"%s\"}", name));
        const char *refused = text("You are not authorized to modify \"%s\"", name);
        is_text(by_reseller, subjects[place].of_reseller1 ? "OK" : refused, "%s: a reseller unlocks \"%s\"", kind, name);
        const char *removal = whm(tfa, "reseller1", "twofactorauth_remove_user_config", "{\"user-0\": \"%s\"}", name);
        is_text(at(removal, text("data/failed/%s", name)), subjects[place].of_reseller1 ? "(absent)" : refused,
                "%s: a reseller removes \"%s\"", kind, name);
        is_number(tfa_login(tfa, name, NULL), subjects[place].exists ? TFA_NOT_REQUIRED : TFA_UNANSWERED,
                  "%s: only who exists can log in: \"%s\"", kind, name);
    }
}

static void listings(tfa_t *tfa, const char *kind)
{
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"},"
            "\"reseller1\":{\"is_enabled\":0,\"primary_domain\":\"reseller.example\"}}",
            "%s: a reseller lists itself and its own", kind);
    is_text(at(whm(tfa, "owner2", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"owned\":{\"is_enabled\":0,\"primary_domain\":\"\"},"
            "\"owner2\":{\"is_enabled\":0,\"primary_domain\":\"\"}}",
            "%s: so does who only owns an account", kind);
    is_number(size_at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"), 6,
              "%s: root lists itself and the five others", kind);
    is_text(reason(whm(tfa, "reseller1", "twofactorauth_get_user_configs", "{\"user\": \"other\"}")),
            "You are not authorized to modify \"other\"", "%s: a reseller does not ask about others", kind);
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", "{\"user\": \"user@addon.example\"}"), "data"),
            "{\"user@addon.example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"}}",
            "%s: but about its accounts' mailboxes", kind);
}

/* Mailboxes, team users and accounts enrol for themselves, and see the issuer of their reseller. */
static void everybody_enrols(tfa_t *tfa, const char *kind)
{
    static const char *const names[] = {"example", "user@example.com", "team_user@example"};
    whm(tfa, "root", POLICY_ON, NULL);
    whm(tfa, "reseller1", "twofactorauth_set_issuer", "{\"issuer\": \"Reseller One\"}");
    for (size_t place = 0; place < COUNT(names); place++) {
        char secret[SECRET_SIZE];
        enrol(tfa, names[place], step_now(), secret);
        is_number(tfa_login(tfa, names[place], code(secret, step_now() + 2)), TFA_VERIFIED, "%s: \"%s\" enrols and logs in",
                  kind, names[place]);
        is_text(at(uapi(tfa, names[place], "get_user_configuration", NULL), "data"),
                "{\"is_enabled\":1,\"issuer\":\"Reseller One\"}", "%s: under the reseller's issuer", kind);
    }
    static const char *const spellings[] = {"team_user", "team_user@example", "team_user@example.com",
                                            "TEAM_USER@Addon.Example"};
    for (size_t place = 0; place < COUNT(spellings); place++) {
        is_text(at(uapi(tfa, "example", "get_team_user_configuration", "{\"team_user\": \"%s\"}", spellings[place]), "data"),
                "{\"is_enabled\":1,\"issuer\":\"Reseller One\"}", "%s: its account sees \"%s\"", kind, spellings[place]);
    }
    is_text(reason(uapi(tfa, "other", "get_team_user_configuration", "{\"team_user\": \"team_user@example\"}")),
            "The user \"team_user@example\" does not exist.", "%s: another account does not", kind);
    is_number(tfa_login(tfa, "USER@Example.COM", NULL), TFA_DENIED, "%s: a mailbox is itself in capitals too", kind);
    is_text(at(uapi(tfa, "other", "get_user_configuration", NULL), "data/issuer"), "server.example.com",
            "%s: an account of root's has the system-wide issuer", kind);
    const char *secrets = whm(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"example\"}");
    is_number(size_at(secrets, "data/example/email"), 1, "%s: root sees the mailbox with its account", kind);
    is_number(size_at(secrets, "data/example/team"), 1, "%s: and the team user", kind);
    is_text(at(whm(tfa, "reseller1", "twofactorauth_remove_user_config",
                   "{\"user\": \"example\", \"user-0\": \"User@example.com\", \"user-1\": \"team_user@example\","
                   " \"user-2\": \"user@example.com\"}"),
               "data/failed"),
            "{}", "%s: the reseller removes all three, one of them named twice", kind);
    is_number(tfa_login(tfa, "user@example.com", NULL), TFA_NOT_REQUIRED, "%s: they are removed", kind);
    whm(tfa, "reseller1", "twofactorauth_set_issuer", "{\"issuer\": \"\"}");
    whm(tfa, "root", "twofactorauth_disable_policy", NULL);
}

static void all_expectations(tfa_t *tfa, const char *kind)
{
    on_whom(tfa, kind);
    listings(tfa, kind);
    who_calls(tfa, kind);
    everybody_enrols(tfa, kind);
}

/* ---- The inline map ---- */

static void inline_map(void)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE
                         ", \"accounts\": {\"inline\": {"
                         "\"reseller1\": {\"reseller\": 1, \"domain\": \"reseller.example\"},"
                         "\"example\": {\"owner\": \"reseller1\", \"domain\": \"example.com\","
                         " \"domains\": [\"addon.example\"], \"team\": [\"team_user\"]},"
                         "\"owned\": {\"owner\": \"owner2\"}, \"owner2\": {},"
                         "\"other\": {\"domain\": \"other.example\"}}}");
    all_expectations(tfa, "inline");
    is_number(tfa_login(tfa, "ghost@example", NULL), TFA_UNANSWERED, "inline: a team user has to be listed");
    tfa_close(tfa);
}

/* ---- The panel's files ---- */

static void panel_file(const struct place *place, const char *name, const char *contents)
{
    write_file(text("%s/%s", place->folder, name), contents, strlen(contents));
}

static void panel_files(void)
{
    struct place place = new_place();
    panel_file(&place, "trueuserowners",
               "# who owns whom\r\n\r\nreseller1: root\r\nexample: reseller1\r\nowned: owner2\nother: root\n");
    panel_file(&place, "trueuserdomains", "example.com: example\nreseller.example: reseller1\r\nother.example: other\n");
    panel_file(&place, "userdomains", "example.com: example\naddon.example: example\n*: nobody\n");
    panel_file(&place, "resellers", "reseller1:list-accts,create-acct\n");
    tfa_t *tfa = open_at(&place, text(WIDE ", \"accounts\": {\"files\": \"%s\"}", place.folder));
    all_expectations(tfa, "files");
    is_number(tfa_login(tfa, "newcomer", NULL), TFA_UNANSWERED, "files: a newcomer is not known");
    char *owners = repeated("filler: root\n", 20000);
    panel_file(&place, "trueuserowners", text("%sreseller1: root\nnewcomer: reseller1\n", owners));
    free(owners);
    is_number(tfa_login(tfa, "newcomer", NULL), TFA_NOT_REQUIRED, "files: it is as soon as they say so");
    is_number(tfa_login(tfa, "owned", NULL), TFA_UNANSWERED, "files: and who is gone is gone");
    unlink(text("%s/resellers", place.folder));
    panel_file(&place, "trueuserowners", "reseller1: root\n");
    is_text(reason(whm(tfa, "reseller1", "twofactorauth_policy_status", NULL)),
            "You are not authorized to call \"twofactorauth_policy_status\".", "files: a role is lost at once");
    unlink(text("%s/trueuserowners", place.folder));
    if (symlink("/proc/self/mem", text("%s/trueuserowners", place.folder)) != 0) {
        die("no symbolic link");
    }
    is_number(tfa_login(tfa, "reseller1", NULL), TFA_UNANSWERED, "files: one that cannot be read keeps everybody out");
    has_text(reason(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"reseller1\"}")),
             "The two-factor authentication data is not available: ", "files: and root is told");
    tfa_close(tfa);
}

static void many_accounts(void)
{
    struct place place = new_place();
    FILE *owners = fopen(text("%s/trueuserowners", place.folder), "we");
    FILE *domains = fopen(text("%s/trueuserdomains", place.folder), "we");
    if (owners == NULL || domains == NULL) {
        die("no panel files");
    }
    for (int account = 0; account < 600; account++) {
        fprintf(owners, "user%d: reseller%d\n", account, account % 3);
        fprintf(domains, "user%d.example: user%d\n", account, account);
    }
    fclose(owners);
    fclose(domains);
    tfa_t *tfa = open_at(&place, text("\"accounts\": {\"files\": \"%s\"}", place.folder));
    is_number(size_at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"), 604,
              "600 accounts, three resellers and root");
    is_number(size_at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data"), 201, "a third of them");
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data/user598/primary_domain"),
            "user598.example", "each with its domain");
    tfa_close(tfa);
}

/* ---- A callback ---- */

struct host {
    int asked;
    int answer;        /* what the callback returns when it has no reply; 0 is an honest no */
    const char *reply; /* what it replies to everything, in place of the truth */
};

static const struct {
    const char *question, *name, *reply;
} truths[] = {
    {"account", "reseller1", "{\"reseller\": 1, \"domain\": \"reseller.example\"}"},
    {"account", "example",
     "{\"owner\": \"reseller1\", \"domain\": \"example.com\", \"domains\": [\"addon.example\"], \"team\": [\"team_user\"]}"},
    {"account", "owned", "{\"owner\": \"owner2\"}"},
    {"account", "owner2", "{}"},
    {"account", "other", "{\"domain\": \"other.example\"}"},
    {"domain", "reseller.example", "\"reseller1\""},
    {"domain", "example.com", "\"example\""},
    {"domain", "addon.example", "\"example\""},
    {"domain", "other.example", "\"other\""},
    {"accounts", "reseller1", "[\"example\"]"},
    {"accounts", "owner2", "[\"owned\"]"},
    {"accounts", "", "[\"reseller1\", \"example\", \"owned\", \"owner2\", \"other\"]"},
};

static int32_t look_up(void *context, const char *question, const char *name, void *reply)
{
    struct host *host = context;
    host->asked++;
    if (host->reply != NULL) {
        tfa_reply(reply, host->reply);
        return 1;
    }
    for (size_t place = 0; place < COUNT(truths) && host->answer == 0; place++) {
        if (strcmp(truths[place].question, question) == 0 && strcmp(truths[place].name, name) == 0) {
            return tfa_reply(reply, truths[place].reply);
        }
    }
    return host->answer;
}

static void callback(void)
{
    struct place place = new_place();
    struct host host = {0};
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_set_lookup(tfa, look_up, &host), 1, "callback: it is registered");
    all_expectations(tfa, "callback");
    ok(host.asked > 0, "callback: it was asked");
    int before = host.asked;
    is_number(tfa_login(tfa, "root", NULL), TFA_NOT_REQUIRED, "callback: root exists");
    is_number(host.asked, before, "callback: without being asked for");
    host.answer = -1;
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: when it fails, nobody is let in");
    has_text(reason(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"example\"}")),
             "The two-factor authentication data is not available: ", "callback: and root is told");
    host.answer = 1;
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: a yes without a reply is a failure");
    static const char *const replies[] = {NULL, "", "{", "7", "\"example\"", "[]", "{\"owner\": 7}", "{\"x\": 1}"};
    for (size_t reply = 1; reply < COUNT(replies); reply++) {
        host.reply = replies[reply];
        is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: so is the reply '%s'", host.reply);
    }
    host.reply = NULL;
    host.answer = 0;
    is_number(tfa_login(tfa, "example", NULL), TFA_NOT_REQUIRED, "callback: it recovers");
    tfa_close(tfa);
}

/* ---- No directory ---- */

static void no_directory(void)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "whoever", NULL), TFA_NOT_REQUIRED, "none: every well-formed name is an account");
    is_text(at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"root\":{\"is_enabled\":0,\"primary_domain\":\"\"}}", "none: root alone is listed at first");
    whm(tfa, "root", POLICY_ON, NULL);
    char secret[SECRET_SIZE];
    enrol(tfa, "user@example.com", step_now(), secret);
    is_text(at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data/user@example.com/is_enabled"), "1",
            "none: and whoever is enrolled");
    is_text(reason(whm(tfa, "whoever", "twofactorauth_policy_status", NULL)),
            "You are not authorized to call \"twofactorauth_policy_status\".", "none: nobody is a reseller");
    tfa_close(tfa);
}

int main(void)
{
    inline_map();
    panel_files();
    many_accounts();
    callback();
    no_directory();
    return done();
}
