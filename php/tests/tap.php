<?php
/*
 * Shared by the tests: TAP output, stores, persons with authenticators.
 *
 * Promises: a test that dies or triggers a warning fails. Every code comes from oathtool, an independent implementation.
 * The window is ten steps wide, so that a test can log in many times without waiting.
 */
declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'TFA\\')) {
        require __DIR__ . '/../src/' . substr($class, 4) . '.php';
    }
});

set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
});

final class Tap
{
    private static int $count = 0;

    public static function ok(bool $passed, string $name): void
    {
        echo $passed ? 'ok ' : 'not ok ', ++self::$count, " - $name\n";
    }

    public static function is(mixed $found, mixed $wanted, string $name): void
    {
        self::ok($found === $wanted, $name);
        if ($found !== $wanted) {
            $both = 'found  ' . var_export($found, true) . "\nwanted " . var_export($wanted, true);
            echo preg_replace('~^~m', '# ', $both), "\n";
        }
    }

    /** Tests that $call throws a $class whose message contains $words; returns the exception. */
    public static function throws(callable $call, string $class, string $words, string $name): ?Throwable
    {
        try {
            $call();
            self::ok(false, "$name: nothing was thrown");
            return null;
        } catch (Throwable $thrown) {
            self::is([$thrown::class, str_contains($thrown->getMessage(), $words)], [$class, true], $name);
            return $thrown;
        }
    }

    public static function done(): void
    {
        echo '1..', self::$count, "\n";
    }
}

/** A folder that is removed when the test ends. */
function folder(): string
{
    $folder = sys_get_temp_dir() . '/tfa-php-' . bin2hex(random_bytes(6));
    mkdir($folder, 0700);
    $owner = getmypid();
    register_shutdown_function(static function () use ($folder, $owner): void {
        if (getmypid() === $owner) {
            exec('rm -rf ' . escapeshellarg($folder));
        }
    });
    return $folder;
}

/** @return array<string, mixed> */
function config(string $folder): array
{
    return [
        'create' => true, 'store' => "sqlite:$folder/tfa/tfa.db",
        'key_file' => "$folder/tfa/tfa.key",
        'hostname' => 'server.example.com',
        'accounts' => ['inline' => [
            'example' => ['owner' => 'root', 'domain' => 'example.com'],
            'reseller1' => ['owner' => 'root', 'domain' => 'reseller.example', 'reseller' => 1],
            'theirs' => ['owner' => 'reseller1', 'domain' => 'theirs.example'],
        ]],
        'skew' => 10,
    ];
}

function open(string $folder): TFA\Tfa
{
    $tfa = TFA\Tfa::open(config($folder));
    $tfa->whm->twofactorauth_enable_policy(caller: 'root');
    return $tfa;
}

/** The output of oathtool with these arguments. */
function oathtool(string ...$arguments): string
{
    exec('oathtool ' . implode(' ', array_map(escapeshellarg(...), $arguments)), $lines, $status);
    if ($status !== 0) {
        throw new RuntimeException('oathtool failed: is it installed?');
    }
    return $lines[0];
}

/** A subject with an authenticator app that never shows the same code twice. */
final class Person
{
    private int $next;

    public function __construct(public readonly string $name, public readonly string $secret)
    {
        $this->next = time() - 8 * 30;
    }

    public function code(): string
    {
        $code = oathtool('--totp', '--base32', "--now=@{$this->next}", $this->secret);
        $this->next += 30;
        return $code;
    }

    /** Six digits that are not the code of any step in the window. */
    public function wrongCode(): string
    {
        $from = time() - 15 * 30;
        exec("oathtool --totp --base32 --window=30 --now=@$from " . escapeshellarg($this->secret), $right);
        for ($number = 0; in_array(sprintf('%06d', $number), $right, true); $number++);
        return sprintf('%06d', $number);
    }
}

function enrol(TFA\Tfa $tfa, string $name): Person
{
    $person = new Person($name, $tfa->uapi->generate_user_configuration(caller: $name)['secret']);
    $tfa->uapi->set_user_configuration(caller: $name, secret: $person->secret, tfa_token: $person->code());
    return $person;
}

/**
 * Runs a command.
 *
 * @return array{int, string} its status and output
 */
function run(string $command): array
{
    exec("$command 2>&1", $lines, $status);
    return [$status, implode("\n", $lines)];
}

function composer(string $folder): string
{
    return "COMPOSER_HOME=$folder/home COMPOSER_ALLOW_SUPERUSER=1 composer --no-interaction --no-ansi";
}

/** Makes an application in "$folder/app", into which Composer clones the package from a repository, without a network. */
function application(string $folder): void
{
    $package = dirname(__DIR__);
    $git = "git -c user.name=test -c user.email=test@example.com -C $folder/repository";
    [$status, $output] = run("mkdir $folder/repository && cp -r $package " . dirname($package) . "/composer.json $folder/repository"
        . " && $git init -q -b main && $git add . && $git commit -q -m package");
    if ($status === 0) {
        [$status, $output] = install($folder, ['type' => 'vcs', 'url' => "$folder/repository"]);
    }
    Tap::is($status, 0, 'Composer installs the package from a repository');
    if ($status !== 0) {
        echo preg_replace('~^~m', '# ', $output), "\n";
    }
}

/**
 * Installs the package from a repository into "$folder/app".
 *
 * @param array<string, mixed> $repository
 * @return array{int, string} Composer's status and output
 */
function install(string $folder, array $repository): array
{
    exec('rm -rf ' . escapeshellarg("$folder/app"));
    mkdir("$folder/app");
    file_put_contents("$folder/app/composer.json", json_encode([
        'repositories' => [$repository, ['packagist.org' => false]],
        'require' => ['libtfa/libtfa' => '*@dev'],
    ]));
    return run(composer($folder) . " --working-dir=$folder/app install");
}
