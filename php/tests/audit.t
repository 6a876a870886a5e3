<?php
/* The audit trail as a PHP callback: told of every line, once, and without a say in the matter. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{Login, Refused, Tfa, Unavailable};

$folder = folder();
$tfa = open($folder);
$heard = [];
$tfa->setAudit(function (array $line) use (&$heard): void {
    $heard[] = $line;
});
$person = enrol($tfa, 'example');
Tap::ok(preg_match('~^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$~D', $heard[0]['time']) === 1, 'a line has its time');
unset($heard[0]['time']);
Tap::is(
    $heard,
    [['event' => 'enrolled', 'subject' => 'example', 'caller' => 'example', 'function' => 'set_user_configuration']],
    'and says who did what to whom',
);
$heard = [];
$code = $person->code();
$login = ['user' => 'example', 'tfa_token' => $code, 'remote_addr' => '2001:db8::1'];
$tfa->whm->twofactorauth_verify_login($login, caller: 'root');
$tfa->whm->twofactorauth_verify_login($login, caller: 'root');
$tfa->login('example', $person->wrongCode());
Tap::is(array_column($heard, 'event'), ['verified', 'replayed', 'wrong'], 'verdicts are told');
Tap::is(array_column($heard, 'remote_addr'), ['2001:db8::1', '2001:db8::1'], 'with the address that was given');
Tap::is(array_intersect([$code, $person->secret], array_merge(...array_map('array_values', $heard))), [], 'without the code');
$heard = [];
Tap::throws(fn () => $tfa->whm->twofactorauth_disable_policy(caller: 'example'), Refused::class, 'authorized', 'a refusal');
Tap::is($heard, [], 'has no line');

$child = pcntl_fork();
if ($child === 0) {
    $tfa->whm->twofactorauth_enable_policy(caller: 'root');
    exit(array_column($heard, 'event') === ['policy_enabled'] ? 0 : 1);
}
pcntl_waitpid($child, $status);
Tap::is([$status, $heard], [0, []], 'a child is told of what it writes, and only the child');

// Whatever a callback throws, the change is made and the verdict stands.
ini_set('error_log', "$folder/log");
$troubles = [
    'throws' => fn () => throw new RuntimeException('the collector is away'),
    'takes no line' => fn (int $line) => null,
    'divides by zero' => fn () => 1 % 0,
    'warns, which the error handler makes an exception' => fn () => trigger_error('a warning', E_USER_WARNING),
    'asks another handle' => fn () => open(folder()),
];
foreach ($troubles as $what => $trouble) {
    $tfa->setAudit($trouble);
    $code = $person->code();
    $verdicts = [$tfa->loginResult('example', $code), $tfa->loginResult('example', $code)];
    Tap::is($verdicts, [Login::Verified, Login::Denied], "a callback that $what changes no verdict");
}
$log = file_get_contents("$folder/log");
Tap::is(substr_count($log, 'libtfa: the audit callback failed'), 8, 'and is logged');
Tap::ok(str_contains($log, 'the audit callback failed: the collector is away'), 'with the reason');

$tfa->setAudit(function () use ($tfa): void {
    $tfa->close();
});
Tap::is($tfa->loginResult('example', $code), Login::Denied, 'a handle that is closed inside a call');
Tap::throws(fn () => $tfa->setAudit(fn () => null), Unavailable::class, 'closed', 'a closed handle');

/*
 * What PHP cannot keep from crossing the library: exit and fatal errors end the request by a jump. The line was on record
 * by then, nothing is locked, and other processes go on.
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
        echo "told\n";
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
    Tap::is($run($what), [255, 'told'], "$what in a callback ends the program");
    $tfa = open($folder);
    Tap::is($tfa->whm->twofactorauth_get_issuer(caller: 'root')['issuer'], $what, 'what was told is done, and others go on');
}
Tap::is($run('before'), [0, 'told'], 'a callback lives as long as its handle, to the very end of the program');
Tap::is($run('after'), [0, 'This libtfa handle is closed: open another.'], 'a destructor that comes after the end of the handle');

Tap::done();
