# Drop-in for Authen::OATH: the same interface over libtfa. Returns what the original returns, except for the faults that Authen::TFA::Dropins lists.
package Authen::OATH;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Authen::TFA::Dropin ();

our $VERSION = '3.000001';

my %DEFAULTS = ( digits => 6, digest => 'Digest::SHA', timestep => 30 );
my %IS_INTEGER = ( digits => 1, timestep => 1 );

# The hashes that libtfa computes. Digest::SHA means SHA-1, the library's default.
my %ALGORITHM = (
    'Digest::SHA'    => [],
    'Digest::SHA1'   => [],
    'Digest::SHA256' => [ algorithm => 'SHA256' ],
    'Digest::SHA512' => [ algorithm => 'SHA512' ],
);

sub new {
    my $class = shift;
    die "Single parameters to new() must be a HASH ref\n" if @_ == 1 && ref $_[0] ne 'HASH';
    die "new() takes a HASH ref or name => value pairs\n" if @_ > 1 && @_ % 2;
    my %given = @_ == 1 ? %{ $_[0] } : @_;
    my $self = bless {%DEFAULTS}, ref $class || $class;
    $self->_set( $_, $given{$_}, '$args->' ) for grep { exists $given{$_} } sort keys %DEFAULTS;
    return $self;
}

for my $field ( keys %DEFAULTS ) {
    no strict 'refs';
    *$field = sub {
        my $self = shift;
        $self->_set( $field, $_[0], '$self->' ) if @_;
        return $self->{$field};
    };
}

sub _set {
    my ( $self, $field, $value, $where ) = @_;
    my $type = $IS_INTEGER{$field} ? 'Int' : 'Str';
    my $fits = defined $value && !ref $value && ( $type eq 'Str' || $value =~ /\A-?[0-9]+\z/ );
    if ( !$fits ) {
        my $shown = defined $value ? qq{Value "$value"} : 'Undef';
        _croak(qq[$shown did not pass type constraint "$type" (in ${where}{"$field"})]);
    }
    return $self->{$field} = $value;
}

sub totp {
    my ( $self, $secret, $manual_time ) = @_;
    my $step = int( ( $manual_time || time ) / $self->timestep );
    return $self->_code( $secret, $step );
}

sub hotp {
    my ( $self, $secret, $counter ) = @_;
    return $self->_code( $secret, defined $counter ? $counter : 0 );
}

sub _code {
    my ( $self, $secret, $counter ) = @_;
    my $digits = $self->digits;
    die "Must request at least 6 digits\n" if $digits < 6;
    my $number = $self->_number( _key($secret), $counter );
    return $digits < 10 ? sprintf '%0*d', $digits, $number % 10**$digits : 0 + $number;
}

# The 31-bit number that the digits come from: ten digits show all of it.
sub _number {
    my ( $self, $key, $counter ) = @_;
    my $algorithm = $ALGORITHM{ $self->digest };
    return 0 + Authen::TFA::hotp( key => $key, counter => Authen::TFA::Dropin::number($counter), digits => 10, @$algorithm ) if $algorithm;
    my $message = Authen::TFA::Dropin::message($counter);
    return Authen::TFA::Dropin::truncated( Authen::TFA::Dropin::hmac( _digest_class( $self->digest ), $key, $message ) );
}

sub _digest_class {
    my ($class) = @_;
    _croak("$class is not the name of a digest class") if $class !~ /\A[A-Za-z_]\w*(?:::\w+)*\z/;
    ( my $file = "$class.pm" ) =~ s{::}{/}g;
    require $file if !$class->can('new');
    return $class;
}

# 32 or more characters that all look hexadecimal are hexadecimal: callers rely on it. An odd last digit is dropped.
sub _key {
    my ($secret) = @_;
    _croak('There is no secret') if !defined $secret || !length $secret;
    return $secret if $secret !~ /^([0-9A-Fa-f]{32,})$/;
    my $digits = $1;
    return pack 'H*', substr $digits, 0, 2 * int( length($digits) / 2 );
}

sub _croak { goto &Authen::TFA::Dropin::croak }

1;
