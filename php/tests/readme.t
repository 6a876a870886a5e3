<?php
/* Every PHP example in README.md runs as it is printed, one after the other, with /var/lib/tfa somewhere else. */
declare(strict_types=1);

require __DIR__ . '/tap.php';

$folder = folder();
application($folder);
preg_match_all('~^```php\n(.*?)^```$~ms', file_get_contents(__DIR__ . '/../README.md'), $examples);
Tap::is(count($examples[1]), 8, 'the examples are found');
$program = "<?php\nchdir(__DIR__);\n" . implode("\n", $examples[1]) . "echo 'The end.';";
file_put_contents("$folder/app/readme.php", str_replace('/var/lib/tfa', "$folder/tfa", $program));
[$status, $said] = run("php -d zend.assertions=1 -d error_reporting=-1 -d display_errors=1 $folder/app/readme.php");
$said = explode("\n", $said);
Tap::is([$status, $said[0], end($said)], [0, 'Welcome.', 'The end.'], 'they run');
Tap::is(preg_grep('~Warning|Notice|Deprecated~', $said), [], 'without a warning');
Tap::is(count(preg_grep('~^(whm|uapi) \w+: .+~', $said)), count(TFA\Tfa::functions()), 'and print the list of functions');

Tap::done();
