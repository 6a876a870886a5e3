# The drop-in for Authen::TOTP against that module's documented behaviour: there is no package of it to compare with.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA ();

BEGIN { dropin() }
use Authen::TOTP;

like $INC{'Authen/TOTP.pm'}, qr{/dropin/}, 'this is the drop-in';
my $key = '12345678901234567890';
my $base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

my $totp = Authen::TOTP->new( secret => $key );
is $totp->secret, $key, 'the secret';
is $totp->base32secret, $base32, 'in Base32';
is $totp->algorithm, 'SHA1', 'the algorithm';
is( Authen::TOTP->new( base32secret => $base32 )->secret, $key, 'or the other way round' );
is $totp->otp(59), '287082', 'otp';
is( Authen::TOTP->new( secret => $key, digits => 8, when => 59 )->otp, '94287082', 'digits and when' );
is( Authen::TOTP->new( secret => $key, period => 60 )->otp(119), '287082', 'period' );
is( Authen::TOTP->new( secret => substr( $key x 2, 0, 32 ), digits => 8, algorithm => 'SHA256' )->otp(59), '46119246', 'SHA-256' );
is( Authen::TOTP->new( secret => substr( $key x 4, 0, 64 ), digits => 8, algorithm => 'SHA512' )->otp(59), '90693936', 'SHA-512' );

my $made = Authen::TOTP->new;
is length $made->secret, 20, 'a random secret of 20 bytes, when none is given';
is $made->secret, $made->secret, 'which stays';
isnt $made->secret, Authen::TOTP->new->secret, 'and is another each time';

my $uri = $totp->generate_otp( user => 'user@example.com', issuer => 'Example Hosting' );
my $read = Authen::TFA::otpauth_parse( otpauth_str => $uri );
is_deeply [ @{$read}{qw(type secret account issuer algorithm digits period)} ], [ 'totp', $base32, 'user@example.com', 'Example Hosting', 'SHA1', 6, 30 ], 'generate_otp gives a URI';
$uri = $totp->generate_otp( user => 'u', issuer => 'i', digits => 8, period => 60, algorithm => 'SHA256', secret => 'another secret of mine' );
$read = Authen::TFA::otpauth_parse( otpauth_str => $uri );
is_deeply [ @{$read}{qw(algorithm digits period)} ], [ 'SHA256', 8, 60 ], 'with its own parameters';
is $totp->secret, 'another secret of mine', 'which the object keeps';

# tolerance
my $now = 1_700_000_000;
my @codes = map { oath_code( $base32, $now + 30 * $_ ) } -4 .. 4;
my $accepted = sub { my ( $new, $call ) = @_; my $t = Authen::TOTP->new( base32secret => $base32, @$new ); join ' ', grep { $t->validate_otp( otp => $codes[ $_ + 4 ], when => $now, @$call ) } -4 .. 4 };
is $accepted->( [ tolerance => 0 ], [] ), '0', 'given to new, 0 is the present step';
is $accepted->( [ tolerance => 2 ], [] ), '-2 -1 0 1 2', '2 is two steps either side';
is $accepted->( [], [ tolerance => 1 ] ), '0', 'given to validate_otp, 1 is the present step';
is $accepted->( [], [ tolerance => 3 ] ), '-2 -1 0 1 2', '3 is two steps either side';
is $accepted->( [ tolerance => 3 ], [ tolerance => 2 ] ), '-1 0 1', 'the call wins';
is $accepted->( [], [] ), '-1 0 1', 'one step either side, when nothing is said';

my $check = Authen::TOTP->new;
is $check->validate_otp( otp => $codes[4], base32secret => $base32, when => $now ), 1, 'right is 1';
is $check->validate_otp( otp => '000000', base32secret => $base32, when => $now ), undef, 'wrong is undef';
is $check->validate_otp( otp => oath_code( $base32, time ) ), 1, 'when does not stick: the clock is asked again';
for my $otp ( '12345', '123456789', 'abcdef', '', undef, '123 456', "123456\n" ) {
    my $error = thrown { $check->validate_otp( otp => $otp ) };
    like $error, qr/^The otp is not 6 to 8 digits/, 'what is no code dies';
    unlike $error, qr/12345/, 'and is not repeated';
}
like thrown { Authen::TOTP->new->validate_otp( otp => '123456' ) }, qr/^There is no secret/, 'nothing is checked against a secret made up on the spot';
like thrown { Authen::TOTP->new( algorithm => 'MD5' ) }, qr/^The algorithm is not/, 'an unknown algorithm';
like thrown { $totp->validate_otp( otp => '123456', tolerance => 'x' ) }, qr/^The tolerance is not a whole number/, 'a strange tolerance';

{
    package My::TOTP;
    use base 'Authen::TOTP';
    sub otp { my ( $self, @arguments ) = @_; return 'T' . $self->SUPER::otp(@arguments) }
}
is( My::TOTP->new( secret => $key )->otp(59), 'T287082', 'a subclass' );

done_testing;
