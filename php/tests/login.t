<?php
/* Login: what lets in, what keeps out, what a person may type; opening, closing, fork, the lookup. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{ConfigError, Login, Refused, Tfa, Unavailable};

$folder = folder();
$tfa = open($folder);

Tap::is($tfa->loginResult('example', ''), Login::NotRequired, 'not enrolled: the password is enough');
$person = enrol($tfa, 'example');
Tap::is($tfa->login('example'), false, 'asking without a code');
$code = $person->code();
Tap::is($tfa->login('example', $code), true, 'a right code lets in');
Tap::is($tfa->loginResult('example', $code), Login::Denied, 'once');
foreach (["%s\0", "%s\0junk", "\0%s", "%s\xFF"] as $typed) {
    Tap::is(
        $tfa->loginResult('example', sprintf($typed, $person->code())),
        Login::Denied,
        'a right code with something unreadable in it is wrong: ' . addcslashes($typed, "\0..\37\177..\377"),
    );
}
Tap::is($tfa->whm->twofactorauth_login_status(caller: 'root', user: 'example')['failures'], 4, 'and is counted');
$wrong = $person->wrongCode();
$tfa->login('example', $wrong);
Tap::is($tfa->loginResult('example', $wrong), Login::Locked, 'guessing locks');
Tap::is($tfa->login('example', $person->code()), false, 'also for a right code');
$tfa->whm->twofactorauth_unlock_user(caller: 'root', user: 'example');
Tap::is($tfa->login('example', $person->code()), true, 'until it is unlocked');

$recovery = $tfa->uapi->generate_recovery_codes(caller: 'example')['recovery_codes'];
Tap::is(count($recovery), 10, 'ten recovery codes');
Tap::is($tfa->login('example', $recovery[0]), true, 'a recovery code lets in');
Tap::is($tfa->login('example', $recovery[0]), false, 'once');

Tap::is($tfa->loginResult('nobody', '123456'), Login::Unanswered, 'an unknown subject is kept out');
Tap::throws(fn () => $tfa->login("example\0", '1'), Refused::class, '"subject"', 'a subject with a NUL is not cut short');
Tap::is($tfa->loginResult("example\xFF", '1'), Login::Unanswered, 'a subject that is no UTF-8');
$letIn = array_values(array_filter(Login::cases(), fn (Login $result) => $result->isAccepted()));
Tap::is($letIn, [Login::Verified, Login::NotRequired], 'who is let in');

Tap::throws(fn () => Tfa::open(['no_such_key' => 1]), ConfigError::class, 'no_such_key', 'an unknown key');
Tap::throws(fn () => Tfa::open(['skew' => 'wide'] + config($folder)), ConfigError::class, 'skew', 'a wrong type');

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
Tap::is($statuses, [0, 0, 0, 0], 'four children use the handle that was opened before the fork');
Tap::is($tfa->uapi->get_user_configuration(caller: 'theirs')['is_enabled'], 1, 'and the parent sees what they did');

$asked = [];
$tfa->setLookup(function (string $question, string $name) use (&$asked): ?array {
    $asked[] = $name;
    return null;
});
Tap::is($tfa->loginResult('example', '1'), Login::Unanswered, 'the lookup knows nobody');
Tap::ok(in_array('example', $asked, true), 'it was asked');
$tfa->setLookup(fn (string $question, string $name): ?array => $question === 'account' && $name === 'known' ? [] : null);
Tap::is($tfa->loginResult('known', '1'), Login::NotRequired, 'an account of which the lookup says nothing but that it is there');
$log = ini_set('error_log', "$folder/log");
$tfa->setLookup(fn () => throw new RuntimeException('the directory is away'));
Tap::is($tfa->loginResult('example', '1'), Login::Unanswered, 'a lookup that throws keeps out');
Tap::ok(str_contains(file_get_contents("$folder/log"), 'the directory is away'), 'and is logged');
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
Tap::is($tfa->loginResult('example', $person->code()), Login::Unanswered, 'a broken store keeps out');
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status(caller: 'root'),
    Unavailable::class,
    'is not available',
    'and says so',
);

$tfa = Tfa::open(['store' => "sqlite:$folder/other/tfa.db", 'key_file' => "$folder/other/tfa.key"]);
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
