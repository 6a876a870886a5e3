# Drop-in for Auth::GoogleAuth: the same interface over libtfa, with its faults mended.
# Answers what the original answers, except where Authen::TFA::Dropins says otherwise, one fault at a time.
package Auth::GoogleAuth;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();

our $VERSION = '1.10';

my @FIELDS   = qw(secret secret32 issuer key_id otpauth);
my @ALPHABET = ( 'a' .. 'z', 2 .. 7 );

sub new {
    my $class = shift;
    my $fields = @_ == 1 ? $_[0] || {} : { _pairs(@_) };
    _croak('new takes a hash reference of fields, or name => value pairs') if ref $fields ne 'HASH';
    return bless {%$fields}, ref $class || $class;
}

# ---------------------------------------------------------------- accessors: all go through get and set, which subclasses override

sub get {
    my $self = shift;
    return $self->{ $_[0] } if @_ == 1;
    return @{$self}{@_};
}

sub set {
    my ( $self, $field, @values ) = @_;
    return $self->{$field} = @values == 1 ? $values[0] : [@values];
}

sub mk_accessors {
    my ( $class, @fields ) = @_;
    for my $field (@fields) {
        my $accessor = sub {
            my $self = shift;
            return @_ ? $self->set( $field, @_ ) : $self->get($field);
        };
        no strict 'refs';
        *{"${class}::_${field}_accessor"} = $accessor;
        *{"${class}::$field"} = $accessor if !defined &{"${class}::$field"};
    }
    return;
}

# The URI that qr_code made last, or one made now from what the object holds. With arguments: secret32, key_id and issuer to make one
# from; a lone argument that is no Base32 is stored, as the accessor of the older versions did.
sub otpauth {
    my ( $self, @arguments ) = @_;
    return $self->set( 'otpauth', @arguments ) if @arguments == 1 && $arguments[0] && $arguments[0] !~ /\A[A-Za-z2-7]+\z/;
    return $self->_make_uri(@arguments) if @arguments;
    my $stored = $self->get('otpauth');
    return $stored if defined $stored || !( $self->secret32 || $self->secret );
    return $self->_make_uri;
}

__PACKAGE__->mk_accessors(@FIELDS);

# ---------------------------------------------------------------- secrets

sub generate_secret32 {
    my ( $self, $length ) = @_;
    return $self->secret32( lc Authen::TFA::secret( length => $length || 16 ) );
}

sub clear {
    my ($self) = @_;
    $self->$_(undef) for qw(secret secret32 issuer key_id);
    $self->set( otpauth => undef );
    return;
}

sub _decode {
    my ($secret32) = @_;
    my $key = $secret32 =~ /\A[A-Za-z2-7]+\z/ ? eval { Authen::TFA::base32_decode($secret32) } : undef;
    _croak('Error decoding what should be base32 data') if !defined $key || !length $key;
    return $key;
}

sub _encode {
    my ($bytes) = @_;
    _croak('Data contains non-bytes') if !utf8::downgrade( $bytes, 1 );
    my $bits = unpack 'B*', $bytes;
    $bits .= '0' x ( -length($bits) % 5 );
    return join '', map { $ALPHABET[ oct "0b$_" ] } $bits =~ /(.{5})/g;
}

# The secret32 in force: the one given, else the object's, else made from the object's secret. Empty when there is none.
sub _secret32 {
    my ( $self, $given ) = @_;
    if ($given) {
        $self->secret32($given);
        $self->secret( _decode($given) );
    }
    elsif ( !$self->secret32 && $self->secret ) {
        $self->secret32( _encode( $self->secret ) );
    }
    return $self->secret32 || '';
}

# The key to check codes with. One that was made up on the spot would be known to nobody, so its absence is an error.
sub _key {
    my ( $self, $given ) = @_;
    my $secret32 = $self->_secret32($given);
    _croak('There is no secret: set secret or secret32, or pass secret32') if !length $secret32;
    return _decode($secret32);
}

# ---------------------------------------------------------------- codes

sub code {
    my ( $self, $secret32, $timestamp, $interval ) = @_;
    return Authen::TFA::hotp( key => $self->_key($secret32), counter => _step( $timestamp || time, $interval || 30 ) );
}

sub verify {
    my ( $self, $code, $range, $secret32, $timestamp, $interval ) = @_;
    $range     ||= 0;
    $timestamp ||= time;
    $interval  ||= 30;
    _croak('Range value not zero or a positive number') if $range !~ /^[0-9]+$/;
    my $plain = $self->can('code') == \&code;
    my $key = $plain ? $self->_key($secret32) : undef;
    $code = '' if !defined $code;

    if ( $plain && $range <= 1000 && $interval =~ /\A[0-9]{1,9}\z/ && $timestamp =~ /\A[0-9]{1,18}\z/ && $timestamp >= $range * $interval ) {
        return 0 if $code !~ /\A[0-9]{6}\z/;
        return Authen::TFA::verify( key => $key, code => $code, skew => $range, time => $timestamp, period => $interval ) ? 1 : 0;
    }
    my $right = 0;
    for my $away ( -$range .. $range ) {
        my $moment = $timestamp + $away * $interval;
        next if $moment / $interval <= -1;    # no code belongs to the time before the first step
        my $expected = $plain
            ? Authen::TFA::hotp( key => $key, counter => _step( $moment, $interval ) )
            : $self->code( $secret32, $moment, $interval );
        $right |= _same( $expected, $code );
    }
    return $right;
}

sub _step {
    my ( $timestamp, $interval ) = @_;
    my $step = int( $timestamp / $interval );
    _croak('The timestamp and interval give no time step from 0 to 2**64-1') if !( $step >= 0 && $step < 2**64 );
    return $step;
}

# In a time that does not depend on where the two differ.
sub _same {
    my ( $expected, $given ) = @_;
    return 0 if length $expected != length $given || !utf8::downgrade( $given, 1 );
    return ( "$expected" ^ "$given" ) =~ /[^\0]/ ? 0 : 1;
}

# ---------------------------------------------------------------- enrolment

sub qr_code {
    my ( $self, $secret32, $key_id, $issuer, $return_otpauth ) = @_;
    my $uri = $self->_make_uri( $secret32, $key_id, $issuer );
    return $uri if $return_otpauth;
    require MIME::Base64;
    return 'data:image/png;base64,' . MIME::Base64::encode_base64( Authen::TFA::qr( text => $uri, format => 'png' ), '' );
}

# Enrolment is where a new secret belongs: with none at hand one is generated and kept in the object for the caller to store.
sub _make_uri {
    my ( $self, $secret32, $key_id, $issuer ) = @_;
    if ( !length $self->_secret32($secret32) ) {
        $self->secret( _decode( $self->generate_secret32 ) );
    }
    $self->key_id( $key_id || $self->key_id || 'Undefined' );
    $self->issuer( $issuer || $self->issuer || 'Undefined' );
    my ( $who, $where ) = map { _escape($_) } $self->key_id, $self->issuer;
    return $self->set( otpauth => "otpauth://totp/$where:$who?secret=" . $self->secret32 . "&issuer=$where" );
}

# Bytes stay bytes; text with wide characters is escaped as UTF-8.
sub _escape {
    my ($text) = @_;
    utf8::encode($text) if !utf8::downgrade( $text, 1 );
    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

sub _pairs {
    _croak('new takes a hash reference of fields, or name => value pairs') if @_ % 2;
    return @_;
}

sub _croak {
    require Carp;
    Carp::croak(@_);
}

1;
