# A handle works on both sides of fork, and the end of a child does not affect the parent.
use strict;
use warnings;

use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA qw(secret);

# One time for all codes, so that none is of another step when a step ends meanwhile.
my $now = time;
my $tfa = open_tfa();
my %secret = map { $_ => enrol( $tfa, "user$_" ) } 1 .. 8;

# Runs code in children, all at once, each with its number; gives what each printed.
sub children {
    my ( $count, $code ) = @_;
    my @children = map {
        my $number = $_;
        pipe my $reader, my $writer or die $!;
        my $pid = fork;
        die "fork: $!" if !defined $pid;
        if ( !$pid ) {
            close $reader;
            print {$writer} eval { $code->($number) } // "died: $@";
            close $writer;
            exit 0;    # not _exit: destructors run, as in a worker that ends
        }
        close $writer;
        [ $pid, $reader ];
    } 1 .. $count;
    return map {
        my ( $pid, $reader ) = @$_;
        my $said = do { local $/; <$reader> };
        waitpid $pid, 0;
        fail "child ended with $?" if $?;
        $said;
    } @children;
}

is_deeply [ children( 8, sub { $tfa->login( "user$_[0]", oath_code( $secret{ $_[0] }, $now ) ) } ) ], [ (1) x 8 ], 'eight children log in by the handle opened before';
ok !$tfa->login( 'user1', oath_code( $secret{1}, $now ) ), 'a code that a child used is used in the parent';
is $tfa->login( 'user1', oath_code( $secret{1}, $now + 60 ) ), 1, 'the handle still works in the parent';
is_deeply [ sort { $b <=> $a } map { $_ || 0 } children( 16, sub { $tfa->login( 'user2', oath_code( $secret{2}, $now + 90 ) ) || 0 } ) ], [ 1, (0) x 15 ], 'one code, sixteen children, one login';
is_deeply [ children( 2, sub { undef $tfa; 'gone' } ) ], [ 'gone', 'gone' ], 'a child may drop the handle';
is $tfa->login( 'user3', oath_code( $secret{3}, $now + 60 ) ), 1, 'and the parent keeps its own';
is_deeply [ children( 2, sub { $tfa->close; open_tfa()->twofactorauth_policy_status('root')->{is_enabled} } ) ], [ 0, 0 ], 'a child may open another';

my @entries;
my $audited = open_tfa( on_audit => sub { push @entries, $_[0]{event} } );
is_deeply [ children( 2, sub { $audited->twofactorauth_enable_policy('root'); "@entries" } ) ], [ ('policy_enabled') x 2 ], 'children receive the entries that they write';
is "@entries", '', 'and the parent does not';
$audited->twofactorauth_disable_policy('root');
is "@entries", 'policy_disabled', 'the parent receives its own';

my %seen;
$seen{$_}++ for map { split / / } children( 8, sub { join ' ', map { secret() } 1 .. 50 } );
is scalar keys %seen, 400, 'children never make the same secret';

# a grandchild, and a parent that goes first
is_deeply [ children( 1, sub { ( children( 1, sub { $tfa->login( 'user4', oath_code( $secret{4}, $now + 60 ) ) } ) )[0] } ) ], [1], 'a grandchild';

done_testing;
