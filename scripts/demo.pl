#!/usr/bin/env perl
# The Perl part of the demo: demo.pl CONFIG. scripts/demo runs it with the module built in perl/. It enrols another user, logs
# in, replays a code, and logs in with a recovery code, as a panel does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl/blib/lib", "$FindBin::Bin/../perl/blib/arch";
use Authen::TFA;
use JSON::PP qw(decode_json);

my ($config) = @ARGV;
open my $file, '<', $config or die "$config: $!";
my $tfa  = Authen::TFA->new( %{ decode_json( do { local $/; <$file> } ) } );
my $user = 'other';

sub show { printf "%-66s %s\n", @_ }

sub login {
    my ( $what, $code ) = @_;
    show( "\$tfa->login('$user', $what)", $tfa->login( $user, $code ) ? 'accepted' : 'denied' );
}

show( q{$tfa->twofactorauth_policy_status('root')->{is_enabled}}, $tfa->twofactorauth_policy_status('root')->{is_enabled} );

my $proposal = $tfa->generate_user_configuration($user);
eval { $tfa->set_user_configuration( $user, secret => $proposal->{secret}, tfa_token => 'invalid' ) };
show( q{$tfa->set_user_configuration('other', ..., tfa_token => 'invalid')}, "throws: $@" =~ s/\s+\z//r );

my $now = time;
$tfa->set_user_configuration(
    $user,
    secret    => $proposal->{secret},
    tfa_token => Authen::TFA::totp( secret => $proposal->{secret}, time => $now )
);
show( q{$tfa->get_user_configuration('other')->{is_enabled}}, $tfa->get_user_configuration($user)->{is_enabled} );

my $next = Authen::TFA::totp( secret => $proposal->{secret}, time => $now + 30 );
login( 'the next code',       $next );
login( 'the same code again', $next );

my ($recovery) = @{ $tfa->generate_recovery_codes($user)->{recovery_codes} };
login( 'a recovery code',    $recovery );
login( 'the same one again', $recovery );
