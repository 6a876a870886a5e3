/*
 * Configurations, folders, databases and key files that must be refused; a store that goes away; a full disk.
 *
 * Each is an error that says what to do, and nothing on disk is changed by it.
 */
#include "bad_texts.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Configurations ---- */

static void configurations(void)
{
    struct place place = new_place();
    static const struct {
        const char *more, *error;
    } cases[] = {
        {"\"colour\": 1", "unknown field `colour`"},
        {"\"skew\": \"1\"", "\"skew\": invalid type: string"},
        {"\"skew\": -1", "\"skew\": invalid value"},
        {"\"skew\": 11", "\"skew\" is 11, and must be from 0 to 10"},
        {"\"digits\": 5", "\"digits\" is 5, and must be from 6 to 8"},
        {"\"period\": 0", "\"period\" is 0, and must be from 1 to 3600"},
        {"\"algorithm\": \"MD5\"", "\"algorithm\": unknown variant `MD5`"},
        {"\"secret_length\": 8", "\"secret_length\" is 8, and must be from 16 to 128"},
        {"\"secret_length\": 20", "\"secret_length\" must be a multiple of 8"},
        {"\"lockout\": {\"failures\": 0}", "\"lockout.failures\" is 0"},
        {"\"lockout\": {\"colour\": 0}", "\"lockout.colour\": unknown field `colour`"},
        {"\"lockout\": 5", "\"lockout\": invalid type"},
        {"\"accounts\": {\"files\": 7}", "\"accounts\": \"files\": must be a folder"},
        {"\"accounts\": {\"inline\": {\"a b\": {}}}", "not a well-formed account name"},
        {"\"accounts\": {\"inline\": {\"a\": {\"colour\": 1}}}", "unknown key \"colour\""},
        {"\"accounts\": {}", "\"accounts\" must be"},
        {"\"hostname\": \"a\\u0007\"", "\"hostname\" is not valid: it has control characters"},
        {"\"key_file\": 7", "\"key_file\": invalid type"},
    };
    for (size_t number = 0; number < COUNT(cases); number++) {
        has_text(refusal(config(&place, cases[number].more)), cases[number].error, "refused: %s", cases[number].more);
    }
    has_text(refusal("{\"create\": true, \"store\": \"tfa.db\"}"), "\"store\" is not", "refused: a store without its kind");
    has_text(refusal("{\"create\": true, \"store\": \"sqlite:tfa.db\"}"), "\"store\" is not", "refused: a path that is not absolute");
    has_text(refusal("{\"create\": true, \"store\": 7}"), "\"store\": invalid type", "refused: a store that is a number");
    for (size_t number = 0; number < bad_count; number++) {
        ok(strlen(refusal(bad_texts[number].args)) > 10, "refused: %s", bad_texts[number].what);
    }
    ok(tfa_open("{", NULL) == NULL, "without a place for the error, open returns NULL too");
    ok(access(place.database, F_OK) != 0 && access(place.key, F_OK) != 0, "no refused configuration created a file");
}

/* ---- Files ---- */

/* As another user, since permissions do not stop root. */
static int unwritable_folder(void *context)
{
    const struct place *place = context;
    if (geteuid() == 0) {
        NEED(chown(place->folder, 65534, 65534) == 0);
        NEED(setgid(65534) == 0 && setuid(65534) == 0);
    }
    NEED(chmod(place->folder, 0500) == 0);
    NEED(strstr(refusal(config(place, "")), "cannot be created: Permission denied") != NULL);
    return 0;
}

static void folders(void)
{
    struct place place = new_place();
    pid_t child = start(unwritable_folder, &place);
    is_number(finished(&child, 1), 1, "refused: a folder that cannot be written to");
    place = new_place();
    chmod(place.folder, 0777);
    has_text(refusal(config(&place, "")), text("Run: chmod go-w %s", place.folder), "refused: a folder that others can write to");
    chmod(place.folder, 0700);
    has_text(refusal(text("{\"create\": true, \"store\": \"sqlite:%s/a/b/tfa.db\"}", place.folder)), "cannot be created",
             "refused: a folder whose parent is missing");
    has_text(refusal("{\"create\": true, \"store\": \"sqlite:/proc/tfa/tfa.db\"}"), "cannot be created", "refused: a folder that cannot be created");
    has_text(refusal("{\"create\": true, \"store\": \"sqlite:/etc/hostname/tfa.db\"}"), "is not a directory", "refused: a file instead of a folder");
    has_text(refusal(text("{\"create\": true, \"store\": \"sqlite:%s\"}", place.folder)), "can be written to by others",
             "refused: a folder in a shared one");
    const char *made = text("{\"create\": true, \"store\": \"sqlite:%s/new/tfa.db\"}", place.folder);
    is_text(refusal(made), "", "a missing folder is created");
    struct stat file;
    ok(stat(text("%s/new", place.folder), &file) == 0 && (file.st_mode & 0777) == 0700, "the folder has mode 0700");
    ok(stat(text("%s/new/tfa.db", place.folder), &file) == 0 && (file.st_mode & 0777) == 0600, "the database has mode 0600");
    ok(stat(text("%s/new/tfa.key", place.folder), &file) == 0 && (file.st_mode & 0777) == 0600, "the key file has mode 0600");
}

static void overwrite(const char *path, long offset, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "r+e");
    if (file == NULL || fseek(file, offset, SEEK_SET) != 0 || fwrite(bytes, 1, length, file) != length) {
        die("%s cannot be written: %s", path, strerror(errno));
    }
    fclose(file);
}

static void modes(void)
{
    struct place place = new_place();
    furnish(&place);
    chmod(place.database, 0644);
    has_text(refusal(config(&place, "")), text("Run: chmod 600 %s", place.database), "refused: a database that others can read");
    chmod(place.database, 0600);
    chmod(place.key, 0640);
    has_text(refusal(config(&place, "")), text("Run: chmod 600 %s", place.key), "refused: a key that others can read");
    chmod(place.key, 0600);
    is_text(refusal(config(&place, "")), "", "with the right modes it opens");
}

static void links(void)
{
    struct place place = new_place();
    furnish(&place);
    unsigned long long before = fingerprint(&place);
    struct place link = new_place();
    if (symlink(place.database, link.database) != 0) {
        die("no symbolic link");
    }
    has_text(refusal(config(&link, "")), "is a symbolic link", "refused: a symbolic link as the database");
    has_text(refusal(config(&place, text("\"key_file\": \"%s\"", link.database))), "is a symbolic link",
             "refused: a symbolic link as the key file");
    ok(fingerprint(&place) == before, "the target of the link is unchanged");
    unlink(link.database);
    mkdir(link.database, 0700);
    has_text(refusal(config(&link, "")), "is not a regular file", "refused: a folder as the database");
}

static void formats(void)
{
    struct place place = new_place();
    furnish(&place);
    /* The user version is at byte 60 of an SQLite file. */
    overwrite(place.database, 60, "\0\0\0\143", 4);
    unsigned long long before = fingerprint(&place);
    has_text(refusal(config(&place, "")), "has format 99, and this library knows formats up to 2. Install the newer library",
             "refused: a database of a newer format");
    ok(fingerprint(&place) == before, "the database is unchanged");
    overwrite(place.database, 60, "\0\0\0\2", 4);

    overwrite(place.database, 68, "ABCD", 4);
    has_text(refusal(config(&place, "")), "is another program's database", "refused: another program's database");
    overwrite(place.database, 68, "TFA1", 4);
    is_text(refusal(config(&place, "")), "", "with its own format it opens again");

    char *junk = repeated("junk", 4096);
    write_file(place.database, junk, 4 * 4096);
    free(junk);
    has_text(refusal(config(&place, "")), "is damaged", "refused: a database that is not SQLite's");
}

static void keys(void)
{
    struct place place = new_place();
    furnish(&place);
    char kept_key[128];
    snprintf(kept_key, sizeof(kept_key), "%s.kept", place.key);
    rename(place.key, kept_key);
    has_text(refusal(config(&place, "")), "does not exist, and without it no secret can be read", "refused: a missing key file");
    ok(access(place.key, F_OK) != 0, "no new key file is created");
    write_file(place.key, "{}", 2);
    has_text(refusal(config(&place, "")), "is damaged", "refused: a damaged key file");
    struct place other = new_place();
    furnish(&other);
    rename(other.key, place.key);
    has_text(refusal(config(&place, "")), "belong to different stores", "refused: the key file of another store");
    rename(kept_key, place.key);
    is_text(refusal(config(&place, "")), "", "with its own key file it opens");
}

/* ---- A store that disappears ---- */

static void gone(void)
{
    struct place place = new_place();
    furnish(&place);
    tfa_t *tfa = open_at(&place, WIDE);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "with the database a code is required");
    rename(place.database, text("%s.moved", place.database));
    is_number(tfa_login(tfa, "example", NULL), TFA_UNANSWERED, "without the database no login is answered");
    is_number(tfa_login(tfa, "stranger", NULL), TFA_UNANSWERED, "without it, not even for subjects that are not enrolled");
    has_text(reason(whm(tfa, "root", "twofactorauth_policy_status", NULL)),
             "The two-factor authentication data is not available: ", "the error names the cause");
    rename(text("%s.moved", place.database), place.database);
    is_number(tfa_login(tfa, "example", NULL), TFA_DENIED, "with the database back, a code is required again");
    tfa_close(tfa);
}

/* A limit on the size of files simulates a full disk. */
static int full_disk(void *context)
{
    const struct place *place = context;
    tfa_t *tfa = open_at(place, WIDE);
    char secret[SECRET_SIZE];
    propose(tfa, "other", secret);
    long step = step_now();
    const char *right = code(secret, step), *next = code(secret, step + 1);
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const char *format = "{\"secret\": \"%s\", \"tfa_token\": \"%s\"}";
    const char *answer = taken(tfa_uapi(tfa, "other", "TwoFactorAuth", "set_user_configuration", text(format, secret, right)));
    NEED(refused(answer));
    NEED(strstr(reason(answer), "The two-factor authentication data is not available: ") != NULL);
    NEED(strstr(reason(answer), secret) == NULL);
    NEED(tfa_login(tfa, "example", "123456") == TFA_UNANSWERED);
    limit.rlim_cur = RLIM_INFINITY;
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    NEED(worked(taken(tfa_uapi(tfa, "other", "TwoFactorAuth", "set_user_configuration", text(format, secret, right)))));
    NEED(tfa_login(tfa, "other", next) == TFA_VERIFIED);
    tfa_close(tfa);
    return 0;
}

int main(void)
{
    make_bad_texts();
    configurations();
    free_bad_texts();
    folders();
    modes();
    links();
    formats();
    keys();
    gone();
    struct place place = new_place();
    furnish(&place);
    pid_t child = start(full_disk, &place);
    is_number(finished(&child, 1), 1, "on a full disk nothing is stored and no login is answered; afterwards everything works");
    return done();
}
