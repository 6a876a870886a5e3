# Drop-in for Auth::GoogleAuth: the same interface over libtfa. Returns what the original returns, except for the faults that Authen::TFA::Dropins lists.
package Auth::GoogleAuth;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Authen::TFA::Dropin ();

our $VERSION = '1.10';

my @FIELDS = qw(secret secret32 issuer key_id otpauth);

sub new {
    my $class = shift;
    my $fields = @_ == 1 ? $_[0] || {} : { _pairs(@_) };
    _croak('new takes a hash reference of fields, or name => value pairs') if ref $fields ne 'HASH';
    return bless {%$fields}, ref $class || $class;
}

# ---------------------------------------------------------------- accessors: all use get and set, which subclasses override

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

# Returns the URI of the last qr_code, or a new one from the fields of the object, or from the arguments: secret32, key_id and issuer. A single argument that
# is not Base32 is stored, as by the accessor of the older versions.
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
    my $key = Authen::TFA::Dropin::decode_base32($secret32);
    _croak('Error decoding what should be base32 data') if !defined $key;
    return $key;
}

sub _encode {
    my ($bytes) = @_;
    my $secret32 = Authen::TFA::Dropin::encode_base32($bytes);
    _croak('Data contains non-bytes') if !defined $secret32;
    return lc $secret32;
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

# A code needs a secret. Without any, a new one is made and kept, so that the caller can store it.
sub _kept_secret32 {
    my ( $self, $given ) = @_;
    my $secret32 = $self->_secret32($given);
    return $secret32 if length $secret32;
    $self->secret( _decode( $self->generate_secret32 ) );
    return $self->secret32;
}

# Verification needs the secret of a user: one that is made for the call would be useless.
sub _key_to_verify {
    my ( $self, $given ) = @_;
    my $secret32 = $self->_secret32($given);
    _croak('There is no secret: set secret or secret32, or pass secret32') if !length $secret32;
    return _decode($secret32);
}

# ---------------------------------------------------------------- codes

sub code {
    my ( $self, $secret32, $timestamp, $interval ) = @_;
    my $key = _decode( $self->_kept_secret32($secret32) );
    return Authen::TFA::hotp( key => $key, counter => _step( $timestamp || time, $interval || 30 ) );
}

sub verify {
    my ( $self, $code, $range, $secret32, $timestamp, $interval ) = @_;
    $range     ||= 0;
    $timestamp ||= time;
    $interval  ||= 30;
    _croak('Range value not zero or a positive number') if $range !~ /^[0-9]+$/;
    my $key = $self->_key_to_verify($secret32);
    $code = '' if !defined $code;
    my %window = ( range => 0 + $range, timestamp => $timestamp, interval => $interval );
    return $self->_verify_each( $code, $secret32, %window ) if $self->can('code') != \&code;
    return $code =~ /\A[0-9]{6}\z/ ? _verify_window( $key, $code, %window ) : 0;
}

# By the library where its window applies, else step by step.
sub _verify_window {
    my ( $key, $code, %window ) = @_;
    my ( $range, $timestamp, $interval ) = @window{qw(range timestamp interval)};
    return Authen::TFA::verify( key => $key, code => $code, skew => $range, time => $timestamp, period => $interval ) ? 1 : 0
        if $range <= 1000 && $interval =~ /\A[0-9]{1,9}\z/ && $timestamp =~ /\A[0-9]{1,18}\z/ && $timestamp >= $range * $interval;
    my $is_valid = 0;
    for my $moment ( _moments(%window) ) {
        $is_valid |= _is_same( Authen::TFA::hotp( key => $key, counter => _step( $moment, $interval ) ), $code );
    }
    return $is_valid;
}

# By the code method of a subclass.
sub _verify_each {
    my ( $self, $code, $secret32, %window ) = @_;
    my $is_valid = 0;
    $is_valid |= _is_same( $self->code( $secret32, $_, $window{interval} ), $code ) for _moments(%window);
    return $is_valid;
}

# The moments of a window, without those before the first time step.
sub _moments {
    my (%window) = @_;
    my ( $range, $timestamp, $interval ) = @window{qw(range timestamp interval)};
    return grep { $_ / $interval > -1 } map { $timestamp + $_ * $interval } -$range .. $range;
}

sub _step {
    my ( $timestamp, $interval ) = @_;
    my $step = int( $timestamp / $interval );
    _croak('The timestamp and interval give no time step from 0 to 2**64-1') if !( $step >= 0 && $step < 2**64 );
    return $step;
}

# In a time that does not depend on where the two differ.
sub _is_same {
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

sub _make_uri {
    my ( $self, $secret32, $key_id, $issuer ) = @_;
    $self->_kept_secret32($secret32);
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

sub _croak { goto &Authen::TFA::Dropin::croak }

1;
