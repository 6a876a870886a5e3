/* Texts, stores, calls and JSON; see support.h. JSON is parsed by jansson, which shares no code with the library. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 64

/* ---- Texts ---- */

static pthread_key_t texts_key;
static pthread_once_t texts_once = PTHREAD_ONCE_INIT;

/* The texts of a thread, the last one first. */
struct kept_text {
    struct kept_text *before;
    char *text;
};

static void free_texts(void *last)
{
    for (struct kept_text *entry = last, *before; entry != NULL; entry = before) {
        before = entry->before;
        free(entry->text);
        free(entry);
    }
}

/* Those of the main thread, for which no destructor runs. */
static void free_main_texts(void)
{
    free_texts(pthread_getspecific(texts_key));
    pthread_setspecific(texts_key, NULL);
}

static void begin_texts(void)
{
    if (pthread_key_create(&texts_key, free_texts) != 0 || atexit(free_main_texts) != 0) {
        die("out of memory");
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/* Gives the ownership of a text to the calling thread. */
static const char *kept(char *owned)
{
    pthread_once(&texts_once, begin_texts);
    struct kept_text *entry = malloc(sizeof(*entry));
    if (entry == NULL) {
        die("out of memory");
    }
    *entry = (struct kept_text){pthread_getspecific(texts_key), owned};
    pthread_setspecific(texts_key, entry);
    return owned;
}

static const char *formatted(const char *format, va_list values)
{
    char *owned = NULL;
    if (vasprintf(&owned, format, values) < 0) {
        die("out of memory");
    }
    return kept(owned);
}

const char *text(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *result = formatted(format, values);
    va_end(values);
    return result;
}

char *repeated(const char *part, size_t count)
{
    size_t length = strlen(part);
    char *result = malloc(length * count + 1);
    if (result == NULL) {
        die("out of memory");
    }
    for (size_t place = 0; place < count; place++) {
        memcpy(result + place * length, part, length);
    }
    result[length * count] = '\0';
    return result;
}

void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fflush(stdout);
    fputs("# aborted: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    _exit(99);
}

int setting(const char *variable, int usual)
{
    const char *value = getenv(variable);
    int number = value == NULL ? usual : atoi(value);
    if (number < 1) {
        die("%s is not a positive number", variable);
    }
    return number;
}

/* ---- Stores ---- */

static char places[PLACES][64];
static size_t place_count;
static pid_t places_owner;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_places(void)
{
    for (size_t place = 0; getpid() == places_owner && place < place_count; place++) {
        chmod(places[place], 0700);
        nftw(places[place], remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

struct place new_place(void)
{
    if (places_owner == 0) {
        places_owner = getpid();
        atexit(remove_places);
    }
    struct place place = {.folder = "/tmp/tfa-test-XXXXXX"};
    if (place_count == PLACES || mkdtemp(place.folder) == NULL) {
        die("no temporary folder: %s", strerror(errno));
    }
    memcpy(places[place_count++], place.folder, sizeof(place.folder));
    snprintf(place.database, sizeof(place.database), "%s/tfa.db", place.folder);
    snprintf(place.key, sizeof(place.key), "%s/tfa.key", place.folder);
    return place;
}

const char *config(const struct place *place, const char *more)
{
    return text("{\"create\": true, \"store\": \"sqlite:%s\", \"hostname\": \"server.example.com\"%s%s}", place->database,
                *more == '\0' ? "" : ", ", more);
}

tfa_t *open_at(const struct place *place, const char *more)
{
    char *error = NULL;
    tfa_t *tfa = tfa_open(config(place, more), &error);
    if (tfa == NULL) {
        die("the store does not open: %s", error);
    }
    return tfa;
}

const char *refusal(const char *configuration)
{
    char *error = NULL;
    tfa_t *tfa = tfa_open(configuration, &error);
    if (tfa != NULL) {
        tfa_close(tfa);
        return "";
    }
    return at(taken(error), "error");
}

void write_file(const char *path, const char *contents, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, contents, length) != (ssize_t)length || close(file) != 0) {
        die("%s cannot be written: %s", path, strerror(errno));
    }
}

/* FNV-1a: enough to notice a change of a file. */
static unsigned long long mixed(unsigned long long hash, const void *bytes, size_t length)
{
    for (const unsigned char *byte = bytes; length > 0; byte++, length--) {
        hash = (hash ^ *byte) * 0x100000001b3ULL;
    }
    return hash;
}

static unsigned long long mixed_file(unsigned long long hash, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        die("%s cannot be read: %s", path, strerror(errno));
    }
    char block[4096];
    size_t length;
    while ((length = fread(block, 1, sizeof(block), file)) > 0) {
        hash = mixed(hash, block, length);
    }
    fclose(file);
    return hash;
}

unsigned long long fingerprint(const struct place *place)
{
    struct dirent **entries = NULL;
    int count = scandir(place->folder, &entries, NULL, alphasort);
    if (count < 0) {
        die("%s cannot be read: %s", place->folder, strerror(errno));
    }
    unsigned long long hash = 0xcbf29ce484222325ULL;
    for (int entry = 0; entry < count; entry++) {
        const char *name = entries[entry]->d_name;
        if (name[0] != '.' && strstr(name, "-shm") == NULL) {
            hash = mixed(hash, name, strlen(name) + 1);
            hash = mixed_file(hash, text("%s/%s", place->folder, name));
        }
        free(entries[entry]);
    }
    free(entries);
    return hash;
}

/* ---- Calls ---- */

const char *taken(char *answer)
{
    if (answer == NULL) {
        die("the library returned NULL");
    }
    char *copy = strdup(answer);
    if (copy == NULL) {
        die("out of memory");
    }
    tfa_free(answer);
    return kept(copy);
}

const char *whm(tfa_t *tfa, const char *caller, const char *function, const char *args, ...)
{
    va_list values;
    va_start(values, args);
    const char *json = args == NULL ? NULL : formatted(args, values);
    va_end(values);
    return taken(tfa_whmapi1(tfa, caller, function, json));
}

const char *uapi(tfa_t *tfa, const char *caller, const char *function, const char *args, ...)
{
    va_list values;
    va_start(values, args);
    const char *json = args == NULL ? NULL : formatted(args, values);
    va_end(values);
    return taken(tfa_uapi(tfa, caller, "TwoFactorAuth", function, json));
}

static json_t *parsed(const char *answer)
{
    return json_loads(answer, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

bool is_json(const char *answer)
{
    json_t *json = parsed(answer);
    json_decref(json);
    return json != NULL;
}

/* Follows a path; the result belongs to the root. */
static const json_t *follow(const json_t *json, const char *path)
{
    char *parts = strdup(path);
    char *rest = NULL;
    for (char *part = strtok_r(parts, "/", &rest); part != NULL && json != NULL; part = strtok_r(NULL, "/", &rest)) {
        json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10)) : json_object_get(json, part);
    }
    free(parts);
    return json;
}

const char *at(const char *answer, const char *path)
{
    json_t *json = parsed(answer);
    const json_t *value = follow(json, path);
    const char *result = "(absent)";
    if (json_is_string(value)) {
        result = text("%s", json_string_value(value));
    } else if (value != NULL) {
        result = kept(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
    }
    json_decref(json);
    return result;
}

long number_at(const char *answer, const char *path)
{
    json_t *json = parsed(answer);
    const json_t *value = follow(json, path);
    if (!json_is_integer(value)) {
        die("%s is not a number in %s", path, answer);
    }
    long number = (long)json_integer_value(value);
    json_decref(json);
    return number;
}

long size_at(const char *answer, const char *path)
{
    json_t *json = parsed(answer);
    const json_t *value = follow(json, path);
    long size = json_is_array(value)    ? (long)json_array_size(value)
                : json_is_object(value) ? (long)json_object_size(value)
                                        : -1;
    json_decref(json);
    return size;
}

const char *reason(const char *answer)
{
    const char *whm_reason = at(answer, "metadata/reason");
    return strcmp(whm_reason, "(absent)") == 0 ? at(answer, "errors/0") : whm_reason;
}

bool worked(const char *answer)
{
    return strcmp(at(answer, "metadata/result"), "1") == 0 || strcmp(at(answer, "status"), "1") == 0;
}

bool refused(const char *answer)
{
    return is_json(answer) && !worked(answer) && strlen(reason(answer)) > 10;
}
