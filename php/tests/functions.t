<?php
/* Every function by name, taken from the library's own list; envelopes, exceptions, LiveAPI, HTTP. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{LiveApi, Refused, Tfa};

const CONTRACT_WHM = [
    'twofactorauth_enable_policy', 'twofactorauth_disable_policy', 'twofactorauth_policy_status',
    'twofactorauth_generate_tfa_config', 'twofactorauth_set_tfa_config', 'twofactorauth_get_issuer',
    'twofactorauth_set_issuer', 'twofactorauth_get_user_configs', 'twofactorauth_remove_user_config',
    'twofactorauth_get_tfa_config_for_user', 'twofactorauth_set_tfa_config_for_user', 'twofactorauth_login_status',
    'twofactorauth_verify_login', 'twofactorauth_unlock_user', 'twofactorauth_generate_recovery_codes',
];
const CONTRACT_UAPI = [
    'generate_user_configuration', 'get_user_configuration', 'set_user_configuration', 'remove_user_configuration',
    'get_team_user_configuration', 'generate_recovery_codes',
];

$folder = folder();
$tfa = open($folder);

Tap::is(array_diff(CONTRACT_WHM, $tfa->whm->names()), [], 'every WHM function of the contract is there');
Tap::is(array_diff(CONTRACT_UAPI, $tfa->uapi->names()), [], 'every UAPI function of the contract is there');
Tap::is(
    count($tfa->whm->names()) + count($tfa->uapi->names()),
    count(Tfa::functions()),
    'the list is the library\'s',
);
Tap::ok(preg_match('~^\d+\.\d+\.\d+$~', Tfa::version()) === 1, 'a version');

Tap::is($tfa->whm->twofactorauth_policy_status(caller: 'root'), ['is_enabled' => 1], 'data');
Tap::is($tfa->whm->twofactorauth_disable_policy(caller: 'root'), null, 'a function without data');
Tap::is($tfa->whm->twofactorauth_policy_status(caller: 'root'), ['is_enabled' => 0], 'and it did what it says');
$tfa->whm->twofactorauth_enable_policy(caller: 'root');

$tfa->whm->twofactorauth_set_issuer(caller: 'root', issuer: 'Müller & Söhne ☃ 日本');
Tap::is(
    $tfa->whm->twofactorauth_get_issuer(caller: 'reseller1')['issuer'],
    'Müller & Söhne ☃ 日本',
    'text passes unchanged',
);

$person = enrol($tfa, 'example');
enrol($tfa, 'theirs');
Tap::is($tfa->uapi->get_user_configuration(caller: 'example')['is_enabled'], 1, 'enrolled');
Tap::is(
    $tfa->whm->twofactorauth_get_user_configs(caller: 'root', user: 'example'),
    ['example' => ['is_enabled' => 1, 'primary_domain' => 'example.com']],
    'a named parameter arrives',
);

$kept = $tfa->whm->twofactorauth_get_tfa_config_for_user(caller: 'root', user: 'example');
Tap::is($kept['example']['primary_account']['secret'], $person->secret, 'the secret can be read out by root');
$removed = $tfa->whm->twofactorauth_remove_user_config(['user-0' => 'example', 'user-1' => 'theirs'], caller: 'root');
Tap::is([$removed['failed'], count($removed['users_modified'])], [[], 2], 'names in an array');
Tap::is($tfa->uapi->get_user_configuration(caller: 'example')['is_enabled'], 0, 'removed');
Tap::is(
    $tfa->whm->twofactorauth_set_tfa_config_for_user($kept, caller: 'root'),
    null,
    'what one function answers, with its empty sections, the other takes',
);
Tap::ok($tfa->login('example', $person->code()), 'and the secret is back');

$refused = Tap::throws(
    fn () => $tfa->whm->twofactorauth_enable_policy(caller: 'example'),
    Refused::class,
    'You are not authorized to call "twofactorauth_enable_policy".',
    'a WHM refusal',
);
Tap::is($refused?->command, 'twofactorauth_enable_policy', 'it names the function');
Tap::is($refused?->reason(), $refused?->getMessage(), 'its reason is its message');
Tap::throws(
    fn () => $tfa->uapi->set_user_configuration(caller: 'example', secret: 'GEZDGNBVGY3TQOJQ'),
    Refused::class,
    'The parameter "tfa_token" is required.',
    'a UAPI refusal',
);
ini_set('zend.exception_ignore_args', '0');
$refused = Tap::throws(
    fn () => $tfa->uapi->set_user_configuration(caller: 'example', secret: 'GEZDGNBVGY3TQOJQ', tfa_token: '000000'),
    Refused::class,
    'The security code is invalid.',
    'a wrong code',
);
$trace = print_r($refused?->getTrace(), true);
Tap::ok(str_contains($trace, '__call') && !preg_match('~GEZDGN|000000|args~', $trace), 'no secret, no code in the stack trace');
Tap::throws(fn () => $tfa->whm->nonsense(caller: 'root'), Refused::class, 'nonsense', 'an unknown one');
Tap::throws(
    fn () => $tfa->uapi->twofactorauth_policy_status(caller: 'root'),
    Refused::class,
    'twofactorauth_policy_status',
    'a function of the other door',
);
Tap::throws(fn () => $tfa->whm->twofactorauth_policy_status(), Refused::class, 'caller', 'caller is required');
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status([], [], caller: 'root'),
    Refused::class,
    'array',
    'one array at most',
);
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status(caller: "ro\0ot"),
    Refused::class,
    '"caller"',
    'a NUL character is refused, not cut off at',
);
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status(caller: "ro\xFFot"),
    Refused::class,
    '',
    'bytes that are no UTF-8 are refused',
);
Tap::throws(
    fn () => $tfa->whm->twofactorauth_set_issuer(caller: 'root', issuer: "\xFF"),
    Refused::class,
    'UTF-8',
    'in a parameter too',
);

Tap::is(
    $tfa->whmapi1('root', 'twofactorauth_policy_status'),
    [
        'data' => ['is_enabled' => 1],
        'metadata' => ['command' => 'twofactorauth_policy_status', 'reason' => 'OK', 'result' => 1, 'version' => 1],
    ],
    'the whole WHM envelope',
);
$asked = ['cpanel_jsonapi_user' => 'example', 'cpanel_jsonapi_module' => 'TwoFactorAuth'];
$asked += ['cpanel_jsonapi_func' => 'get_user_configuration', 'cpanel_jsonapi_apiversion' => 3];
$inner = $tfa->execute('example', 'TwoFactorAuth', 'get_user_configuration');
Tap::is($tfa->whm->cpanel($asked, caller: 'root')['result'], $inner, 'UAPI through the WHM door');
$several = $tfa->whm->batch(caller: 'root', command: ['twofactorauth_policy_status', 'nonsense'])['result'];
Tap::is(array_column(array_column($several, 'metadata'), 'result'), [1, 0], 'a list as a parameter');
Tap::is($tfa->whmapi1('root', 'nonsense')['metadata']['result'], 0, 'of a failure too');

$cpanel = new LiveApi($tfa, 'theirs');
$generated = $cpanel->uapi('TwoFactorAuth', 'generate_user_configuration')['cpanelresult']['result'];
Tap::is($generated['status'], 1, 'LiveAPI generates');
$theirs = new Person('theirs', $generated['data']['secret']);
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
    'LiveAPI sets',
);
$wrong = ['secret' => $theirs->secret, 'tfa_token' => '000'];
$failed = $cpanel->uapi('TwoFactorAuth', 'set_user_configuration', $wrong)['cpanelresult']['result'];
Tap::is([$failed['status'], $failed['data']], [0, null], 'LiveAPI answers failures');
Tap::ok(is_string($failed['errors'][0]), 'with the reason');
Tap::ok($tfa->login('theirs', $theirs->code()), 'LiveAPI enrolled for real');

// The authenticated person, not the account, is the caller.
$isEnrolled = fn (string $user): int => $tfa->uapi->get_user_configuration(caller: $user)['is_enabled'];
$result = fn (LiveApi $live): array => $live->uapi('TwoFactorAuth', 'remove_user_configuration')['cpanelresult']['result'];
$mailbox = 'user@theirs.example';
Tap::is([$result(new LiveApi($tfa, 'theirs', $mailbox))['status'], $isEnrolled('theirs')], [1, 1], 'a mailbox removes its own second factor alone');
$stranger = $result(new LiveApi($tfa, 'theirs', 'example'));
Tap::is([$stranger['status'], $isEnrolled('theirs')], [0, 1], 'a subject of another account is refused');
Tap::is($stranger['metadata'], ['reason_code' => 'not_authorized'], 'with the reason code');
$_SERVER['REMOTE_USER'] = $mailbox;
Tap::is([$result(new LiveApi($tfa, 'theirs'))['status'], $isEnrolled('theirs')], [1, 1], 'REMOTE_USER is the person');
unset($_SERVER['REMOTE_USER']);

$answer = $tfa->http('root', 'GET', '/json-api/twofactorauth_policy_status?api.version=1');
Tap::is($answer->status, 200, 'HTTP status');
Tap::ok(str_starts_with($answer->contentType, 'application/json'), 'HTTP content type');
Tap::is(json_decode($answer->body, true)['data'], ['is_enabled' => 1], 'HTTP body');
$answer = $tfa->http('root', 'POST', '/json-api/twofactorauth_set_issuer?api.version=1', 'issuer=Example%20Hosting');
Tap::is($tfa->whm->twofactorauth_get_issuer(caller: 'root')['issuer'], 'Example Hosting', 'HTTP POST');
Tap::is($tfa->http('root', 'GET', '/nowhere')->status, 404, 'HTTP 404');

Tap::done();
