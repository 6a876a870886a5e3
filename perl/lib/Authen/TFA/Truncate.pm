# The rare hashes that libtfa does not compute and some older modules offer: RFC 4226's truncation over any HMAC.
# Used by the drop-ins only; SHA-1, SHA-256 and SHA-512 never come here.
package Authen::TFA::Truncate;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

# The 31-bit number in an HMAC (RFC 4226 section 5.3). A hash shorter than 20 bytes may end inside it: then it is 0, as ever.
sub number {
    my ($hmac) = @_;
    my $at = ord( substr $hmac, -1 ) & 15;
    return 0 if $at + 4 > length $hmac;
    return unpack( 'N', substr $hmac, $at, 4 ) & 0x7fffffff;
}

# A counter as the eight bytes that are hashed, refused where libtfa would refuse it.
sub message {
    my ($counter) = @_;
    require Scalar::Util;
    return pack 'Q>', $counter
        if Scalar::Util::looks_like_number($counter) && $counter >= 0 && $counter < 2**64 && $counter == int $counter;
    require Carp;
    Carp::croak('The parameter "counter" is not valid: it is not a whole number from 0 to 2**64-1');
}

# HMAC (RFC 2104) over any class with Digest's interface; the block is 64 bytes, as for MD5 and SHA-1.
sub hmac {
    my ( $class, $key, $message ) = @_;
    $key = $class->new->add($key)->digest if length $key > 64;
    $key .= "\0" x ( 64 - length $key );
    my $inner = $class->new->add( $key ^ ( "\x36" x 64 ) )->add($message)->digest;
    return $class->new->add( $key ^ ( "\x5c" x 64 ) )->add($inner)->digest;
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::Truncate - one-time codes over hashes that libtfa does not have

=head1 DESCRIPTION

For the drop-in modules only; see L<Authen::TFA::Dropins>.

=head1 FUNCTIONS

=head2 hmac

C<hmac($class, $key, $message)>: HMAC over a class with L<Digest>'s interface.

=head2 message

C<message($counter)>: the counter as the eight bytes that are hashed.

=head2 number

C<number($hmac)>: the 31-bit number that a code's digits come from.

=cut
