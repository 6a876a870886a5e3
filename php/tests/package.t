<?php
/* The installed package: the FFI header, Composer, the search for the library, older and other libraries. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$package = dirname(__DIR__);
$repository = dirname($package);
$folder = folder();
$library = getenv('TFA_LIBRARY');

// The FFI header.
$made = shell_exec("$package/make-header --print");
Tap::is(file_get_contents("$package/src/tfa.ffi.h"), $made, 'the FFI header is up to date: run php/make-header if this fails');
$header = preg_replace('~/\*.*?\*/|//[^\n]*~s', '', file_get_contents("$package/../include/tfa.h"));
$panel = array_column(TFA\Tfa::functions(), 'symbol');
$others = array_values(array_diff(names('~\b(tfa_\w+)\s*\(~', $header), $panel));
Tap::is(names('~\b(tfa_\w+)\s*\(~', $made), $others, 'it has the functions of the C header, without those of the panel');
Tap::is(names('~\benum { (TFA_\w+)~', $made), names('~^#define (TFA_\w+) +\S~m', $header), 'and its constants');
$ffi = FFI::cdef(preg_replace('~^#.*$~m', '', $made), $library);
Tap::is($ffi->TFA_ABI_VERSION, TFA\Library::ABI_VERSION, 'FFI reads it, the library has every function, and the ABI is that of the package');
foreach (TFA\Login::cases() as $result) {
    $constant = 'TFA_' . strtoupper(preg_replace('~(?<!^)[A-Z]~', '_$0', $result->name));
    Tap::is($ffi->{$constant}, $result->value, "Login::$result->name is $constant");
}

/** @return list<string> */
function names(string $pattern, string $text): array
{
    preg_match_all($pattern, $text, $found);
    return $found[1];
}

// Composer installs the package from the repository, without a network.
application($folder);
$composer = composer($folder);
[$status, $said] = run("$composer validate --strict --no-check-publish --no-check-version $repository/composer.json");
Tap::is([$status, $said], [0, "$repository/composer.json is valid"], 'composer.json is valid');
file_put_contents("$folder/use.php", <<<'PHP'
    <?php require __DIR__ . '/app/vendor/autoload.php';
    echo TFA\Tfa::totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 59, 8), ' ', (new ReflectionClass(TFA\Tfa::class))->getFileName();
    PHP);
$installed = "$folder/app/vendor/libtfa/libtfa/php/src";
$right = "94287082 $installed/Tfa.php";

/** @return array{int, string} the status and the output of the application in an environment */
$use = fn (string $environment): array => run("env -u TFA_LIBRARY $environment php $folder/use.php");
Tap::is($use("TFA_LIBRARY=$library"), [0, $right], 'it uses the library that the environment names');
copy($library, "$installed/libtfa.so.0");
Tap::is($use(''), [0, $right], 'or the library beside it');
unlink("$installed/libtfa.so.0");
mkdir("$folder/lib");
symlink($library, "$folder/lib/libtfa.so.0");
Tap::is($use("LD_LIBRARY_PATH=$folder/lib"), [0, $right], 'or the system\'s, by its soname');
[$status, $said] = $use("TFA_LIBRARY=$folder/missing.so LD_LIBRARY_PATH=$folder/lib");
Tap::ok($status !== 0 && str_contains($said, "$folder/missing.so"), 'a named library that is missing is an error');

// Composer links the package from a path.
Tap::is(install($folder, ['type' => 'path', 'url' => $repository])[0], 0, 'Composer installs the package from a path');
Tap::is($use("TFA_LIBRARY=$library"), [0, "94287082 $package/src/Tfa.php"], 'it is used from there');

// Libraries that are made for the test: $answers is the body of each function.
$symbols = array_unique(names('~\b(tfa_\w+)\s*\(~', $made));
$build = function (int $answer, array $symbols) use ($folder): void {
    file_put_contents("$folder/other.c", implode('', array_map(fn ($name) => "unsigned $name(void) { return $answer; }\n", $symbols)));
    Tap::is(run("cc -shared -fPIC -o $folder/other.so $folder/other.c")[0], 0, 'a library is built');
};
$build(TFA\Library::ABI_VERSION + 1, $symbols);
[$status, $said] = $use("TFA_LIBRARY=$folder/other.so");
Tap::ok($status !== 0 && str_contains($said, 'libtfa has ABI 2, this package needs 1'), 'a library of another ABI is refused');
$build(TFA\Library::ABI_VERSION, ['tfa_abi_version', 'tfa_free']);
[$status, $said] = $use("TFA_LIBRARY=$folder/other.so");
Tap::ok(
    $status !== 0 && str_contains($said, 'This libtfa has no tfa_code: it is older than this package.'),
    'an older library is loaded; a function that it lacks is an error at the call',
);

Tap::done();
