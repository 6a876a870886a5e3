# The audit trail as a Perl callback: it receives every entry once, and cannot change the outcome.
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Test::More;
use TestTFA;

{
    package False;    # an exception that is false, and that dies when it is read
    use overload bool => sub { 0 }, '""' => sub { die "do not read\n" };
}

my @entries;
my $tfa = open_tfa( on_audit => sub { push @entries, $_[0] } );
my $secret = enrol( $tfa, 'jürgen' );
is_deeply [ map { $_->{event} } @entries ], [qw(policy_enabled enrolled)], 'the callback receives changes';
like delete $entries[1]{time}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, 'with their time';
cmp_ok delete $entries[1]{id}, '>', $entries[0]{id}, 'and their numbers';
is_deeply $entries[1], { event => 'enrolled', subject => 'jürgen', caller => 'jürgen', function => 'set_user_configuration' }, 'in characters';

@entries = ();
my %login = ( user => 'jürgen', tfa_token => oath_code( $secret, time ), remote_addr => '2001:db8::1' );
$tfa->twofactorauth_verify_login( 'root', %login ) for 1 .. 2;
is_deeply [ map { "@{$_}{qw(event subject caller function remote_addr)}" } @entries ],
    [ map { "$_ jürgen root twofactorauth_verify_login 2001:db8::1" } qw(verified replayed) ], 'and verdicts, with the address';
ok !( grep { $_ eq $secret || $_ eq $login{tfa_token} } map { values %$_ } @entries ), 'and without the code';
@entries = ();
enrol( $tfa, 'example' );
@entries = ();
ok !$tfa->login( 'example', 'x' ), 'an invalid code';
is "$entries[0]{event} $entries[0]{function}", 'wrong tfa_login', 'is an entry too';
@entries = ();
eval { $tfa->twofactorauth_enable_policy('jürgen') };
is_deeply \@entries, [], 'a refused call changes nothing, and has no entry';

# Whatever a callback does, the change and the verdict are unaffected, and no exception or jump crosses the library.
my $tested;
our $is_inside;
my %behaviour = (
    'returns nothing'               => sub { return },
    'returns a list'                => sub { return ( 0, undef, -1 ) },
    'dies'                          => sub { die "the collector is away\n" },
    'dies of something false'       => sub { die bless [], 'False' },
    'leaves a loop'                 => sub { no warnings 'exiting'; last },
    'jumps out'                => sub { goto ELSEWHERE },
    'changes the entry'              => sub { %{ $_[0] } = ( event => 'nothing' ); $_[0] = undef },
    'changes $@ and $!'             => sub { $@ = 'theirs'; $! = 5 },
    'has a signal handler that dies' => sub { local $SIG{USR1} = sub { die "interrupted\n" }; kill USR1 => $$ },
    'uses another object'           => sub { $tfa->login('jürgen') },
    'uses the same object'          => sub { return if $is_inside; local $is_inside = 1; $tested->login( 'example', 'x' ) },
    'forks'                         => sub { my $child = fork; exit 0 if !$child && defined $child; waitpid $child, 0 },
);
for my $what ( sort keys %behaviour ) {
    my ( $count, @verdicts, @warnings ) = (0);
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $tested = undef;
    $tested = open_tfa( on_audit => sub { $count++; $behaviour{$what}->(@_) } );
    my $its = enrol( $tested, 'example' );
    my $code = oath_code( $its, time );
    for ( $code, $code ) {
        $@ = 'mine';
        push @verdicts, 0 + $tested->login( 'example', $_ );
    }
    is "@verdicts $@", '1 0 mine', "a callback that $what: verdicts and exceptions are unaffected";
    cmp_ok $count, '>=', 4, "a callback that $what: it received all entries";
    like "@warnings", qr/the audit callback failed: the collector is away/, 'the exception becomes a warning' if $what eq 'dies';
}
ELSEWHERE:

{
    local $SIG{__WARN__} = sub { die "fatal: @_" };
    my $failing = open_tfa( on_audit => sub { die "away\n" } );
    ok $failing->twofactorauth_enable_policy('root'), 'a warning handler that dies does not unwind the library';
    is $failing->twofactorauth_policy_status('root')->{is_enabled}, 1, 'and the change is made';
}

my $doomed;
$doomed = open_tfa( on_audit => sub { $doomed->close if $doomed; undef $doomed } );
is_deeply $doomed->twofactorauth_enable_policy('root'), {}, 'a callback may close its object';
is $doomed, undef, 'it is gone';

my @both;
my $both = open_tfa( lookup => sub { return $_[0] eq 'account' ? { owner => 'root' } : [] }, on_audit => sub { push @both, $_[0]{subject} } );
enrol( $both, 'another' );
is $both[-1], 'another', 'beside a lookup';

for my $wrong ( 'text', {}, [] ) {
    like thrown { open_tfa( on_audit => $wrong ) }, qr/"on_audit" is not valid: it is not a code reference/, 'anything but a code reference is refused';
}
ok open_tfa( on_audit => undef ), 'undef is none';

# The configuration's own key, with numbers and truth values as Perl has them.
for my $audit ( { days => '30' }, { syslog => 1 }, { syslog => 0 }, { syslog => !1, days => 30 }, { syslog => !0 } ) {
    ok eval { open_tfa( audit => $audit ) }, "audit: @{[ %$audit ]}" or diag $@;
}
like thrown { open_tfa( audit => { syslog => $_ } ) }, qr/audit\.syslog/, 'a switch is true, false, 1 or 0' for 'yes', '', 2;
ok open_tfa( require_post => '1', hostname => '12.example' ), 'a switch may be a string of one digit';
like thrown { open_tfa( audit => { days => 'many' } ) }, qr/days|audit/, 'text in place of a number is refused';

done_testing;
