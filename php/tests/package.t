<?php
/* The package as it is installed: FFI header, composer, the search for the library, the ABI check. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$package = dirname(__DIR__);
$folder = folder();
$library = getenv('TFA_LIBRARY');

// The FFI header.
$made = shell_exec("$package/make-header --print");
Tap::is(file_get_contents("$package/src/tfa.ffi.h"), $made, 'the FFI header is what make-header makes of include/tfa.h');
$header = preg_replace('~/\*.*?\*/|//[^\n]*~s', '', file_get_contents("$package/../include/tfa.h"));
$panel = array_column(TFA\Tfa::functions(), 'symbol');
$others = array_values(array_diff(names('~\b(tfa_\w+)\s*\(~', $header), $panel));
Tap::is(names('~\b(tfa_\w+)\s*\(~', $made), $others, 'it has the functions of the C header, but none of the panel\'s');
Tap::is(names('~\benum { (TFA_\w+)~', $made), names('~^#define (TFA_\w+) +\S~m', $header), 'and its constants');
$ffi = FFI::cdef(preg_replace('~^#.*$~m', '', $made), $library);
Tap::is($ffi->TFA_ABI_VERSION, TFA\Library::ABI_VERSION, 'FFI reads it, the library has every function, the ABI is ours');
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

// composer installs the package into an application of its own, without a network.
application($folder);
$composer = composer($folder);
[$status, $said] = run("$composer validate --strict --no-check-publish --no-check-version $package/composer.json");
Tap::is([$status, $said], [0, "$package/composer.json is valid"], 'composer.json is valid');
file_put_contents("$folder/app/use.php", <<<'PHP'
    <?php require __DIR__ . '/vendor/autoload.php';
    echo TFA\Tfa::totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 59, 8), ' ', (new ReflectionClass(TFA\Tfa::class))->getFileName();
    PHP);
$installed = "$folder/app/vendor/libtfa/libtfa/src";
$right = "94287082 $installed/Tfa.php";

/** @return array{int, string} what the application says in an environment */
$use = fn (string $environment): array => run("env -u TFA_LIBRARY $environment php $folder/app/use.php");
Tap::is($use("TFA_LIBRARY=$library"), [0, $right], 'it is used from there, with the library that the environment names');
copy($library, "$installed/libtfa.so.0");
Tap::is($use(''), [0, $right], 'or with the library beside it');
unlink("$installed/libtfa.so.0");
mkdir("$folder/lib");
symlink($library, "$folder/lib/libtfa.so.0");
Tap::is($use("LD_LIBRARY_PATH=$folder/lib"), [0, $right], 'or by its soname');
[$status, $said] = $use("TFA_LIBRARY=$folder/missing.so LD_LIBRARY_PATH=$folder/lib");
Tap::ok($status !== 0 && str_contains($said, "$folder/missing.so"), 'a library that is named and missing is not replaced');

// A library that has every symbol, and another ABI.
$symbols = array_unique(names('~\b(tfa_\w+)\s*\(~', $made));
file_put_contents("$folder/other.c", implode('', array_map(fn ($name) => "unsigned $name(void) { return 99; }\n", $symbols)));
Tap::is(run("cc -shared -fPIC -o $folder/other.so $folder/other.c")[0], 0, 'another library');
[$status, $said] = $use("TFA_LIBRARY=$folder/other.so");
Tap::ok($status !== 0 && str_contains($said, 'libtfa has ABI 99, this package needs 1'), 'of another ABI is refused');

Tap::done();
