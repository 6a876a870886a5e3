# Drop-in for Authen::TOTP, written from its documented behaviour: one-time codes in the style of Google Authenticator. Authen::TFA::Dropins lists what
# differs from the original.
package Authen::TOTP;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Authen::TFA::Dropin ();

our $VERSION = '0.1.1';

# The object is a hash whose fields callers read and set: digits, period, algorithm, tolerance, secret (bytes), base32secret, user, issuer.
sub new {
    my ( $class, @options ) = @_;
    my $self = bless { tolerance => 1 }, ref $class || $class;
    my %options = _pairs( 'new', @options );
    # Callers pass a secret of their site here and store the object's own for each user: as in the original, it is not used.
    $self->valid_secret( undef, $options{base32secret} );
    $self->_keep( map { $_ => $options{$_} } grep { $_ ne 'secret' && $_ ne 'base32secret' } keys %options );
    $self->valid_when( $options{when} );
    $self->valid_tolerance( $options{tolerance} );
    return $self;
}

# ---------------------------------------------------------------- fields: each method takes a value, keeps the present one without it, and returns 1

# Bytes, or Base32; a random secret when there is none yet.
sub valid_secret {
    my ( $self, $secret, $base32secret ) = @_;
    $secret = Authen::TFA::base32_decode($base32secret) if !_is_given($secret) && _is_given($base32secret);
    $secret = $self->{secret} if !_is_given($secret);
    $secret = Authen::TFA::base32_decode( Authen::TFA::secret() ) if !_is_given($secret);
    my $base32 = Authen::TFA::Dropin::encode_base32($secret);
    _croak('The secret contains wide characters') if !defined $base32;
    @{$self}{qw(secret base32secret)} = ( $secret, $base32 );
    return 1;
}

sub valid_digits {
    my ( $self, $digits ) = @_;
    return $self->_valid( digits => $digits, 6, qr/\A(?:[1-9]|10)\z/ );
}

sub valid_period {
    my ( $self, $period ) = @_;
    return $self->_valid( period => $period, 30, qr/\A[1-9][0-9]{0,8}\z/ );
}

sub valid_algorithm {
    my ( $self, $name ) = @_;
    my ($bits) = ( defined $name ? $name : '' ) =~ /\Asha-?(1|256|512)\z/i;
    _croak('The algorithm is not SHA1, SHA256 or SHA512') if _is_given($name) && !$bits;
    return $self->_valid( algorithm => $bits && "SHA$bits", 'SHA1', qr/./ );
}

sub valid_tolerance {
    my ( $self, $tolerance ) = @_;
    return $self->_valid( tolerance => $tolerance, 1, qr/\A[0-9]{1,4}\z/ );
}

# Without a moment, the clock is read each time.
sub valid_when {
    my ( $self, $when ) = @_;
    $self->{when} = $when if _is_given($when);
    return 1;
}

sub _valid {
    my ( $self, $field, $value, $default, $pattern ) = @_;
    _croak("The $field is not valid") if _is_given($value) && $value !~ $pattern;
    $self->{$field} = $value if _is_given($value);
    $self->{$field} = $default if !defined $self->{$field};
    return 1;
}

sub secret       { return $_[0]{secret} }
sub base32secret { my ($self) = @_; $self->valid_secret; return $self->{base32secret} }

sub algorithm {
    my ( $self, $algorithm ) = @_;
    $self->valid_algorithm($algorithm);
    return $self->{algorithm};
}

# ---------------------------------------------------------------- codes

sub otp {
    my ( $self, $when ) = @_;
    return Authen::TFA::totp( $self->_key, time => $self->_moment($when) );
}

sub validate_otp {
    my ( $self, @options ) = @_;
    my %options = _pairs( 'validate_otp', @options );
    my $otp = delete $options{otp};
    _croak('The otp is not 6 to 8 digits') if !defined $otp || $otp !~ /\A[0-9]{6,8}\z/;
    my $tolerance = $options{tolerance};
    _croak('The tolerance is not a whole number') if defined $tolerance && $tolerance !~ /\A[0-9]{1,4}\z/;
    $self->_keep(%options);
    return undef if length $otp != $self->{digits};
    # In one call, 1 means the present step alone, and 2 one step either side; given to new, the number is that of steps either side.
    my $skew = !defined $tolerance ? $self->{tolerance} : $tolerance > 0 ? $tolerance - 1 : 0;
    my $is_valid = Authen::TFA::verify( $self->_key, time => $self->_moment( $options{when} ), skew => $skew, code => $otp );
    return $is_valid ? 1 : undef;
}

# The URI for an authenticator. Text that the caller escaped is not escaped again.
sub generate_otp {
    my ( $self, @options ) = @_;
    $self->_keep( _pairs( 'generate_otp', @options ) );
    _croak('generate_otp needs a user') if !_is_given( $self->{user} );
    my %uri = ( account => _unescaped( $self->{user} ), secret => $self->base32secret, map { $_ => $self->{$_} } qw(algorithm digits period) );
    $uri{issuer} = _unescaped( $self->{issuer} ) if _is_given( $self->{issuer} );
    return Authen::TFA::otpauth(%uri);
}

sub _unescaped {
    my ($text) = @_;
    my $plain = $text;
    utf8::encode($plain);
    return $text if $plain !~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return utf8::decode($plain) ? $plain : $text;
}

# ---------------------------------------------------------------- what the original is made of, and callers use

# The hash of some bytes, and their HMAC with the secret, in hexadecimal, by the object's algorithm.
sub hashed {
    my ( $self, $bytes ) = @_;
    require Digest::SHA;
    return Digest::SHA->can( lc( $self->{algorithm} ) . '_hex' )->($bytes);
}

sub hmac {
    my ( $self, $bytes ) = @_;
    require Digest::SHA;
    return Digest::SHA->can( 'hmac_' . lc( $self->{algorithm} ) . '_hex' )->( $bytes, $self->{secret} );
}

# The values of some names, in their order, from a list of pairs or a hash reference.
sub process_sub_arguments {
    my ( $self, $arguments, $names ) = @_;
    my %given = ref $arguments->[0] eq 'HASH' ? %{ $arguments->[0] } : @$arguments % 2 ? () : @$arguments;
    return @given{@$names};
}

# The moment given, else the object's own, else the present.
sub _moment {
    my ( $self, $when ) = @_;
    return _is_given($when) ? $when : defined $self->{when} ? $self->{when} : time;
}

sub _key {
    my ($self) = @_;
    my @algorithm = $self->{algorithm} eq 'SHA1' ? () : ( algorithm => $self->{algorithm} );
    return ( key => $self->{secret}, ( map { $_ => $self->{$_} } qw(digits period) ), @algorithm );
}

# What describes the key stays with the object; the moment and the tolerance of one call do not.
sub _keep {
    my ( $self, %options ) = @_;
    $self->valid_secret( @options{qw(secret base32secret)} );
    $self->valid_digits( $options{digits} );
    $self->valid_period( $options{period} );
    $self->valid_algorithm( $options{algorithm} );
    for my $name ( grep { defined $options{$_} } qw(user issuer) ) {
        $self->{$name} = $options{$name};
    }
    return;
}

sub _is_given {
    my ($value) = @_;
    return defined $value && length $value;
}

sub _pairs {
    my $function = shift;
    return %{ $_[0] } if @_ == 1 && ref $_[0] eq 'HASH';
    _croak("$function takes name => value pairs") if @_ % 2;
    return @_;
}

sub _croak { goto &Authen::TFA::Dropin::croak }

1;
