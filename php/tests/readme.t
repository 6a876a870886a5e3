<?php
/* Every PHP example in README.md runs as printed, one after the other, with a configuration of the test. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$folder = folder();
application($folder);
preg_match_all('~^```php\n(.*?)^```$~ms', file_get_contents(__DIR__ . '/../README.md'), $examples);
$program = "<?php\nchdir(__DIR__);\n" . implode("\n", $examples[1]) . "echo 'The end.';";
file_put_contents("$folder/app/readme.php", $program);
$config = ['create' => true, 'store' => "sqlite:$folder/tfa/tfa.db", 'key_file' => "$folder/tfa/tfa.key", 'secret_length' => 32];
file_put_contents("$folder/tfa.json", json_encode($config));
putenv("TFA_CONFIG=$folder/tfa.json");
[$status, $output] = run("php -d zend.assertions=1 -d error_reporting=-1 -d display_errors=1 $folder/app/readme.php");
$output = explode("\n", $output);
Tap::is([$status, $output[0], end($output)], [0, 'Welcome.', 'The end.'], 'they run');
Tap::is(preg_grep('~Warning|Notice|Deprecated~', $output), [], 'without a warning');
Tap::is(count(preg_grep('~^(whm|uapi) \w+: .+~', $output)), count(TFA\Tfa::functions()), 'and print the list of functions');

Tap::done();
