<?php
/* The audit callback: it receives every entry once, and cannot change a verdict. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{Login, Refused, Tfa, Unavailable};

$folder = folder();
$tfa = open($folder);
$received = [];
$tfa->setAudit(function (array $entry) use (&$received): void {
    $received[] = $entry;
});
$person = enrol($tfa, 'example');
Tap::ok(preg_match('~^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$~D', $received[0]['time']) === 1, 'an entry has its time');
unset($received[0]['time'], $received[0]['id']);
Tap::is(
    $received,
    [['event' => 'enrolled', 'subject' => 'example', 'caller' => 'example', 'function' => 'set_user_configuration']],
    'the event, the subject, the caller and the function',
);
$received = [];
$code = $person->code();
$login = ['user' => 'example', 'tfa_token' => $code, 'remote_addr' => '2001:db8::1'];
$tfa->whm->twofactorauth_verify_login($login, caller: 'root');
$tfa->whm->twofactorauth_verify_login($login, caller: 'root');
$tfa->login('theirs', enrol($tfa, 'theirs')->wrongCode());
Tap::is(array_column($received, 'event'), ['verified', 'replayed', 'enrolled', 'wrong'], 'verdicts have entries');
Tap::is(array_column($received, 'remote_addr'), ['2001:db8::1', '2001:db8::1'], 'with the address that was given');
Tap::is(array_intersect([$code, $person->secret], array_merge(...array_map('array_values', $received))), [], 'without the code');
$received = [];
Tap::throws(fn () => $tfa->whm->twofactorauth_disable_policy(caller: 'example'), Refused::class, 'authorized', 'a refusal');
Tap::is($received, [], 'has no entry');

$child = pcntl_fork();
if ($child === 0) {
    $tfa->whm->twofactorauth_enable_policy(caller: 'root');
    exit(array_column($received, 'event') === ['policy_enabled'] ? 0 : 1);
}
pcntl_waitpid($child, $status);
Tap::is([$status, $received], [0, []], 'a child receives its own entries, and its parent does not');

// When a callback throws, the change is made and the verdict stands.
ini_set('error_log', "$folder/log");
$troubles = [
    'throws' => fn () => throw new RuntimeException('the collector is not available'),
    'accepts no entry' => fn (int $entry) => null,
    'divides by zero' => fn () => 1 % 0,
    'triggers a warning' => fn () => trigger_error('a warning', E_USER_WARNING),
    'uses another handle' => fn () => open(folder()),
];
foreach ($troubles as $what => $trouble) {
    $tfa->setAudit($trouble);
    $code = $person->code();
    $verdicts = [$tfa->loginResult('example', $code), $tfa->loginResult('example', $code)];
    Tap::is($verdicts, [Login::Verified, Login::Denied], "a callback that $what changes no verdict");
}
$log = file_get_contents("$folder/log");
// Denied attempts on one subject have at most one entry a second, so the replays have between none and four.
Tap::ok(substr_count($log, 'libtfa: the audit callback failed') >= count($troubles), 'and is logged');
Tap::ok(str_contains($log, 'the audit callback failed: the collector is not available'), 'with the reason');

$tfa->setAudit(function () use ($tfa): void {
    $tfa->close();
});
Tap::is($tfa->loginResult('example', $person->code()), Login::Verified, 'a handle that is closed inside a call');
Tap::throws(fn () => $tfa->setAudit(fn () => null), Unavailable::class, 'closed', 'a closed handle');

/*
 * Exit and fatal errors end the request by a jump across the library, which PHP cannot prevent. The entry is committed by
 * then, nothing is locked, and other processes are not affected.
 */
$program = <<<'PHP'
    <?php
    require $argv[1] . '/tap.php';
    restore_error_handler();
    final class Late
    {
        public ?TFA\Tfa $tfa = null;
        public ?Late $self = null;
        public function __destruct()
        {
            try {
                $this->tfa?->whm->twofactorauth_enable_policy(caller: 'root');
            } catch (TFA\Unavailable $error) {
                echo $error->reason();
            }
        }
    }
    // Destructors run in the order in which the objects were made.
    $earlier = new Late();
    $tfa = TFA\Tfa::open(config($argv[2]));
    $tfa->setAudit(function () use ($argv): void {
        echo "called\n";
        match ($argv[3]) {
            'exit' => exit(0),
            'fatal' => eval('class Tap {}'),
            'memory' => str_repeat('x', 1 << 30),
            'before', 'after' => null,
        };
    });
    $later = new Late();
    $cycle = ['before' => $earlier, 'after' => $later][$argv[3]] ?? null;
    if ($cycle !== null) {
        $cycle->tfa = $tfa;
        $cycle->self = $cycle;
        unset($tfa, $cycle, $earlier, $later);
        exit(0);
    }
    $tfa->whm->twofactorauth_set_issuer(['issuer' => $argv[3]], caller: 'root');
    echo "not reached\n";
    PHP;
file_put_contents("$folder/program.php", $program);
$run = fn (string $what): array => run(
    'php -d display_errors=0 -d log_errors=0 -d memory_limit=64M ' . implode(' ', array_map(escapeshellarg(...), ["$folder/program.php", __DIR__, $folder, $what])),
);
foreach (['exit', 'fatal', 'memory'] as $what) {
    Tap::is($run($what), [255, 'called'], "$what in a callback ends the program");
    $tfa = open($folder);
    Tap::is($tfa->whm->twofactorauth_get_issuer(caller: 'root')['issuer'], $what, 'the change was committed, and other processes are not affected');
}
Tap::is($run('before'), [0, 'called'], 'a callback lives as long as its handle, to the end of the program');
Tap::is($run('after'), [0, 'This libtfa handle is closed: open another.'], 'a destructor that runs after that of the handle');

Tap::done();
