<?php
/* The package as it is installed: header, composer, library search, web server, the README's examples. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$package = dirname(__DIR__);
$root = dirname($package);
$folder = folder();
$library = getenv('TFA_LIBRARY');

/** Runs a command; its status and everything it printed. */
function run(string $command): array
{
    exec("$command 2>&1", $lines, $status);
    return [$status, implode("\n", $lines)];
}

$made = shell_exec(escapeshellarg("$package/make-header") . ' --print');
Tap::is(file_get_contents("$package/src/tfa.ffi.h"), $made, 'the FFI header is what make-header makes of include/tfa.h');
$functions = fn (string $text): array => preg_match_all('~\b(tfa_\w+)\s*\(~', $text, $found) ? array_unique($found[1]) : [];
$header = preg_replace('~/\*.*?\*/|//[^\n]*|^#[^\n]*~ms', '', file_get_contents("$root/include/tfa.h"));
Tap::is(array_values($functions($made)), array_values($functions($header)), 'it declares the functions of the C header');
$missing = array_filter($functions($made), fn (string $name): bool => !method_exists_in($name, $library, $made));
Tap::is($missing, [], 'the library has each of them, and FFI reads the whole header');

function method_exists_in(string $name, string $library, string $header): bool
{
    static $ffi = null;
    $ffi ??= FFI::cdef(preg_replace('~^#.*$~m', '', $header), $library);
    try {
        return $ffi->{$name} !== null;
    } catch (FFI\Exception) {
        return false;
    }
}

Tap::is(FFI::cdef(preg_replace('~^#.*$~m', '', $made), $library)->TFA_ABI_VERSION, TFA\Library::ABI_VERSION, 'ABI number of the header');

// composer installs the package into an application of its own, without a network.
mkdir("$folder/app");
file_put_contents("$folder/app/composer.json", json_encode([
    'repositories' => [['type' => 'path', 'url' => $package, 'options' => ['symlink' => false]], ['packagist.org' => false]],
    'require' => ['libtfa/libtfa' => '*@dev'],
]));
$composer = "COMPOSER_HOME=$folder/home COMPOSER_ALLOW_SUPERUSER=1 composer --no-interaction --no-ansi";
Tap::is(run("$composer validate --strict --no-check-publish --no-check-version $package/composer.json")[0], 0, 'composer.json is valid');
[$status, $said] = run("$composer --working-dir=$folder/app install");
Tap::is($status, 0, 'composer installs it');
$script = 'require "vendor/autoload.php"; echo TFA\Tfa::totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59, 8), " ", dirname((new ReflectionClass(TFA\Tfa::class))->getFileName());';
$use = "cd $folder/app && %s php -r " . escapeshellarg($script);
Tap::is(
    run(sprintf($use, "TFA_LIBRARY=$library"))[1],
    "94287082 $folder/app/vendor/libtfa/libtfa/src",
    'it is used from there, with the library that the environment names',
);
copy($library, "$folder/app/vendor/libtfa/libtfa/src/libtfa.so.0");
Tap::is(substr(run(sprintf($use, 'env -u TFA_LIBRARY'))[1], 0, 8), '94287082', 'or with the library beside it');
unlink("$folder/app/vendor/libtfa/libtfa/src/libtfa.so.0");
mkdir("$folder/lib");
symlink($library, "$folder/lib/libtfa.so.0");
Tap::is(substr(run(sprintf($use, "env -u TFA_LIBRARY LD_LIBRARY_PATH=$folder/lib"))[1], 0, 8), '94287082', 'or by its soname');
[$status, $said] = run(sprintf($use, "TFA_LIBRARY=$folder/missing.so"));
Tap::ok($status !== 0 && str_contains($said, 'TFA_LIBRARY') && str_contains($said, 'missing.so'), 'a library that is missing is named');
file_put_contents("$folder/other.c", 'unsigned tfa_abi_version(void) { return 99; }');
run("cc -shared -fPIC -o $folder/other.so $folder/other.c");
[$status, $said] = run(sprintf($use, "TFA_LIBRARY=$folder/other.so"));
Tap::ok($status !== 0 && str_contains($said, 'cannot be loaded') || str_contains($said, 'ABI 99'), 'another library is refused');

// Under a web server FFI is allowed only for what ffi.preload loaded.
file_put_contents("$folder/app/page.php", <<<'PHP'
    <?php require __DIR__ . '/vendor/autoload.php';
    try { echo TFA\Tfa::totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 59, 8); } catch (TFA\TfaError $error) { echo $error->getMessage(); }
    PHP);
$header = "$folder/app/vendor/libtfa/libtfa/src/tfa.ffi.h";
foreach (['-d ffi.preload=' . $header => '94287082', '' => 'ffi.preload'] as $setting => $wanted) {
    Tap::ok(str_contains(page("$folder/app", "$folder/lib", $setting), $wanted), "a page of a web server, $setting: $wanted");
}

/** What page.php answers under PHP's own web server. */
function page(string $folder, string $libraries, string $setting): string
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $address = stream_socket_get_name($socket, false);
    fclose($socket);
    $command = "exec env -u TFA_LIBRARY LD_LIBRARY_PATH=$libraries php -d ffi.enable=preload $setting -S $address -t $folder";
    $server = proc_open($command, [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['file', "$folder/server.log", 'a']], $pipes);
    for ($tries = 0; $tries < 100; $tries++) {
        usleep(50_000);
        try {
            $answer = file_get_contents("http://$address/page.php");
            break;
        } catch (ErrorException) {
            $answer = file_get_contents("$folder/server.log");
        }
    }
    proc_terminate($server);
    proc_close($server);
    return $answer;
}

preg_match_all('~^```php\n(.*?)^```$~ms', file_get_contents("$package/README.md"), $examples);
Tap::ok(count($examples[1]) >= 4, 'the README has examples');
$program = str_replace('/var/lib/tfa', "$folder/tfa", "<?php\n" . implode("\n", $examples[1]));
file_put_contents("$folder/app/readme.php", $program);
[$status, $said] = run("cd $folder/app && TFA_LIBRARY=$library php -d zend.assertions=1 -d assert.exception=1 -d error_reporting=-1 -d display_errors=1 readme.php");
Tap::is($status, 0, 'the README\'s examples run, one after the other');
Tap::ok(!str_contains($said, 'Warning') && str_contains($said, 'Welcome'), "and say what they should: $said");

Tap::done();
