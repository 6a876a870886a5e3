# The drop-in for Authen::TOTP against that module's documented behaviour: no package of it is installed to compare with.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA ();

BEGIN { dropin() }
use Authen::TOTP 0.1.1;

like $INC{'Authen/TOTP.pm'}, qr{/dropin/}, 'this is the drop-in';
my $key = '12345678901234567890';
my $base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

sub of_secret { my ( $secret, @options ) = @_; return Authen::TOTP->new( base32secret => Authen::TFA::Dropin::encode_base32($secret), @options ) }

my $totp = of_secret($key);
is $totp->secret, $key, 'the secret';
is $totp->base32secret, $base32, 'in Base32';
is $totp->algorithm, 'SHA1', 'the algorithm';
is $totp->otp(59), '287082', 'otp';
is( of_secret( $key, digits => 8, when => 59 )->otp, '94287082', 'digits and when' );
is( of_secret( $key, period => 60 )->otp(119), '287082', 'period' );
is( of_secret( substr( $key x 2, 0, 32 ), digits => 8, algorithm => 'SHA256' )->otp(59), '46119246', 'SHA-256' );
is( of_secret( substr( $key x 4, 0, 64 ), digits => 8, algorithm => 'SHA512' )->otp(59), '90693936', 'SHA-512' );

# As in the original, new does not use secret: callers pass one of their site, and store that of the object for each user.
my ( $one, $other ) = map { Authen::TOTP->new( secret => 'of the whole site' ) } 1 .. 2;
is length $_->secret, 20, 'new makes a random secret of 20 bytes' for $one, $other, Authen::TOTP->new;
isnt $one->secret, $other->secret, 'users do not share the secret that is passed to new';
is $one->{secret}, $one->secret, 'the field holds it';
is $one->{base32secret}, $one->base32secret, 'in Base32 too';
is $one->validate_otp( otp => $one->otp ), 1, 'which verifies';
$one->{secret} = $key;
is $one->otp(59), '287082', 'a field that is set counts';
is $one->base32secret, $base32, 'in Base32 too';
is( Authen::TOTP->new->validate_otp( otp => oath_code( $base32, time ), secret => $key ), 1, 'validate_otp takes a stored secret' );

my $uri = $totp->generate_otp( user => 'user@example.com', issuer => 'Example Hosting' );
my $read = Authen::TFA::otpauth_parse( otpauth_str => $uri );
is_deeply [ @{$read}{qw(type secret account issuer algorithm digits period)} ], [ 'totp', $base32, 'user@example.com', 'Example Hosting', 'SHA1', 6, 30 ], 'generate_otp gives a URI';
$uri = $totp->generate_otp( user => 'u', issuer => 'i', digits => 8, period => 60, algorithm => 'SHA256', secret => 'another secret of mine' );
$read = Authen::TFA::otpauth_parse( otpauth_str => $uri );
is_deeply [ @{$read}{qw(algorithm digits period)} ], [ 'SHA256', 8, 60 ], 'with its own parameters';
is $totp->secret, 'another secret of mine', 'which the object keeps';

for my $escaped ( [ 'a%20b', 'a b' ], [ 'user%40example.com', 'user@example.com' ], [ 'a b', 'a b' ], [ '100%', '100%' ], [ 'a%zz', 'a%zz' ], [ '%E2%98%BA', "\x{263a}" ], [ '%ff', '%ff' ], [ "\x{263a} ", "\x{263a} " ] ) {
    my ( $given, $means ) = @$escaped;
    $uri = Authen::TOTP->new->generate_otp( user => $given, issuer => $given );
    is_deeply [ @{ Authen::TFA::otpauth_parse( otpauth_str => $uri ) }{qw(account issuer)} ], [ $means, $means ], 'text is escaped once: ' . sprintf '%vd', $given;
}
like thrown { Authen::TOTP->new->generate_otp( issuer => 'i' ) }, qr/^generate_otp needs a user at \Q$0\E/, 'without a user it dies';

# tolerance
my $now = 1_700_000_000;
my @codes = map { oath_code( $base32, $now + 30 * $_ ) } -4 .. 4;
my $accepted = sub { my ( $new, $call ) = @_; my $t = Authen::TOTP->new( base32secret => $base32, @$new ); join ' ', grep { $t->validate_otp( otp => $codes[ $_ + 4 ], when => $now, @$call ) } -4 .. 4 };
is $accepted->( [ tolerance => 0 ], [] ), '0', 'given to new, 0 is the present step';
is $accepted->( [ tolerance => 2 ], [] ), '-2 -1 0 1 2', '2 is two steps either side';
is $accepted->( [], [ tolerance => 1 ] ), '0', 'given to validate_otp, 1 is the present step';
is $accepted->( [], [ tolerance => 3 ] ), '-2 -1 0 1 2', '3 is two steps either side';
is $accepted->( [ tolerance => 3 ], [ tolerance => 2 ] ), '-1 0 1', 'that of the call counts';
is $accepted->( [], [] ), '-1 0 1', 'one step either side by default';

my $check = Authen::TOTP->new;
is $check->validate_otp( otp => $codes[4], base32secret => $base32, when => $now ), 1, 'a valid code is 1';
is $check->validate_otp( otp => '000000', base32secret => $base32, when => $now ), undef, 'an invalid one is undef';
is $check->validate_otp( otp => oath_code( $base32, time ) ), 1, 'when does not stay: the clock is read again';
for my $otp ( '12345', '123456789', 'abcdef', '', undef, '123 456', "123456\n" ) {
    my $error = thrown { $check->validate_otp( otp => $otp ) };
    like $error, qr/^The otp is not 6 to 8 digits/, 'text that is not a code dies';
    unlike $error, qr/12345/, 'and is not in the message';
}
is( Authen::TOTP->new->validate_otp( otp => '123456' ), undef, 'no code is valid for a secret that only the object has' );
like thrown { Authen::TOTP->new( algorithm => 'MD5' ) }, qr/^The algorithm is not/, 'an unknown algorithm';
like thrown { $totp->validate_otp( otp => '123456', tolerance => 'x' ) }, qr/^The tolerance is not a whole number/, 'a tolerance that is not a number';

{
    package My::TOTP;
    use base 'Authen::TOTP';
    sub otp { my ( $self, @arguments ) = @_; return 'T' . $self->SUPER::otp(@arguments) }
}
is( My::TOTP->new( base32secret => $base32 )->otp(59), 'T287082', 'a subclass' );

# The methods that the original is made of.
my $parts = Authen::TOTP->new;
ok $parts->valid_secret($key), 'valid_secret';
is $parts->base32secret, $base32, 'takes bytes';
ok $parts->valid_secret( undef, lc $base32 ), 'or Base32';
is $parts->secret, $key, 'in lower case too';
my %fields = ( digits => [ 8, 8 ], period => [ 60, 60 ], algorithm => [ 'sha256', 'SHA256' ], tolerance => [ 0, 0 ], when => [ 59, 59 ] );
for my $field ( sort keys %fields ) {
    my ( $given, $kept ) = @{ $fields{$field} };
    my $method = "valid_$field";
    is $parts->$method($given), 1, "$method returns 1";
    is $parts->{$field}, $kept, 'and sets the field';
    is $parts->$method, 1, 'without a value it returns 1 too';
    is $parts->{$field}, $kept, 'and leaves the field alone';
}
like thrown { $parts->valid_digits(11) }, qr/^The digits is not valid at \Q$0\E/, 'a value out of range is refused';
is( $parts->hashed('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hashed, by the algorithm of the object' );
is( $parts->hmac('abc'), Digest::SHA::hmac_sha256_hex( 'abc', $key ), 'hmac' );
is_deeply [ $parts->process_sub_arguments( [ b => 2, a => 1 ], [qw(a b c)] ) ], [ 1, 2, undef ], 'process_sub_arguments, from pairs';
is_deeply [ $parts->process_sub_arguments( [ { b => 2, a => 1 } ], [qw(b a)] ) ], [ 2, 1 ], 'or a hash reference';

done_testing;
