# What the drop-ins for modules from CPAN share: conversions that their interfaces need, and RFC 4226's truncation over hashes that libtfa does not compute.
package Authen::TFA::Dropin;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

my @BASE32 = ( 'A' .. 'Z', 2 .. 7 );

# Croaks at the line that called the drop-in.
sub croak {
    my ($message) = @_;
    require Carp;
    local $Carp::Internal{ +__PACKAGE__ } = 1;
    local $Carp::Internal{ scalar caller } = 1;
    Carp::croak($message);
}

# Bytes as unpadded upper-case Base32 (RFC 4648 section 6).
sub encode_base32 {
    my ($bytes) = @_;
    utf8::downgrade( $bytes, 1 ) or return;
    my $bits = unpack 'B*', $bytes;
    $bits .= '0' x ( -length($bits) % 5 );
    return join '', map { $BASE32[ oct "0b$_" ] } $bits =~ /(.{5})/g;
}

# The bytes of unpadded Base32 in either case, or undef. Unlike the library, the originals refuse bits after the last whole byte.
sub decode_base32 {
    my ($text) = @_;
    return undef if $text !~ /\A[A-Za-z2-7]+\z/;
    require Authen::TFA;
    my $bytes = eval { Authen::TFA::base32_decode($text) };
    return defined $bytes && length $bytes && encode_base32($bytes) eq uc $text ? $bytes : undef;
}

# Perl's number for text that looks like one, such as '1e3'; anything else as it is, to be refused.
sub number {
    my ($value) = @_;
    require Scalar::Util;
    return !ref $value && Scalar::Util::looks_like_number($value) ? 0 + $value : $value;
}

# A counter as the eight bytes that are hashed, refused where libtfa refuses it.
sub message {
    my ($counter) = map { number($_) } @_;
    return pack 'Q>', $counter
        if Scalar::Util::looks_like_number($counter) && $counter >= 0 && $counter < 2**64 && $counter == int $counter;
    croak('The parameter "counter" is not valid: it is not a whole number from 0 to 2**64-1');
}

# HMAC (RFC 2104) over any class with Digest's interface; the block is 64 bytes, as for MD5 and SHA-1.
sub hmac {
    my ( $class, $key, $message ) = @_;
    $key = $class->new->add($key)->digest if length $key > 64;
    $key .= "\0" x ( 64 - length $key );
    my $inner = $class->new->add( $key ^ ( "\x36" x 64 ) )->add($message)->digest;
    return $class->new->add( $key ^ ( "\x5c" x 64 ) )->add($inner)->digest;
}

# The 31-bit number in an HMAC (RFC 4226 section 5.3). A hash shorter than 20 bytes may end inside it: then it is 0, as in the originals.
sub truncated {
    my ($hmac) = @_;
    my $at = ord( substr $hmac, -1 ) & 15;
    return 0 if $at + 4 > length $hmac;
    return unpack( 'N', substr $hmac, $at, 4 ) & 0x7fffffff;
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::Dropin - what the drop-ins for modules from CPAN share

=head1 DESCRIPTION

For the drop-in modules only; see L<Authen::TFA::Dropins>.

=head1 FUNCTIONS

=head2 croak

C<croak($message)> dies at the line that called the drop-in.

=head2 encode_base32

C<encode_base32($bytes)> returns unpadded upper-case Base32, or nothing for a string with wide characters.

=head2 decode_base32

C<decode_base32($text)> returns the bytes of unpadded Base32, or undef for other text.

=head2 number

C<number($value)> returns Perl's number for text that looks like one, and anything else as it is.

=head2 message

C<message($counter)> returns the counter as the eight bytes that are hashed.

=head2 hmac

C<hmac($class, $key, $message)> returns the HMAC over a class with L<Digest>'s interface.

=head2 truncated

C<truncated($hmac)> returns the 31-bit number that the digits of a code come from.

=cut
