# A handle works in ithreads: clones share it, and it is closed with the last of them.
use strict;
use warnings;

use Config;
use Test::More;

BEGIN {
    plan skip_all => 'this Perl has no threads' if !$Config{useithreads};
    require threads;
}

use lib 't/lib';
use TestTFA;
use Authen::TFA ();

# One time for all codes, so that none is of another step when a step ends meanwhile.
my $now = time;
my $tfa = open_tfa( lookup => sub { return $_[0] eq 'account' ? { owner => 'root', domain => "$_[1].example" } : [] } );
my %secret = map { $_ => enrol( $tfa, "user$_" ) } 1 .. 4;

my @threads = map {
    my $number = $_;
    threads->create( sub { $tfa->login( "user$number", oath_code( $secret{$number}, $now ) ) } );
} 1 .. 4;
is_deeply [ map { $_->join } @threads ], [ (1) x 4 ], 'four threads log in by the handle opened before, their clones of the callback included';

is_deeply [ sort { $b <=> $a } map { $_->join } map { threads->create( sub { $tfa->login( 'user1', oath_code( $secret{1}, $now + 60 ) ) ? 1 : 0 } ) } 1 .. 8 ],
    [ 1, (0) x 7 ], 'one code, eight threads, one login';

threads->create( sub { undef $tfa; return } )->join;
is $tfa->login( 'user2', oath_code( $secret{2}, $now + 60 ) ), 1, 'a clone that is dropped leaves the others';
threads->create( sub { $tfa->close } )->join;
is $tfa->login( 'user3', oath_code( $secret{3}, $now + 60 ) ), 1, 'so does one that is closed';

my $thread = threads->create( sub { sleep 1; $tfa->login( 'user4', oath_code( $secret{4}, $now + 60 ) ) } );
undef $tfa;
is $thread->join, 1, 'a clone outlives the original';

my @entries;
my $audited = open_tfa( on_audit => sub { push @entries, $_[0]{event} } );
my ($there) = threads->create( { context => 'list' }, sub { $audited->twofactorauth_enable_policy('root'); "@entries" } )->join;
is $there, 'policy_enabled', 'the clone of the callback in the thread that writes receives the entry';
is "@entries", '', 'and no other does';
$audited->twofactorauth_disable_policy('root');
is "@entries", 'policy_disabled', 'the original receives those of its own thread';

my ($made) = threads->create( { context => 'list' }, sub { open_tfa()->twofactorauth_policy_status('root')->{is_enabled} } )->join;
is $made, 0, 'a thread opens its own';

done_testing;
