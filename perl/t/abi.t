# A library with another ABI number is refused when the module loads, in words that say what to do.
use strict;
use warnings;

use Config;
use File::Temp ();
use Test::More;

my $directory = File::Temp->newdir;
open my $source, '>', "$directory/other.c" or die $!;
print {$source} qq{#include <stdint.h>\nuint32_t tfa_abi_version(void) { return 99; }\n};
close $source or die $!;
is system( $Config{cc}, '-shared', '-fPIC', '-o', "$directory/other.so", "$directory/other.c" ), 0, 'a stand-in with ABI 99 is compiled';

my $said = do {
    local $ENV{LD_PRELOAD} = "$directory/other.so";
    qx{$^X -Iblib/lib -Iblib/arch -MAuthen::TFA -e 'print "loaded"' 2>&1};
};
isnt $?, 0, 'the module does not load';
like $said, qr/built for ABI [0-9]+ of libtfa, but .* has ABI 99: rebuild Authen::TFA/, 'and says why, and what to do';
unlike $said, qr/loaded$/, 'the program did not run';

done_testing;
