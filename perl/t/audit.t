# The audit trail as a Perl callback: told of every line, once, with what it says, and without a say in the matter.
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Test::More;
use TestTFA;

{
    package False;    # an exception that is false, and that dies when it is looked at
    use overload bool => sub { 0 }, '""' => sub { die "do not look\n" };
}

my @heard;
my $tfa = open_tfa( on_audit => sub { push @heard, $_[0] } );
my $secret = enrol( $tfa, 'jürgen' );
is_deeply [ map { $_->{event} } @heard ], [qw(policy_enabled enrolled)], 'changes are told';
like delete $heard[1]{time}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, 'with their time';
is_deeply $heard[1], { event => 'enrolled', subject => 'jürgen', caller => 'jürgen', function => 'set_user_configuration' }, 'in characters';

@heard = ();
my %login = ( user => 'jürgen', tfa_token => oath_code( $secret, time ), remote_addr => '2001:db8::1' );
$tfa->twofactorauth_verify_login( 'root', %login ) for 1 .. 2;
is_deeply [ map { "@{$_}{qw(event subject caller function remote_addr)}" } @heard ],
    [ map { "$_ jürgen root twofactorauth_verify_login 2001:db8::1" } qw(verified replayed) ], 'verdicts are told, with the address';
ok !( grep { $_ eq $secret || $_ eq $login{tfa_token} } map { values %$_ } @heard ), 'and without the code';
@heard = ();
ok !$tfa->login( 'jürgen', 'x' ), 'a wrong code';
is "$heard[0]{event} $heard[0]{function}", 'wrong tfa_login', 'is told';
@heard = ();
eval { $tfa->twofactorauth_enable_policy('jürgen') };
is_deeply \@heard, [], 'what was refused changed nothing, and has no line';

# Whatever a callback does, the change is made and the verdict stands, and nothing gets across the library.
my $troubled;
our $is_inside;
my %trouble = (
    'returns nothing'               => sub { return },
    'returns a list'                => sub { return ( 0, undef, -1 ) },
    'dies'                          => sub { die "the collector is away\n" },
    'dies of something false'       => sub { die bless [], 'False' },
    'leaves a loop'                 => sub { no warnings 'exiting'; last },
    'goes elsewhere'                => sub { goto ELSEWHERE },
    'changes the line'              => sub { %{ $_[0] } = ( event => 'nothing' ); $_[0] = undef },
    'changes $@ and $!'             => sub { $@ = 'theirs'; $! = 5 },
    'has a signal handler that dies' => sub { local $SIG{USR1} = sub { die "interrupted\n" }; kill USR1 => $$ },
    'asks another object'           => sub { $tfa->login('jürgen') },
    'asks the same object'          => sub { return if $is_inside; local $is_inside = 1; $troubled->login( 'example', 'x' ) },
    'forks'                         => sub { my $child = fork; exit 0 if !$child && defined $child; waitpid $child, 0 },
);
for my $what ( sort keys %trouble ) {
    my ( $count, @verdicts, @warnings ) = (0);
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $troubled = undef;
    $troubled = open_tfa( on_audit => sub { $count++; $trouble{$what}->(@_) } );
    my $its = enrol( $troubled, 'example' );
    my $code = oath_code( $its, time );
    for ( $code, $code ) {
        $@ = 'mine';
        push @verdicts, 0 + $troubled->login( 'example', $_ );
    }
    is "@verdicts $@", '1 0 mine', "a callback that $what: verdicts and exceptions are as ever";
    cmp_ok $count, '>=', 4, "a callback that $what: it was told of all";
    like "@warnings", qr/the audit callback failed: the collector is away/, 'the exception is a warning' if $what eq 'dies';
}
ELSEWHERE:

{
    local $SIG{__WARN__} = sub { die "fatal: @_" };
    my $failing = open_tfa( on_audit => sub { die "away\n" } );
    ok $failing->twofactorauth_enable_policy('root'), 'a warning handler that dies does not get across the library';
    is $failing->twofactorauth_policy_status('root')->{is_enabled}, 1, 'and what was told is done';
}

my $doomed;
$doomed = open_tfa( on_audit => sub { $doomed->close if $doomed; undef $doomed } );
is_deeply $doomed->twofactorauth_enable_policy('root'), {}, 'a callback may close its object';
is $doomed, undef, 'it is gone';

my @both;
my $both = open_tfa( lookup => sub { return $_[0] eq 'account' ? { owner => 'root' } : [] }, on_audit => sub { push @both, $_[0]{subject} } );
enrol( $both, 'anybody' );
is $both[-1], 'anybody', 'beside a lookup';

for my $wrong ( 'text', {}, [] ) {
    like thrown { open_tfa( on_audit => $wrong ) }, qr/"on_audit" is not valid: it is not a code reference/, 'what is no code is refused';
}
ok open_tfa( on_audit => undef ), 'undef is none';

# The configuration's own key, in Perl's words for numbers and truth.
for my $audit ( { days => '30' }, { syslog => 1 }, { syslog => 0 }, { syslog => '', days => 30 } ) {
    ok eval { open_tfa( audit => $audit ) }, "audit: @{[ %$audit ]}" or diag $@;
}
like thrown { open_tfa( audit => { days => 'many' } ) }, qr/days|audit/, 'a number that is none is refused';

done_testing;
