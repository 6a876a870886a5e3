# Drop-in for Pass::OTP: the same functions over libtfa, with their faults mended.
# Answers what the original answers, except where Authen::TFA::Dropins says otherwise, one fault at a time.
package Pass::OTP;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();
use Exporter 'import';

our $VERSION   = '1.5';
our @EXPORT_OK = qw(otp hotp totp);

my @STEAM = split //, '23456789BCDFGHJKMNPQRTVWXY';

sub hotp {
    my %options = ( counter => 0, digits => 6, algorithm => 'sha1', @_ );
    my $digits = $options{digits};
    _croak('digits is not a positive whole number') if !defined $digits || $digits !~ /\A[0-9]+\z/ || $digits < 1;
    return substr _padded( $digits, _number(%options) ), -$digits;
}

sub totp {
    my %options = ( 'start-time' => 0, period => 30, now => time, @_ );
    my $step = int( ( $options{now} - $options{'start-time'} ) / $options{period} );
    return hotp( %options, counter => $step );
}

# Steam's codes are those of the moment, whatever the type says.
sub otp {
    my %options = ( type => 'hotp', @_ );
    return _steam( totp( %options, digits => 10 ) ) if defined $options{issuer} && $options{issuer} =~ /^Steam/i;
    my $type = defined $options{type} ? $options{type} : '';
    return $type eq 'totp' ? totp(%options) : $type eq 'hotp' ? hotp(%options) : '';
}

sub _steam {
    my ($number) = @_;
    my $code = '';
    for ( 1 .. 5 ) {
        $code .= $STEAM[ $number % @STEAM ];
        $number = int( $number / @STEAM );
    }
    return $code;
}

sub _padded {
    my ( $digits, $number ) = @_;
    return sprintf '%0*d', $digits, $number;
}

# The 31-bit number that the digits come from: ten digits show all of it.
sub _number {
    my (%options) = @_;
    my $bits = _algorithm( $options{algorithm} );
    my $key  = _key(%options);
    my $counter = defined $options{counter} ? $options{counter} : 0;
    return 0 + Authen::TFA::hotp( key => $key, counter => $counter, digits => 10, algorithm => "SHA$bits" )
        if $bits != 224 && $bits != 384;
    require Digest::SHA;
    require Authen::TFA::Truncate;
    my $hmac = Digest::SHA->can("hmac_sha$bits")->( Authen::TFA::Truncate::message($counter), $key );
    return Authen::TFA::Truncate::number($hmac);
}

# As URIs write it (SHA256), as this module wrote it (sha256), or inside a longer name (HmacSHA256).
sub _algorithm {
    my ($name) = @_;
    return 1 if !defined $name || $name eq '';
    my ($bits) = $name =~ /sha-?(1|224|256|384|512)(?![0-9])/i;
    _croak("The algorithm is not SHA1, SHA224, SHA256, SHA384 or SHA512") if !$bits;
    return $bits;
}

sub _key {
    my (%options) = @_;
    my $secret = $options{secret};
    _croak('There is no secret') if !defined $secret || $secret eq '';
    return pack 'H*', $secret if !$options{base32};
    ( my $plain = $secret ) =~ tr/ //d;
    _croak('There is no secret') if $plain eq '';
    _croak('Data contains non-base32 characters') if $plain !~ /\A[A-Za-z2-7]+\z/;
    my $key = eval { Authen::TFA::base32_decode($plain) };
    _croak('Length of data invalid, or padding bits are not all zero') if !defined $key || !length $key;
    return $key;
}

sub _croak {
    require Carp;
    Carp::croak(@_);
}

1;
