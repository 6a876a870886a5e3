# The host's account directory as a Perl callback: it is called, its answers count, and it fails closed.
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

my %directory = ( example => { owner => 'root', domain => 'example.com' }, 'jürgen' => { owner => 'root', domain => 'xn--jrgen-kva.example' } );
my ( @questions, $failure );

sub answer {
    my ( $question, $name ) = @_;
    return $question eq 'account' ? $directory{$name} : $question eq 'accounts' ? [ sort keys %directory ] : undef;
}

my $tfa = open_tfa(
    lookup => sub {
        my ( $question, $name ) = @_;
        push @questions, [ $question, $name ];
        die $failure if defined $failure;
        return answer( $question, $name );
    }
);
$tfa->twofactorauth_enable_policy('root');

is $tfa->login('example'), 2, 'an account that the callback has';
ok scalar(@questions), 'the callback was called';
is $questions[0][1], 'example', 'with that name';
my $verdict = $tfa->login('nobody');
ok !$verdict, 'an account that it does not have';
cmp_ok $verdict, '==', -2, 'is denied';
is $tfa->login('jürgen'), 2, 'names are characters on both sides of the callback';
is $questions[-1][1], 'jürgen', 'the callback got characters';

my @warnings;
{
    local $SIG{__WARN__} = sub { push @warnings, @_ };
    $failure = "LDAP is away\n";
    $verdict = $tfa->login('example');
    ok !$verdict, 'a callback that dies denies the login';
    cmp_ok $verdict, '==', -2, 'as a question without an answer';
    like "@warnings", qr/account directory failed: LDAP is away/, 'and the exception becomes a warning';
    local $SIG{__WARN__} = sub { die "fatal: @_" };
    cmp_ok $tfa->login('example'), '==', -2, 'a warning handler that dies does not unwind the library';
    $failure = bless [], 'False';
    cmp_ok $tfa->login('example'), '==', -2, 'nor an exception that looks false';
    my $leaving = open_tfa( lookup => sub { no warnings 'exiting'; next } );
    $verdict = undef;
    for ( 1, 2 ) { $verdict = $leaving->login('example') }
    cmp_ok $verdict, '==', -2, 'nor a callback that leaves a loop of its caller';
    like thrown { $tfa->twofactorauth_login_status( 'root', user => 'example' ) }, qr/\S/, 'a method throws the reason';
}
undef $failure;
is $tfa->login('example'), 2, 'afterwards it works again';
$@ = 'mine';
$tfa->login('example');
is $@, 'mine', 'an exception variable of the caller is left alone';

# a callback may use the library, and may drop the very object that is calling
my $inner;
my $outer = open_tfa( lookup => sub { $inner = $tfa->login( $_[1] ); return answer(@_) } );
is $outer->login('example'), 2, 'a callback may use another object';
is $inner, 2, 'which uses its own callback';
my $doomed;
$doomed = open_tfa( lookup => sub { $doomed->close if $doomed; undef $doomed; return answer(@_) } );
is $doomed->login('example'), 2, 'a callback may close its object';
is $doomed, undef, 'it is gone';

# answers of the wrong kind
for my $answer ( [], 'text', {}, { owner => [] }, \'x' ) {
    local $SIG{__WARN__} = sub { };
    my $wrong = open_tfa( lookup => sub { return $answer } );
    my $verdict = $wrong->login('example');
    ok defined $verdict && $verdict != 1, 'an answer of the wrong kind does not verify a code: ' . ( ref $answer || $answer );
}

done_testing;
