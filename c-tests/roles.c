/*
 * Which callers may call which functions, for which subjects (contract sections 1 and 2), with each kind of directory: the
 * inline map, the panel's files, and a callback of the host. The functions and their callers come from tfa_functions, which
 * the agreement test compares with the contract.
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

/* The role that a function requires, by the word in the list of functions. */
static enum role required_role(const char *word)
{
    static const char *const words[] = {[ROOT] = "root", [RESELLER] = "resellers", [USER] = "everybody"};
    for (enum role role = ROOT; role <= USER; role++) {
        if (strcmp(words[role], word) == 0) {
            return role;
        }
    }
    die("no role is called %s", word);
}

/* Each caller calls each function; only the refusal for its role matters here. The policy is disabled afterwards. */
static void callers_of_functions(tfa_t *tfa, const char *kind)
{
    const char *list = taken(tfa_functions());
    ok(size_at(list, "") > 0, "%s: the library lists its functions", kind);
    for (long place = 0; place < size_at(list, ""); place++) {
        const char *function = at(list, text("%ld/name", place));
        bool is_uapi = strcmp(at(list, text("%ld/api", place)), "uapi") == 0;
        enum role least = required_role(at(list, text("%ld/callers", place)));
        const char *refused = text("You are not authorized to call \"%s\".", function);
        for (size_t caller = 0; caller < COUNT(callers); caller++) {
            const char *name = callers[caller].name;
            bool allowed = callers[caller].role <= least;
            const char *got = reason(is_uapi ? uapi(tfa, name, function, NULL) : whm(tfa, name, function, NULL));
            ok((strcmp(got, refused) != 0) == allowed, "%s: \"%s\" %s call %s", kind, name, allowed ? "may" : "may not",
               function);
        }
    }
    whm(tfa, "root", "twofactorauth_disable_policy", NULL);
}

/* Root and a reseller act on each subject. */
static void on_subjects(tfa_t *tfa, const char *kind)
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
        {"Example", true, true},
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
                  "%s: only existing subjects can log in: \"%s\"", kind, name);
    }
}

static void listings(tfa_t *tfa, const char *kind)
{
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"},"
            "\"reseller1\":{\"is_enabled\":0,\"primary_domain\":\"reseller.example\"}}",
            "%s: a reseller lists itself and its accounts", kind);
    is_text(at(whm(tfa, "owner2", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"owned\":{\"is_enabled\":0,\"primary_domain\":\"\"},"
            "\"owner2\":{\"is_enabled\":0,\"primary_domain\":\"\"}}",
            "%s: an owner of an account lists itself and its account", kind);
    is_number(size_at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"), 6,
              "%s: root lists itself and the five others", kind);
    is_text(reason(whm(tfa, "reseller1", "twofactorauth_get_user_configs", "{\"user\": \"other\"}")),
            "You are not authorized to modify \"other\"", "%s: a reseller cannot list other accounts", kind);
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", "{\"user\": \"user@addon.example\"}"), "data"),
            "{\"user@addon.example\":{\"is_enabled\":0,\"primary_domain\":\"example.com\"}}",
            "%s: a reseller lists a mailbox of its account", kind);
}

/* Mailboxes, team users and accounts enrol, with the issuer of their reseller. */
static void every_kind_enrols(tfa_t *tfa, const char *kind)
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
                "{\"is_enabled\":1,\"issuer\":\"Reseller One\"}", "%s: the issuer is that of the reseller", kind);
    }
    static const char *const spellings[] = {"team_user", "team_user@example", "team_user@example.com",
                                            "TEAM_USER@Addon.Example"};
    for (size_t place = 0; place < COUNT(spellings); place++) {
        is_text(at(uapi(tfa, "example", "get_team_user_configuration", "{\"team_user\": \"%s\"}", spellings[place]), "data"),
                "{\"is_enabled\":1,\"issuer\":\"Reseller One\"}", "%s: the account reads the configuration of \"%s\"", kind, spellings[place]);
    }
    is_text(reason(uapi(tfa, "other", "get_team_user_configuration", "{\"team_user\": \"team_user@example\"}")),
            "The user \"team_user@example\" does not exist.", "%s: another account does not", kind);
    is_number(tfa_login(tfa, "USER@Example.COM", NULL), TFA_DENIED, "%s: a mailbox in upper case is the same subject", kind);
    is_text(at(uapi(tfa, "other", "get_user_configuration", NULL), "data/issuer"), "server.example.com",
            "%s: an account that root owns has the system-wide issuer", kind);
    const char *secrets = whm(tfa, "root", "twofactorauth_get_tfa_config_for_user", "{\"user\": \"example\"}");
    is_number(size_at(secrets, "data/example/email"), 1, "%s: the mailbox is listed with its account", kind);
    is_number(size_at(secrets, "data/example/team"), 1, "%s: the team user is listed with its account", kind);
    is_text(at(whm(tfa, "reseller1", "twofactorauth_remove_user_config",
                   "{\"user\": \"example\", \"user-0\": \"User@example.com\", \"user-1\": \"team_user@example\","
                   " \"user-2\": \"user@example.com\"}"),
               "data/failed"),
            "{}", "%s: the reseller removes all three, one of them named twice", kind);
    is_number(tfa_login(tfa, "user@example.com", NULL), TFA_NOT_REQUIRED, "%s: the mailbox is removed", kind);
    whm(tfa, "reseller1", "twofactorauth_set_issuer", "{\"issuer\": \"\"}");
    whm(tfa, "root", "twofactorauth_disable_policy", NULL);
}

static void all_expectations(tfa_t *tfa, const char *kind)
{
    on_subjects(tfa, kind);
    listings(tfa, kind);
    callers_of_functions(tfa, kind);
    every_kind_enrols(tfa, kind);
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
    is_number(tfa_login(tfa, "ghost@example", NULL), TFA_UNANSWERED, "inline: a team user must be listed");
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
               "# owners\r\n\r\nreseller1: root\r\nexample: reseller1\r\nowned: owner2\nother: root\n");
    panel_file(&place, "trueuserdomains", "example.com: example\nreseller.example: reseller1\r\nother.example: other\n");
    panel_file(&place, "userdomains", "example.com: example\naddon.example: example\n*: nobody\n");
    panel_file(&place, "resellers", "reseller1:list-accts,create-acct\n");
    tfa_t *tfa = open_at(&place, text(WIDE ", \"accounts\": {\"files\": \"%s\"}", place.folder));
    all_expectations(tfa, "files");
    is_number(tfa_login(tfa, "new", NULL), TFA_UNANSWERED, "files: an unknown account does not exist");
    char *owners = repeated("filler: root\n", 20000);
    panel_file(&place, "trueuserowners", text("%sreseller1: root\nnew: reseller1\n", owners));
    free(owners);
    is_number(tfa_login(tfa, "new", NULL), TFA_NOT_REQUIRED, "files: a new account exists at once");
    is_number(tfa_login(tfa, "owned", NULL), TFA_UNANSWERED, "files: a removed account does not exist");
    unlink(text("%s/resellers", place.folder));
    panel_file(&place, "trueuserowners", "reseller1: root\n");
    is_text(reason(whm(tfa, "reseller1", "twofactorauth_policy_status", NULL)),
            "You are not authorized to call \"twofactorauth_policy_status\".", "files: a role is lost at once");
    unlink(text("%s/trueuserowners", place.folder));
    if (symlink("/proc/self/mem", text("%s/trueuserowners", place.folder)) != 0) {
        die("no symbolic link");
    }
    is_number(tfa_login(tfa, "reseller1", NULL), TFA_UNANSWERED, "files: with an unreadable file no login is answered");
    has_text(reason(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"reseller1\"}")),
             "The two-factor authentication data is not available: ", "files: the error names the cause");
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
    is_number(size_at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data"), 201, "a reseller has a third of them");
    is_text(at(whm(tfa, "reseller1", "twofactorauth_get_user_configs", NULL), "data/user598/primary_domain"),
            "user598.example", "each has its domain");
    tfa_close(tfa);
}

/* ---- A callback ---- */

struct host {
    int asked;
    int answer;        /* the result of the callback without a reply; 0: there is no such account */
    const char *reply; /* a reply to every question, instead of the table's */
};

static const struct {
    const char *question, *name, *reply;
} replies_of_host[] = {
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
    for (size_t place = 0; place < COUNT(replies_of_host) && host->answer == 0; place++) {
        if (strcmp(replies_of_host[place].question, question) == 0 && strcmp(replies_of_host[place].name, name) == 0) {
            return tfa_reply(reply, replies_of_host[place].reply);
        }
    }
    return host->answer;
}

static void callback(void)
{
    struct place place = new_place();
    struct host host = {0};
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_set_lookup(tfa, look_up, &host), 1, "callback: a lookup is registered");
    all_expectations(tfa, "callback");
    ok(host.asked > 0, "callback: the lookup was called");
    int before = host.asked;
    is_number(tfa_login(tfa, "root", NULL), TFA_NOT_REQUIRED, "callback: root exists");
    is_number(host.asked, before, "callback: root exists without a question");
    host.answer = -1;
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: when it fails, no login is answered");
    has_text(reason(whm(tfa, "root", "twofactorauth_login_status", "{\"user\": \"example\"}")),
             "The two-factor authentication data is not available: ", "callback: the error names the cause");
    host.answer = 1;
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: a result of 1 without a reply is a failure");
    static const char *const replies[] = {NULL, "", "{", "7", "\"example\"", "[]", "{\"owner\": 7}", "{\"x\": 1}"};
    for (size_t reply = 1; reply < COUNT(replies); reply++) {
        host.reply = replies[reply];
        is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "callback: the reply '%s' is a failure", host.reply);
    }
    host.reply = NULL;
    host.answer = 0;
    is_number(tfa_login(tfa, "example", NULL), TFA_NOT_REQUIRED, "callback: it works again");
    tfa_close(tfa);
}

/* ---- No directory ---- */

static void no_directory(void)
{
    struct place place = new_place();
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "stranger", NULL), TFA_NOT_REQUIRED, "none: every well-formed name is an account");
    is_text(at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data"),
            "{\"root\":{\"is_enabled\":0,\"primary_domain\":\"\"}}", "none: root alone is listed at first");
    whm(tfa, "root", POLICY_ON, NULL);
    char secret[SECRET_SIZE];
    enrol(tfa, "user@example.com", step_now(), secret);
    is_text(at(whm(tfa, "root", "twofactorauth_get_user_configs", NULL), "data/user@example.com/is_enabled"), "1",
            "none: enrolled subjects are listed");
    is_text(reason(whm(tfa, "stranger", "twofactorauth_policy_status", NULL)),
            "You are not authorized to call \"twofactorauth_policy_status\".", "none: there are no resellers");
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
