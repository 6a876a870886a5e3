<?php
/* LiveApi and the class CPANEL: the panel's answers, made as the authenticated person (contract section 11). */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{ConfigError, LiveApi};

$folder = folder();
$tfa = open($folder);
unset($_SERVER['REMOTE_USER']);
putenv('REMOTE_USER');

// The answers.
$cpanel = new LiveApi($tfa, 'theirs');
$result = fn (LiveApi $live, string $function, array $parameters = []): array =>
    $live->uapi('TwoFactorAuth', $function, $parameters)['cpanelresult']['result'];
$theirs = new Person('theirs', $result($cpanel, 'generate_user_configuration')['data']['secret']);
Tap::is(
    $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', ['secret' => $theirs->secret, 'tfa_token' => $theirs->code()]),
    ['cpanelresult' => ['apiversion' => 3, 'func' => 'set_user_configuration', 'module' => 'TwoFactorAuth', 'result' => [
        'data' => ['tfa_configured' => 1],
        'errors' => null,
        'messages' => null,
        'metadata' => [],
        'status' => 1,
        'warnings' => null,
    ]]],
    'a success',
);
Tap::ok($tfa->login('theirs', $theirs->code()), 'its effect');
$failed = $result($cpanel, 'set_user_configuration', ['secret' => $theirs->secret, 'tfa_token' => $theirs->wrongCode()]);
Tap::is(
    [$failed['status'], $failed['data'], $failed['errors'], $failed['metadata']],
    [0, null, ['The security code is invalid.'], ['reason_code' => 'invalid_code']],
    'a failure is an answer',
);

// The authenticated person, not the account, is the caller.
$mailbox = 'user@theirs.example';
$isEnrolled = fn (string $user): int => $tfa->uapi->get_user_configuration(caller: $user)['is_enabled'];
$remove = fn (LiveApi $live): array => $result($live, 'remove_user_configuration');
enrol($tfa, $mailbox);
Tap::is($remove(new LiveApi($tfa, 'theirs', $mailbox))['status'], 1, 'a mailbox removes its second factor');
Tap::is([$isEnrolled($mailbox), $isEnrolled('theirs')], [0, 1], 'and not that of the account');
foreach (['example', 'nonexistent', 'user@example.com', 'root'] as $stranger) {
    $refused = $remove(new LiveApi($tfa, 'theirs', $stranger));
    Tap::is(
        [$refused['status'], $refused['metadata'], $isEnrolled('theirs')],
        [0, ['reason_code' => 'not_authorized'], 1],
        "$stranger, who is not a subject of the account, is refused",
    );
}
$_SERVER['REMOTE_USER'] = $mailbox;
$remove(new LiveApi($tfa, 'theirs'));
Tap::is($isEnrolled('theirs'), 1, 'REMOTE_USER of the web server is the person');
unset($_SERVER['REMOTE_USER']);
putenv("REMOTE_USER=$mailbox");
$remove(new LiveApi($tfa, 'theirs'));
Tap::is($isEnrolled('theirs'), 1, 'also in the environment');

// The class CPANEL, with the configuration of the server.
file_put_contents("$folder/tfa.json", json_encode(config($folder)));
putenv("TFA_CONFIG=$folder/tfa.json");
require dirname(__DIR__) . '/cpanel.php';
$secret = TFA\Tfa::secret();
$page = function (string $token) use ($secret): array {
    // The panel's published example.
    $cpanel = new CPANEL();
    $set_user_configuration = $cpanel->uapi(
        'TwoFactorAuth',
        'set_user_configuration',
        array(
            'secret'    => $secret,
            'tfa_token' => $token,
        )
    );
    $cpanel->end();
    return $set_user_configuration['cpanelresult'];
};
Tap::is($page('000')['result']['status'], 0, 'CPANEL: a failure');
$set = $page(TFA\Tfa::totp($secret));
Tap::is(
    [$set['apiversion'], $set['module'], $set['func'], $set['result']['data']],
    [3, 'TwoFactorAuth', 'set_user_configuration', ['tfa_configured' => 1]],
    'CPANEL: a success',
);
Tap::is([$isEnrolled($mailbox), $isEnrolled('theirs')], [1, 1], 'CPANEL acts for REMOTE_USER');
CPANEL::configure($tfa, 'example');
Tap::is($page('000')['result']['metadata'], ['reason_code' => 'not_authorized'], 'not in the panel of another account');
CPANEL::configure($tfa, 'theirs');
Tap::is($remove(new CPANEL())['status'], 1, 'but in that of its own');
CPANEL::configure($tfa);
putenv('REMOTE_USER');
Tap::is($remove(new CPANEL())['metadata'], ['reason_code' => 'not_authorized'], 'without REMOTE_USER, CPANEL is refused');
Tap::is([$isEnrolled($mailbox), $isEnrolled('theirs')], [0, 1], 'and changes nothing');

// Without Composer, the file finds the package itself.
$said = run('php -r ' . escapeshellarg('require "cpanel.php"; echo get_parent_class("CPANEL"), " ", TFA\\Tfa::hotp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 0);'));
Tap::is($said, [0, 'TFA\LiveApi 755224'], 'cpanel.php alone loads the package');
CPANEL::configure();
putenv("TFA_CONFIG=$folder/missing.json");
Tap::throws(fn () => new CPANEL(), ConfigError::class, "$folder/missing.json", 'a configuration that is missing is an error');

Tap::done();
