# What the tests share: an independent generator of one-time codes, a new store, and a way to catch an exception.
package TestTFA;

use strict;
use warnings;

use Digest::SHA ();
use Exporter 'import';
use File::Temp qw(tempdir);

use Authen::TFA ();

our @EXPORT = qw(oath_code thrown config open_tfa enrol dropin);

# RFC 6238 over RFC 4226, independent of the code under test. Time steps of 30 seconds, SHA-1, six digits.
sub oath_code {
    my ( $secret, $time ) = @_;
    my $bits = join '', map { sprintf '%05b', index 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', $_ } split //, uc $secret;
    my $key  = pack 'B*', substr $bits, 0, 8 * int( length($bits) / 8 );
    my @hmac = unpack 'C*', Digest::SHA::hmac_sha1( pack( 'Q>', int( $time / 30 ) ), $key );
    my $at   = $hmac[-1] & 15;
    my $number = unpack 'N', pack 'C4', $hmac[$at] & 127, @hmac[ $at + 1 .. $at + 3 ];
    return sprintf '%06d', $number % 1_000_000;
}

sub thrown(&) {
    my ($code) = @_;
    return eval { $code->(); 1 } ? undef : $@;
}

# A configuration with a new store. The wide window gives a test several valid codes at once, so that it need not wait.
sub config {
    my (%more) = @_;
    my $directory = tempdir( CLEANUP => 1 );    # at the end of this process, not of a child or a thread
    return ( create => 1, store => "sqlite:$directory/tfa.db", hostname => 'server.example.com', skew => 5, %more );
}

sub open_tfa { return Authen::TFA->new( config(@_) ) }

# Enables the policy and enrols an account with the oldest code that is accepted; returns its secret.
sub enrol {
    my ( $tfa, $account ) = @_;
    $tfa->twofactorauth_enable_policy('root');
    my $secret = $tfa->generate_user_configuration($account)->{secret};
    $tfa->set_user_configuration( $account, secret => $secret, tfa_token => oath_code( $secret, time - 4 * 30 ) );
    return $secret;
}

# Puts the drop-ins first in the library path.
sub dropin { unshift @INC, Authen::TFA->dropin_directory }

1;
