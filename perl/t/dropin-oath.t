# The drop-in for Authen::OATH: the calls of its manual page, subclasses, and each fault of the original that is corrected.
# The expected values come from the RFCs and the original; xt/oracle-oath.t compares the two at length.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;

BEGIN { dropin() }
use Authen::OATH 3.000001;

like $INC{'Authen/OATH.pm'}, qr{/dropin/}, 'this is the drop-in';
my $key = '12345678901234567890';
my $oath = Authen::OATH->new;
is_deeply [ map { $oath->$_ } qw(digits digest timestep) ], [ 6, 'Digest::SHA', 30 ], 'the defaults';
is $oath->hotp( $key, 1 ), '287082', 'hotp';
is( Authen::OATH->new( digits => 8 )->totp( $key, 59 ), '94287082', 'totp' );
is( Authen::OATH->new( { timestep => 60 } )->totp( $key, 119 ), '287082', 'a hash reference works too' );
is $oath->totp($key), $oath->totp( $key, time ), 'the present moment is the default';
is $oath->hotp( 'ab' x 16, 1 ), $oath->hotp( "\xab" x 16, 1 ), '32 hexadecimal characters are hexadecimal';
isnt $oath->hotp( 'ab' x 15, 1 ), $oath->hotp( "\xab" x 15, 1 ), '30 are not';
is( Authen::OATH->new( digest => 'Digest::MD5' )->hotp( $key, 1 ), '532013', 'any digest class works' );
is $oath->digits(8), 8, 'accessors set';
is $oath->hotp( $key, 1 ), '94287082', 'with effect';
like thrown { Authen::OATH->new( digits => 5 )->hotp( $key, 1 ) }, qr/^Must request at least 6 digits/, 'fewer than six digits';
like thrown { Authen::OATH->new( digits => 'x' ) }, qr/^Value "x" did not pass type constraint "Int" \(in \$args->\{"digits"\}\)/, 'not a number';
like thrown { $oath->timestep(undef) }, qr/^Undef did not pass type constraint "Int" \(in \$self->\{"timestep"\}\)/, 'undef';
is( Authen::OATH->new( digits => 10 )->hotp( $key, 2 ), 137359152, 'ten digits and more are a number without leading zeros' );

is $oath->hotp( $key, '1e0' ), '94287082', 'a counter in any form of a number';
{
    require Math::BigInt;
    is $oath->hotp( $key, Math::BigInt->new(1) ), '94287082', 'or as an object, as under bignum';
    is $oath->totp( $key, Math::BigInt->new(59) ), '94287082', 'so is a time';
}

# corrected faults
my %seed = ( SHA256 => substr( $key x 2, 0, 32 ), SHA512 => substr( $key x 4, 0, 64 ) );
is( Authen::OATH->new( digits => 8, digest => 'Digest::SHA256' )->totp( unpack( 'H*', $seed{SHA256} ), 59 ), '46119246', 'SHA-256 computes' );
is( Authen::OATH->new( digits => 8, digest => 'Digest::SHA512' )->totp( unpack( 'H*', $seed{SHA512} ), 59 ), '90693936', 'SHA-512 computes' );
is( Authen::OATH->new( digest => 'Digest::SHA1' )->hotp( $key, 1 ), '287082', 'so does SHA-1 by its name' );
like thrown { $oath->hotp( $_, 1 ) }, qr/^There is no secret at \Q$0\E/, 'no secret is refused' for undef, '';
like thrown { $oath->hotp( $key, $_ ) }, qr/^(?:hotp: )?The parameter "counter" is not valid/, "not a counter: $_" for -1, 1.5, 'abc', '', 2**64, '0x10';
like thrown { Authen::OATH->new( digest => 'Digest::MD5' )->hotp( $key, $_ ) }, qr/^(?:hotp: )?The parameter "counter" is not valid/, "nor with another digest: $_" for -1, 1.5, 'abc', 2**64;
like thrown { $oath->totp( $key, $_ ) }, qr/^(?:hotp: )?The parameter "counter" is not valid/, "not a time: $_" for -31, 1e30;

{
    package My::OATH;
    use base 'Authen::OATH';
    sub totp { my ( $self, @arguments ) = @_; return 'T' . $self->SUPER::totp(@arguments) }
    sub digits { 7 }
}
is( My::OATH->new->totp( $key, 59 ), 'T4287082', 'a subclass: SUPER:: works, its accessors are used' );

done_testing;
