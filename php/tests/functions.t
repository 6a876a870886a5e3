<?php
/* Every function of the library's registry by name; envelopes, exceptions, HTTP. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{Refused, Tfa};

$folder = folder();
$tfa = open($folder);

// A caller with no rights at all is refused by name, so that every function is called and changes nothing.
$unknown = [];
foreach (Tfa::functions() as $row) {
    try {
        $tfa->{$row['api']}->{$row['name']}(caller: '');
        $unknown[] = $row['name'];
    } catch (Refused $refused) {
        if ($refused->reasonCode !== 'not_authorized' || $refused->command !== $row['name']) {
            $unknown[] = $row['name'];
        }
    }
}
Tap::is($unknown, [], 'every function of the registry reaches the library under its own name');
Tap::is([...$tfa->whm->names(), ...$tfa->uapi->names()], array_column(Tfa::functions(), 'name'), 'names() lists them');
Tap::ok(preg_match('~^\d+\.\d+\.\d+$~', Tfa::version()) === 1, 'a version');

Tap::is($tfa->whm->twofactorauth_policy_status(caller: 'root'), ['is_enabled' => 1], 'data');
Tap::is($tfa->whm->twofactorauth_disable_policy(caller: 'root'), null, 'a function without data');
Tap::is($tfa->whm->twofactorauth_policy_status(caller: 'root'), ['is_enabled' => 0], 'and its effect');
$tfa->whm->twofactorauth_enable_policy(caller: 'root');

$tfa->whm->twofactorauth_set_issuer(caller: 'root', issuer: 'Müller & Söhne ☃ 日本');
Tap::is(
    $tfa->whm->twofactorauth_get_issuer(caller: 'reseller1')['issuer'],
    'Müller & Söhne ☃ 日本',
    'text is unchanged',
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
foreach ([['theirs', 'example'], ['example', 'theirs']] as $order) {
    $removed = $tfa->whm->twofactorauth_remove_user_config(['user-0' => $order[0], 'user-1' => $order[1]], caller: 'root');
    Tap::is($removed, ['failed' => [], 'users_modified' => $order], 'names in an array, answered in their order: ' . $order[0]);
}
$removed = $tfa->whm->twofactorauth_remove_user_config(['user-1' => 'theirs'], caller: 'root', user: 'example');
Tap::is($removed['users_modified'], ['theirs', 'example'], 'the array comes before the named parameters');
Tap::is($tfa->uapi->get_user_configuration(caller: 'example')['is_enabled'], 0, 'removed');
Tap::is(
    $tfa->whm->twofactorauth_set_tfa_config_for_user($kept, caller: 'root'),
    null,
    'the answer of one function, with its empty sections, is accepted by the other',
);
Tap::ok($tfa->login('example', $person->code()), 'and the secret is back');
$body = json_encode($kept);
Tap::ok(str_contains($body, '"team":[]'), 'PHP writes an empty section as a list');
$answer = $tfa->http('root', 'POST', '/json-api/twofactorauth_set_tfa_config_for_user?api.version=1', $body);
Tap::is(json_decode($answer->body, true)['metadata']['reason'], 'OK', 'which is accepted');

$refused = Tap::throws(
    fn () => $tfa->whm->twofactorauth_enable_policy(caller: 'example'),
    Refused::class,
    'You are not authorized to call "twofactorauth_enable_policy".',
    'a WHM refusal',
);
Tap::is($refused?->command, 'twofactorauth_enable_policy', 'it names the function');
Tap::is($refused?->reasonCode, 'not_authorized', 'it has the reason code');
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
Tap::is($refused?->reasonCode, 'invalid_code', 'has its reason code');
$trace = print_r($refused?->getTrace(), true);
Tap::ok(str_contains($trace, '__call') && !preg_match('~GEZDGN|000000|args~', $trace), 'the stack trace contains no secret and no code');
Tap::throws(fn () => $tfa->whm->nonsense(caller: 'root'), Refused::class, 'nonsense', 'an unknown function');
Tap::throws(
    fn () => $tfa->uapi->twofactorauth_policy_status(caller: 'root'),
    Refused::class,
    'twofactorauth_policy_status',
    'a function of the other API',
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
    'a NUL character is refused',
);
Tap::throws(
    fn () => $tfa->whm->twofactorauth_policy_status(caller: "ro\xFFot"),
    Refused::class,
    '',
    'bytes that are not UTF-8 are refused',
);
Tap::throws(
    fn () => $tfa->whm->twofactorauth_set_issuer(caller: 'root', issuer: "\xFF"),
    Refused::class,
    'UTF-8',
    'also in a parameter',
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
Tap::is($tfa->whm->cpanel($asked, caller: 'root')['result'], $inner, 'UAPI through WHM');
$several = $tfa->whm->batch(caller: 'root', command: ['twofactorauth_policy_status', 'nonsense'])['result'];
Tap::is(array_column(array_column($several, 'metadata'), 'result'), [1, 0], 'a list as a parameter');
Tap::is($tfa->whmapi1('root', 'nonsense')['metadata']['result'], 0, 'the envelope of a failure');

$answer = $tfa->http('root', 'GET', '/json-api/twofactorauth_policy_status?api.version=1');
Tap::is($answer->status, 200, 'HTTP status');
Tap::ok(str_starts_with($answer->contentType, 'application/json'), 'HTTP content type');
Tap::is(json_decode($answer->body, true)['data'], ['is_enabled' => 1], 'HTTP body');
$answer = $tfa->http('root', 'POST', '/json-api/twofactorauth_set_issuer?api.version=1', 'issuer=Example%20Hosting');
Tap::is($tfa->whm->twofactorauth_get_issuer(caller: 'root')['issuer'], 'Example Hosting', 'HTTP POST');
Tap::is($tfa->http('root', 'GET', '/nowhere')->status, 404, 'HTTP 404');

Tap::done();
