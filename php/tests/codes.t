<?php
/* The stateless functions against published vectors, oathtool and a QR code reader. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

use TFA\{Refused, Tfa};

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
/** The seeds of RFC 6238 appendix B: as long as the hash. */
const SEEDS = [
    'SHA1' => SECRET,
    'SHA256' => 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA',
    'SHA512' => 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA',
];
const RFC_6238 = [
    59 => ['94287082', '46119246', '90693936'],
    1111111109 => ['07081804', '68084774', '25091201'],
    1111111111 => ['14050471', '67062674', '99943326'],
    1234567890 => ['89005924', '91819424', '93441116'],
    2000000000 => ['69279037', '90698825', '38618901'],
    20000000000 => ['65353130', '77737706', '47863826'],
];

Tap::is(
    array_map(fn (int $counter) => Tfa::hotp(SECRET, $counter), range(0, 9)),
    ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'],
    'RFC 4226 appendix D',
);
foreach (RFC_6238 as $at => $codes) {
    foreach (array_map(null, array_keys(SEEDS), SEEDS, $codes) as [$algorithm, $seed, $code]) {
        Tap::is(Tfa::totp($seed, $at, digits: 8, algorithm: $algorithm), $code, "RFC 6238 appendix B, $algorithm at $at");
    }
}

mt_srand(6238);
$differ = 0;
for ($count = 0; $count < 200; $count++) {
    $secret = Tfa::secret([16, 24, 32, 64, 128][mt_rand(0, 4)]);
    $algorithm = array_rand(SEEDS);
    [$digits, $period, $at] = [mt_rand(6, 8), [15, 30, 60][mt_rand(0, 2)], mt_rand(0, 2 ** 32)];
    $how = ["--totp=$algorithm", '--base32', "--digits=$digits", "--time-step-size={$period}s", "--now=@$at"];
    $peer = oathtool(...$how, ...[$secret]);
    $same = Tfa::totp($secret, $at, $digits, $period, $algorithm) === $peer
        && Tfa::verify($secret, $peer, $at, $digits, $period, $algorithm, 0);
    $differ += $same ? 0 : 1;
}
Tap::is($differ, 0, '200 random codes equal those of oathtool');

$now = [oathtool('--totp', '--base32', SECRET), Tfa::totp(SECRET), oathtool('--totp', '--base32', SECRET)];
Tap::ok(in_array($now[1], [$now[0], $now[2]], true), 'the default time is the present');

$code = oathtool('--totp', '--base32', '--now=@1700000000', SECRET);
foreach ([0, 1, 10] as $skew) {
    $within = fn (int $away): bool => Tfa::verify(SECRET, $code, 1700000000 + 30 * $away, skew: $skew);
    Tap::is(
        array_map($within, [-$skew - 1, -$skew, 0, $skew, $skew + 1]),
        [false, true, true, true, false],
        "a window of $skew",
    );
}
Tap::is(Tfa::verifyStep(SECRET, $code, 1700000030), intdiv(1700000000, 30), 'the step of a valid code');
Tap::is(Tfa::verifyStep(SECRET, Tfa::totp(SECRET, 0), 0), 0, 'the step can be 0');
Tap::is(Tfa::verifyStep(SECRET, '000000', 1700000000), null, 'an invalid code has none');
foreach (['', 'x', "$code\0", "\0$code", "$code\0" . '1', "$code\xFF", "{$code}1"] as $typed) {
    Tap::is(Tfa::verify(SECRET, $typed, 1700000000), false, 'other text is invalid: ' . addcslashes($typed, "\0..\37\177..\377"));
}
$typed = ' ' . wordwrap($code, 3, ' ', true);
Tap::ok(Tfa::verify(strtolower(SECRET), $typed, 1700000000), 'spaces in a code and the case of a secret are ignored');

Tap::is(Tfa::base32Decode('mzxw-6ytb oi======'), 'foobar', 'case, spaces, dashes and padding of Base32 are ignored');
Tap::is(strlen(Tfa::secret()), 32, 'a secret has 32 characters');
Tap::ok(Tfa::secret() !== Tfa::secret(), 'two secrets differ');

$bad = [
    'secret' => [
        fn () => Tfa::totp('not base32!'),
        fn () => Tfa::totp(SECRET . "\0"),
        fn () => Tfa::verify('', '123456'),
        fn () => Tfa::verify(' =', '123456'),
        fn () => Tfa::otpauth('no!', 'example'),
    ],
    'digits' => [fn () => Tfa::totp(SECRET, digits: 0), fn () => Tfa::verify(SECRET, '1', digits: 2 ** 32 + 6)],
    'period' => [fn () => Tfa::totp(SECRET, period: 0), fn () => Tfa::totp(SECRET, period: 2 ** 32 + 30)],
    'skew' => [fn () => Tfa::verify(SECRET, '1', skew: 1001), fn () => Tfa::verify(SECRET, '1', skew: -1)],
    'time' => [fn () => Tfa::totp(SECRET, -1)],
    'counter' => [fn () => Tfa::hotp(SECRET, -1)],
    'algorithm' => [fn () => Tfa::totp(SECRET, algorithm: 'MD5')],
];
foreach ($bad as $name => $calls) {
    foreach ($calls as $call) {
        Tap::throws($call, Refused::class, "\"$name\"", "an invalid $name is named");
    }
}

foreach ([300, 1024] as $bytes) {
    $long = str_repeat('GEZDGNBV', intdiv($bytes, 5)) . ['', 'GE', 'GEZA', 'GEZDG', 'GEZDGNA'][$bytes % 5];
    Tap::ok(Tfa::verify($long, Tfa::totp($long, 59), 59), "a secret of $bytes bytes is accepted");
}
Tap::throws(fn () => Tfa::totp(str_repeat('GEZDGNBV', 205)), Refused::class, '1 to 1024 bytes', 'and one of 1025 is refused');

Tap::throws(fn () => Tfa::secret(15), Refused::class, '16 to 128 characters', 'a secret of another length is refused');

$uri = Tfa::otpauth('CAOXW75HKYJJ6E5Y', 'root', 'Example Hosting');
Tap::is($uri, 'otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting', 'the plain URI');
$read = Tfa::otpauthParse(Tfa::otpauth(SECRET, 'user@example.com', 'Ex & Co', 'SHA256', 8, 60));
Tap::is(
    [$read['secret'], $read['account'], $read['issuer'], $read['algorithm'], $read['digits'], $read['period']],
    [SECRET, 'user@example.com', 'Ex & Co', 'SHA256', 8, 60],
    'a URI is parsed',
);
Tap::throws(fn () => Tfa::otpauthParse('https://example.com/'), Refused::class, '', 'another URI is refused');

$picture = folder() . '/qr.png';
file_put_contents($picture, Tfa::qr($uri, 'png'));
Tap::is(trim((string) shell_exec("zbarimg --nodbus --quiet --raw $picture")), $uri, 'a QR code reader reads the PNG');
Tap::ok(str_contains(Tfa::qr($uri), '<svg'), 'SVG');
Tap::ok(substr_count(Tfa::qr($uri, 'terminal'), "\n") > 10, 'terminal');

Tap::done();
