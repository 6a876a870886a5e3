# Drop-in for Authen::TOTP, written from its documented behaviour: one-time codes in the style of Google Authenticator.
# What differs from the original is listed in Authen::TFA::Dropins.
package Authen::TOTP;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();

our $VERSION = '0.1.1';

my @ALPHABET = ( 'A' .. 'Z', 2 .. 7 );

# What describes the key stays with the object; the moment and the tolerance of one call do not.
my @LASTING = qw(digits period algorithm secret base32secret issuer user);

sub new {
    my ( $class, @options ) = @_;
    my $self = bless { digits => 6, period => 30, algorithm => 'SHA1', tolerance => 1 }, ref $class || $class;
    my %options = _pairs( 'new', @options );
    $self->_keep(%options);
    for my $name (qw(when tolerance)) {
        $self->{$name} = $options{$name} if defined $options{$name};
    }
    return $self;
}

sub secret {
    my ($self) = @_;
    return Authen::TFA::base32_decode( $self->base32secret );
}

sub base32secret {
    my ($self) = @_;
    $self->{base32secret} = Authen::TFA::secret( length => 32 ) if !defined $self->{base32secret};
    return $self->{base32secret};
}

sub algorithm {
    my ( $self, $algorithm ) = @_;
    $self->_keep( algorithm => $algorithm ) if defined $algorithm;
    return $self->{algorithm};
}

sub otp {
    my ( $self, $when ) = @_;
    return Authen::TFA::totp( $self->_key, time => $self->_moment($when) );
}

sub generate_otp {
    my ( $self, @options ) = @_;
    $self->_keep( _pairs( 'generate_otp', @options ) );
    _croak('generate_otp needs a user') if !defined $self->{user} || $self->{user} eq '';
    my %uri = ( account => $self->{user}, secret => $self->base32secret, map { $_ => $self->{$_} } qw(algorithm digits period) );
    $uri{issuer} = $self->{issuer} if defined $self->{issuer};
    return Authen::TFA::otpauth(%uri);
}

sub validate_otp {
    my ( $self, @options ) = @_;
    my %options = _pairs( 'validate_otp', @options );
    my $otp = delete $options{otp};
    _croak('The otp is not 6 to 8 digits') if !defined $otp || $otp !~ /\A[0-9]{6,8}\z/;
    $self->_keep(%options);
    _croak('There is no secret to check the otp with') if !defined $self->{base32secret};
    my $right = Authen::TFA::verify(
        $self->_key,
        time => $self->_moment( $options{when} ),
        skew => $self->_tolerance( $options{tolerance} ),
        code => $otp,
    );
    return $right ? 1 : undef;
}

# In one call, 1 stands for the present step alone, 2 for one either side; given to new, the number is that of steps either side.
sub _tolerance {
    my ( $self, $tolerance ) = @_;
    return $self->{tolerance} if !defined $tolerance;
    _croak('The tolerance is not a whole number') if $tolerance !~ /\A[0-9]+\z/;
    return $tolerance > 0 ? $tolerance - 1 : 0;
}

# The moment given, else the object's own, else now: asked of the clock each time.
sub _moment {
    my ( $self, $when ) = @_;
    return defined $when ? $when : defined $self->{when} ? $self->{when} : time;
}

sub _key {
    my ($self) = @_;
    return ( secret => $self->base32secret, map { $_ => $self->{$_} } qw(algorithm digits period) );
}

sub _keep {
    my ( $self, %options ) = @_;
    $options{algorithm} = _algorithm( $options{algorithm} ) if defined $options{algorithm};
    $options{base32secret} = _base32( delete $options{secret} ) if defined $options{secret};
    for my $name ( grep { defined $options{$_} } @LASTING ) {
        $self->{$name} = $options{$name};
    }
    return;
}

sub _algorithm {
    my ($name) = @_;
    my ($bits) = $name =~ /\Asha-?(1|256|512)\z/i;
    _croak('The algorithm is not SHA1, SHA256 or SHA512') if !$bits;
    return "SHA$bits";
}

sub _base32 {
    my ($bytes) = @_;
    _croak('The secret contains wide characters') if !utf8::downgrade( $bytes, 1 );
    my $bits = unpack 'B*', $bytes;
    $bits .= '0' x ( -length($bits) % 5 );
    return join '', map { $ALPHABET[ oct "0b$_" ] } $bits =~ /(.{5})/g;
}

sub _pairs {
    my $function = shift;
    return %{ $_[0] } if @_ == 1 && ref $_[0] eq 'HASH';
    _croak("$function takes name => value pairs") if @_ % 2;
    return @_;
}

sub _croak {
    require Carp;
    Carp::croak(@_);
}

1;
