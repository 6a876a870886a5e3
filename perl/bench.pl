#!/usr/bin/env perl
# bench.pl: measures the module beside its peers, in one run, and prints one JSON object a line: {"name", "ours", "peer", "ratio", "target"}.
# Times are in nanoseconds; the ratio is ours to the peer's, and the target is its limit. Run after the build.
#
# Times of calls are processor time, less the time of an empty call: the minimum of many short rounds that alternate, so that other processes disturb both
# sides alike.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/blib/arch", "$FindBin::Bin/blib/lib", "$FindBin::Bin/t/lib";

use Auth::GoogleAuth;
use Authen::OATH;
use Config;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID CLOCK_MONOTONIC);

use Authen::TFA qw(verify);
use TestTFA;

my $json = JSON::PP->new->canonical;

sub report {
    my ( $name, $ours, $peer, $target ) = @_;
    my %line = ( name => $name, target => $target, ours => 0 + sprintf( '%.0f', $ours ), peer => 0 + sprintf( '%.0f', $peer ), ratio => 0 + sprintf( '%.4f', $ours / $peer ) );
    print $json->encode( \%line ), "\n";
    return;
}

# Nanoseconds of each call, given as [ calls in a round, code ] by name.
sub nanoseconds {
    my %calls = ( @_, empty => [ 20_000, sub { return } ] );
    my %best;
    for ( 1 .. 25 ) {
        for my $name ( keys %calls ) {
            my ( $count, $code ) = @{ $calls{$name} };
            my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
            $code->() for 1 .. $count;
            my $each = 1e9 * ( clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start ) / $count;
            $best{$name} = $each if !defined $best{$name} || $each < $best{$name};
        }
    }
    return { map { $_ => $best{$_} - $best{empty} } keys %best };
}

# ---------------------------------------------------------------- an invalid code, one step either side

my $secret32 = 'bv5o3disbutz4tl3';
my $key = Authen::TFA::base32_decode($secret32);
my ( $google, $oath ) = ( Auth::GoogleAuth->new, Authen::OATH->new );
my $invalid = nanoseconds(
    ours   => [ 20_000, sub { verify( key => $key, code => '000000', skew => 1 ) } ],
    google => [ 500,    sub { $google->verify( '000000', 1, $secret32 ) } ],
    oath   => [
        200,
        sub {
            my $now = time;
            for my $away ( -1 .. 1 ) {
                return 1 if $oath->totp( $key, $now + 30 * $away ) eq '000000';
            }
            return 0;
        }
    ],
);
report( 'an invalid code, range 1, beside Auth::GoogleAuth', $invalid->{ours}, $invalid->{google}, 0.02 );
report( 'an invalid code, beside a loop over Authen::OATH', $invalid->{ours}, $invalid->{oath}, 0.01 );

# ---------------------------------------------------------------- loading

# Nanoseconds of elapsed time of a process that loads a module: the minimum of many.
sub nanoseconds_to_load {
    my %best;
    for ( 1 .. 40 ) {
        for my $module (@_) {
            my $start = clock_gettime(CLOCK_MONOTONIC);
            system( $^X, ( map { "-I$FindBin::Bin/blib/$_" } qw(arch lib) ), "-M$module", '-e1' ) == 0 or die "$module does not load\n";
            my $took = 1e9 * ( clock_gettime(CLOCK_MONOTONIC) - $start );
            $best{$module} = $took if !defined $best{$module} || $took < $best{$module};
        }
    }
    return @best{@_};
}
report( 'loading the module, beside Auth::GoogleAuth', nanoseconds_to_load( 'Authen::TFA', 'Auth::GoogleAuth' ), 0.5 );

# ---------------------------------------------------------------- login, beside the C call

# Every user logs in once, half of them through C and half through Perl, on one store, in rounds that alternate.
use constant { USERS => 12_000, ROUNDS => 12 };

my %config = config( skew => 10 );
my $tfa = Authen::TFA->new(%config);
$tfa->twofactorauth_enable_policy('root');
my @users = map { "user$_" } 1 .. USERS;
while ( my @some = splice @users, 0, 1_000 ) {
    $tfa->twofactorauth_set_tfa_config_for_user( 'root', { map { $_ => { primary_account => { secret => 'GEZDGNBVGY3TQOJQ' } } } @some } );
}

my $directory = File::Temp->newdir;
my $program   = "$directory/login";
my ( $library, $include ) = ( $ENV{TFA_LIB} || "$FindBin::Bin/../target/release", $ENV{TFA_INCLUDE} || "$FindBin::Bin/../include" );
system( $Config{cc}, '-O2', '-o', $program, "$FindBin::Bin/bench/login.c", "-I$include", "$library/libtfa.so", "-Wl,-rpath,$library" ) == 0
    or die "bench/login.c does not compile\n";

open my $file, '>', "$directory/config.json" or die $!;
print {$file} $json->encode( { %config, skew => 10 } );
close $file or die $!;

my $code = oath_code( 'GEZDGNBVGY3TQOJQ', time );
my %login;
my $share = USERS / ROUNDS / 2;
for my $round ( 0 .. ROUNDS - 1 ) {
    my $first = 2 * $share * $round + 1;
    my $c = qx{$program $directory/config.json $code $first $share};
    die "a login of the C program was not accepted: $c" if $? != 0;
    my @names = map { "user$_" } $first + $share .. $first + 2 * $share - 1;
    $tfa->login('user1');    # the store is open and its pages are read, as in the C program
    my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    for my $name (@names) {
        $tfa->login( $name, $code ) == 1 or die "$name was not accepted\n";
    }
    my $perl = 1e9 * ( clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start ) / $share;
    for my $taken ( [ c => $c ], [ perl => $perl ] ) {
        my ( $name, $each ) = @$taken;
        $login{$name} = $each if !defined $login{$name} || $each < $login{$name};
    }
}
report( 'login with a valid code, beside the C call', $login{perl}, $login{c}, 1.3 );
