<?php
/* A page of a web server, where PHP restricts FFI to what is preloaded: with the README's php.ini, and without. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$folder = folder();
application($folder);
mkdir("$folder/lib");
symlink(getenv('TFA_LIBRARY'), "$folder/lib/libtfa.so.0");
file_put_contents("$folder/app/page.php", str_replace('FOLDER', $folder, <<<'PHP'
    <?php require __DIR__ . '/vendor/autoload.php';
    try {
        $tfa = TFA\Tfa::open(['create' => true, 'store' => 'sqlite:FOLDER/tfa/tfa.db', 'key_file' => 'FOLDER/tfa/tfa.key']);
        $tfa->whm->twofactorauth_enable_policy(caller: 'root');
        echo $tfa->login('example', '123456') ? 'Welcome.' : 'Denied.';
    } catch (TFA\TfaError $error) {
        echo $error->getMessage();
    }
    PHP));

preg_match('~^```ini\n(.*?)^```$~ms', file_get_contents(__DIR__ . '/../README.md'), $ini);
$user = posix_getpwuid(posix_geteuid())['name'];
$installed = "$folder/app/vendor/libtfa/libtfa";
file_put_contents("$folder/php.ini", str_replace(
    ['/path/to/vendor/libtfa/libtfa', 'www-data'],
    [$installed, $user],
    $ini[1],
));
Tap::is(page($folder, "-c $folder/php.ini"), 'Welcome.', 'with the README\'s php.ini');
$answer = page($folder, '-d ffi.enable=preload');
Tap::ok(str_contains($answer, "$installed/php/src/tfa.ffi.h") && str_contains($answer, "$installed/php/preload.php"), "without: $answer");

/** The answer of page.php under PHP's own web server. */
function page(string $folder, string $settings): string
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $address = stream_socket_get_name($socket, false);
    fclose($socket);
    $server = proc_open(
        "exec env -u TFA_LIBRARY LD_LIBRARY_PATH=$folder/lib php $settings -S $address -t $folder/app",
        [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['file', "$folder/server.log", 'w']],
        $pipes,
    );
    try {
        return answer("http://$address/page.php") ?? file_get_contents("$folder/server.log");
    } finally {
        proc_terminate($server);
        proc_close($server);
    }
}

/** The page, when the server has started; null if that takes more than ten seconds. */
function answer(string $url): ?string
{
    for ($tries = 0; $tries < 200; $tries++) {
        try {
            return file_get_contents($url);
        } catch (ErrorException) {
            usleep(50_000);
        }
    }
    return null;
}

Tap::done();
