# One-time codes: the published vectors, the window, and the forms of arguments.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA qw(hotp totp verify base32_decode);
use Authen::TFA::Dropin ();

my $seed = '12345678901234567890';
my $base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

# RFC 4226, appendix D
my @hotp = qw(755224 287082 359152 969429 338314 254676 287922 162583 399871 520489);
is hotp( key => $seed, counter => $_ ), $hotp[$_], "HOTP $_" for 0 .. $#hotp;
is hotp( secret => $base32, counter => 1 ), $hotp[1], 'HOTP from Base32';

# RFC 6238, appendix B: each hash has a seed of its own length
my %seed = ( SHA1 => $seed, SHA256 => substr( $seed x 2, 0, 32 ), SHA512 => substr( $seed x 4, 0, 64 ) );
my @totp = (
    [ 59,          '94287082', '46119246', '90693936' ],
    [ 1111111109,  '07081804', '68084774', '25091201' ],
    [ 1111111111,  '14050471', '67062674', '99943326' ],
    [ 1234567890,  '89005924', '91819424', '93441116' ],
    [ 2000000000,  '69279037', '90698825', '38618901' ],
    [ 20000000000, '65353130', '77737706', '47863826' ],
);
for my $row (@totp) {
    my ( $time, %code ) = ( $row->[0], SHA1 => $row->[1], SHA256 => $row->[2], SHA512 => $row->[3] );
    for my $algorithm ( sort keys %code ) {
        my %how = ( key => $seed{$algorithm}, algorithm => $algorithm, digits => 8, time => $time );
        is totp(%how), $code{$algorithm}, "TOTP $algorithm at $time";
        ok verify( %how, code => $code{$algorithm} ), 'and it verifies';
    }
}

is totp( key => $seed, time => 59, algorithm => 'sha1' ), '287082', 'the name of a hash may be lower case';
is totp( key => $seed, time => 59.9 ), '287082', 'a moment may have a fraction, as from Time::HiRes';
is totp( key => $seed, time => '59' ), '287082', 'numbers may be strings';
is totp( key => $seed, time => 119, period => 60 ), '287082', 'the period is used';
is length totp( key => $seed, digits => $_, time => 0 ), $_, "$_ digits" for 1 .. 10;
is hotp( key => $seed, counter => '18446744073709551615' ), hotp( key => $seed, counter => ~0 ), 'the largest counter';
is totp( secret => $base32 ), oath_code( $base32, time ), 'the present moment is the default';

# the window
my $now = 1_700_000_000;
for my $skew ( 0 .. 10 ) {
    my @valid = grep { verify( secret => $base32, time => $now, skew => $skew, code => oath_code( $base32, $now + 30 * $_ ) ) } -12 .. 12;
    is_deeply \@valid, [ -$skew .. $skew ], "a skew of $skew is $skew steps either side";
}
ok verify( secret => $base32, time => $now, code => oath_code( $base32, $now + 30 ), skew => 1, step => \my $step ), 'the step is returned';
is $step, int( $now / 30 ) + 1, 'and is correct';
my $untouched = 'as it was';
ok !verify( secret => $base32, time => $now, code => '000000', step => \$untouched ), 'an invalid code is false';
is $untouched, 'as it was', 'and leaves the step alone';
ok !verify( secret => $base32, time => $now, code => $_ ), 'not a code' for '', 'abcdef', '1', '1' x 500, "\x{661}\x{662}\x{663}\x{664}\x{665}\x{666}";
ok verify( secret => $base32, time => 5, skew => 5, code => oath_code( $base32, 5 ) ), 'a window that begins before 1970';

# functions and methods alike
is( Authen::TFA->totp( key => $seed, time => 59 ), '287082', 'as a class method' );
is( Authen::TFA::totp( key => $seed, time => 59 ), '287082', 'as a function' );
ok +( Authen::TFA->verify( key => $seed, time => 59, code => '287082' ) ), 'verify as a class method';

# Base32
is base32_decode($base32), $seed, 'Base32 is decoded';
is base32_decode('gezd gnbv-gy3t qojq GEZD GNBV GY3T QOJQ===='), $seed, 'case, spaces, dashes and padding are forgiven';
like thrown { base32_decode('GEZDGNB1') }, qr/The parameter "text" is not valid: it is not Base32/, 'other characters are refused';
my $wide = "$seed\x{e9}";
utf8::upgrade($wide);
is hotp( key => $wide, counter => 1 ), hotp( key => "$seed\xe9", counter => 1 ), 'bytes are bytes, however Perl holds them';
ok utf8::is_utf8($wide), "and the caller's string is left as it was";
is hotp( key => "a\0b", counter => 1 ), hotp( key => "a\0b", counter => 1 ), 'a key may hold any byte';
isnt hotp( key => "a\0b", counter => 1 ), hotp( key => "a\0c", counter => 1 ), 'to its end';

# A secret has 1 to 1024 bytes, in every function and form.
for my $length ( 0, 1, 20, 128, 129, 300, 1024, 1025 ) {
    my $long = 'x' x $length;
    my %forms = ( key => $long, secret => Authen::TFA::Dropin::encode_base32($long) );
    my %code  = map { $_ => scalar eval { hotp( $_ => $forms{$_}, counter => 7 ) } } keys %forms;
    my $is_accepted = $length >= 1 && $length <= 1024 ? 1 : 0;
    is_deeply [ map { defined $code{$_} ? 1 : 0 } qw(key secret) ], [ $is_accepted, $is_accepted ], "a secret of $length bytes is " . ( $is_accepted ? 'accepted' : 'refused' );
    is $code{key}, $code{secret}, 'with the same code in both forms';
    for my $form ( sort keys %forms ) {
        my @step = ( $form => $forms{$form}, time => 7 * 30 );
        is scalar( eval { totp(@step) } ), $code{$form}, "$form of $length bytes: totp";
        is scalar( eval { verify( @step, code => $code{$form} || q{000000} ) ? 1 : 0 } ), $is_accepted || undef, "$form of $length bytes: verify";
    }
    is scalar( eval { Authen::TFA::otpauth( secret => $forms{secret}, account => q{x} ); 1 } ), $is_accepted || undef, "$length bytes: otpauth";
}

# Plain arguments are computed in C, others by the library's JSON functions: both do the same. Naming the algorithm takes the second way.
srand 4226;
for ( 1 .. 200 ) {
    my %how = ( key => join( '', map { chr rand 256 } 1 .. 1 + rand 70 ), time => int rand 2**33 );
    $how{digits} = 1 + int rand 10  if rand() < 0.5;
    $how{period} = 1 + int rand 100 if rand() < 0.5;
    my %same = ( %how, algorithm => 'SHA1' );
    my $code = totp(%how);
    is $code, totp(%same), 'totp: the same code';
    my @window = rand() < 0.5 ? () : ( skew => int rand 4 );
    my $away = ( int( rand 9 ) - 4 ) * ( $how{period} || 30 );
    my ( $short, $long ) = map { my $step = 'none'; ( verify( %$_, time => $how{time} + $away, code => $code, @window, step => \$step ) ? 1 : 0 ) . " $step" } \%how, \%same;
    is $short, $long, 'verify: the same verdict and step';
}

done_testing;
