<?php
/* Login: what is accepted and what is denied; opening, closing, fork, the lookup. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{ConfigError, Login, Refused, Tfa, Unavailable};

$folder = folder();
$tfa = open($folder);

Tap::is($tfa->loginResult('example', ''), Login::NotRequired, 'without enrolment no code is required');
$person = enrol($tfa, 'example');
Tap::is($tfa->login('example'), false, 'a code is required');
$code = $person->code();
Tap::is($tfa->login('example', $code), true, 'a valid code is accepted');
Tap::is($tfa->loginResult('example', $code), Login::Denied, 'once');
foreach (["%s\0", "%s\0junk", "\0%s", "%s\xFF"] as $typed) {
    Tap::is(
        $tfa->loginResult('example', sprintf($typed, $person->code())),
        Login::Denied,
        'a valid code with an unreadable character is invalid: ' . addcslashes($typed, "\0..\37\177..\377"),
    );
}
$wrong = $person->wrongCode();
for ($count = 1; $count <= 5; $count++) {
    $tfa->login('example', $wrong);
}
Tap::is($tfa->whm->twofactorauth_login_status(caller: 'root', user: 'example')['failures'], 5, 'invalid codes are counted');
Tap::is($tfa->loginResult('example', $wrong), Login::Locked, 'invalid codes lock the subject');
Tap::is($tfa->login('example', $person->code()), false, 'a valid code too is denied');
$tfa->whm->twofactorauth_unlock_user(caller: 'root', user: 'example');
Tap::is($tfa->login('example', $person->code()), true, 'until the lock is lifted');

$recovery = $tfa->uapi->generate_recovery_codes(caller: 'example')['recovery_codes'];
Tap::is(count($recovery), 10, 'ten recovery codes');
Tap::is($tfa->login('example', $recovery[0]), true, 'a recovery code is accepted');
Tap::is($tfa->login('example', $recovery[0]), false, 'once');

Tap::is($tfa->loginResult('nobody', '123456'), Login::Unanswered, 'an unknown subject is denied');
Tap::throws(fn () => $tfa->login("example\0", '1'), Refused::class, '"subject"', 'a subject with a NUL is refused');
Tap::is($tfa->loginResult("example\xFF", '1'), Login::Unanswered, 'a subject that is not UTF-8 is denied');
$accepted = array_values(array_filter(Login::cases(), fn (Login $result) => $result->isAccepted()));
Tap::is($accepted, [Login::Verified, Login::NotRequired], 'the results that accept a login');

Tap::throws(fn () => Tfa::open(['no_such_key' => 1] + config($folder)), ConfigError::class, 'no_such_key', 'an unknown key');
Tap::throws(fn () => Tfa::open(['skew' => 'wide'] + config($folder)), ConfigError::class, 'skew', 'a wrong type');

// The configuration of the server, and keys that override it.
file_put_contents("$folder/tfa.json", json_encode(config($folder)));
putenv("TFA_CONFIG=$folder/tfa.json");
$issuer = fn (Tfa $tfa): string => $tfa->whm->twofactorauth_get_issuer(caller: 'root')['issuer'];
Tap::is($issuer(Tfa::open()), 'server.example.com', 'without keys, the configuration of the server');
Tap::ok(Tfa::open()->uapi->get_user_configuration(caller: 'example')['is_enabled'] === 1, 'with its store');
$other = Tfa::open(['hostname' => 'other.example.com']);
Tap::is($issuer($other), 'other.example.com', 'a key overrides the file');
Tap::is($other->uapi->get_user_configuration(caller: 'example')['is_enabled'], 1, 'and the others are those of the file');
putenv("TFA_CONFIG=$folder/missing.json");
Tap::throws(fn () => Tfa::open(), ConfigError::class, "$folder/missing.json", 'a file that is missing');
putenv('TFA_CONFIG');

$children = [];
for ($number = 0; $number < 4; $number++) {
    $child = pcntl_fork();
    if ($child === 0) {
        $theirs = enrol($tfa, 'theirs');
        exit($tfa->whm->twofactorauth_policy_status(caller: 'root') === ['is_enabled' => 1] ? 0 : 1);
    }
    $children[] = $child;
}
$statuses = array_map(function (int $child): int {
    pcntl_waitpid($child, $status);
    return $status;
}, $children);
Tap::is($statuses, [0, 0, 0, 0], 'four children use the handle of their parent');
Tap::is($tfa->uapi->get_user_configuration(caller: 'theirs')['is_enabled'], 1, 'and the parent sees their changes');

$asked = [];
$tfa->setLookup(function (string $question, string $name) use (&$asked): ?array {
    $asked[] = $name;
    return null;
});
Tap::is($tfa->loginResult('example', '1'), Login::Unanswered, 'the lookup knows no account');
Tap::ok(in_array('example', $asked, true), 'it was called');
$tfa->setLookup(fn (string $question, string $name): ?array => $question === 'account' && $name === 'known' ? [] : null);
Tap::is($tfa->loginResult('known', '1'), Login::NotRequired, 'an account without details');
$log = ini_set('error_log', "$folder/log");
$tfa->setLookup(fn () => throw new RuntimeException('the directory is not available'));
Tap::is($tfa->loginResult('example', '1'), Login::Unanswered, 'a lookup that throws denies the login');
Tap::ok(str_contains(file_get_contents("$folder/log"), 'the directory is not available'), 'and is logged');
$tfa->setLookup(function () use ($tfa): ?array {
    $tfa->close();
    return null;
});
Tap::is($tfa->loginResult('example', '1'), Login::Unanswered, 'a handle that is closed inside a call');

Tap::throws(fn () => $tfa->login('example', '1'), Unavailable::class, 'closed', 'a closed handle');
$tfa->close();
Tap::throws(fn () => $tfa->whm->twofactorauth_policy_status(caller: 'root'), Unavailable::class, 'closed', 'closed twice');

$tfa = open($folder);
foreach (glob("$folder/tfa/tfa.db*") as $part) {
    file_put_contents($part, str_repeat('this is no database', 1000));
}
Tap::is($tfa->loginResult('example', $person->code()), Login::Unanswered, 'a damaged store denies the login');
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status(caller: 'root'),
    Unavailable::class,
    'is not available',
    'and is reported',
);

$tfa = Tfa::open(['create' => true, 'store' => "sqlite:$folder/other/tfa.db", 'key_file' => "$folder/other/tfa.key"]);
$resident = fn (): int => (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096;
$calls = function (int $count) use ($tfa): void {
    for ($done = 0; $done < $count; $done++) {
        $tfa->whm->twofactorauth_policy_status(caller: 'root');
        $tfa->login('example');
        Tfa::verify('GEZDGNBVGY3TQOJQ', '000000');
        Tfa::otpauth('GEZDGNBVGY3TQOJQ', 'example');
    }
};
$calls(2_500);
$before = $resident();
$calls(25_000);
Tap::ok($resident() - $before < 2_000_000, 'no leak over 100,000 calls');

Tap::done();
