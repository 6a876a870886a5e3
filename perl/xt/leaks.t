# No method leaks, however often it is called and however it ends.
#
# Test::LeakTrace finds Perl values that outlive a call. Memory of the C side shows in the size of the process: each method is called 100,000 times, and the
# process must not grow by more than a small constant.
use strict;
use warnings;

use lib 't/lib';
use Test::LeakTrace;
use Test::More;
use TestTFA;
use Authen::TFA qw(:all);

use constant CALLS => $ENV{TFA_LEAK_CALLS} || 100_000;
use constant { ALLOWED_KB => 2_048, PAGE_KB => 4 };

# The store is in memory where possible: the disk is not under test.
$ENV{TMPDIR} = '/dev/shm' if -w '/dev/shm';

my %accounts = map { $_ => { owner => 'root', domain => "$_.example" } } qw(example other);
my $tfa = open_tfa( accounts => { inline => \%accounts }, lockout => { failures => 1000, hard_limit => 1_000_000, seconds => 1 } );
my $asking = open_tfa( lookup => sub { return $_[0] eq 'account' ? { owner => 'root', domain => "$_[1].example" } : [] } );
my $secret = enrol( $tfa, 'example' );
my $key = '12345678901234567890';
my $failing = open_tfa( lookup => sub { die "no\n" } );
my $audited = open_tfa( on_audit => sub { return $_[0]{event} } );
my $failing_audit = open_tfa( on_audit => sub { die "no\n" } );
my $wide = "$key\x{e9}";
utf8::upgrade($wide);

# A value for each parameter of the registry, by its name.
my %value = (
    secret => 'GEZDGNBVGY3TQOJQ', tfa_token => '000000', issuer => 'x', user => 'other', team_user => 'x@example', remote_addr => '127.0.0.1',
    command => 'twofactorauth_policy_status', 'cpanel.function' => 'get_user_configuration', '*' => { primary_account => { secret => 'GEZDGNBVGY3TQOJQ' } },
);

sub arguments_of {
    my ($function) = @_;
    return map { my $name = $_->{name}; ( $name eq '*' ? 'other' : $name ) => exists $value{$name} ? $value{$name} : 'x' } @{ $function->{parameters} };
}

# The calls that reach the library, without the JSON that the methods add: that is Perl's own, and slow. The methods are traced below.
sub raw_call {
    my ($function) = @_;
    my $name = $function->{name};
    my $arguments = Authen::TFA::_arguments( $name, arguments_of($function) );
    return sub { $tfa->_whmapi1( 'root', $name, $arguments ) }
        if $function->{api} eq 'whm';
    return sub { $tfa->_uapi( 'example', 'TwoFactorAuth', $name, $arguments ) };
}

my $registry = Authen::TFA->functions;

# Every account is enrolled and unlocked before a call is repeated, whatever the call before it did.
sub prepare {
    $tfa->twofactorauth_enable_policy('root');
    $tfa->twofactorauth_set_tfa_config_for_user( 'root', { map { $_ => { primary_account => { secret => 'GEZDGNBVGY3TQOJQ' } } } qw(root example other) } );
    return;
}

my %calls = (
    ( map { ( "$_->{api} $_->{name}" => raw_call($_) ) } @$registry ),
    'login'                   => sub { $tfa->login( 'example', '000000' ) },
    'login without a code'    => sub { $tfa->login('example') },
    'login of an object'      => sub { $tfa->login( $wide, 123456 ) },
    'login with a callback'   => sub { $asking->login('example') },
    'login, failing callback' => sub { local $SIG{__WARN__} = sub { }; $failing->login('example') },
    'an audit callback'       => sub { $audited->_whmapi1( 'root', 'twofactorauth_enable_policy', undef ) },
    'a failing audit callback' => sub { local $SIG{__WARN__} = sub { }; $failing_audit->_whmapi1( 'root', 'twofactorauth_disable_policy', undef ) },
    'whmapi1, unknown'        => sub { $tfa->_whmapi1( 'root', 'nonsense', undef ) },
    'whmapi1, bad arguments'  => sub { $tfa->_whmapi1( 'root', 'twofactorauth_set_issuer', '{' ) },
    'http'                    => sub { $tfa->_http( 'root', 'GET', '/json-api/twofactorauth_policy_status?api.version=1', undef ) },
    'functions'               => sub { Authen::TFA::_functions() },
    'hotp'                    => sub { hotp( key => $wide, counter => '7' ) },
    'totp'                    => sub { totp( secret => 'GEZDGNBVGY3TQOJQ' ) },
    'verify'                  => sub { verify( secret => 'GEZDGNBVGY3TQOJQ', code => '000000', skew => 1, step => \my $step ) },
    'base32_decode'           => sub { base32_decode('GEZDGNBVGY3TQOJQ') },
    'secret'                  => sub { Authen::TFA::_secret(undef) },
    'otpauth'                 => sub { Authen::TFA::_otpauth('{"secret":"GEZDGNBVGY3TQOJQ","account":"x"}') },
    'otpauth_parse'           => sub { Authen::TFA::_otpauth_parse('{"otpauth_str":"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ"}') },
    'qr'                      => sub { Authen::TFA::_qr('{"text":"x","format":"terminal"}') },
    'version'                 => sub { Authen::TFA->version },
    'refused arguments'       => sub { eval { hotp( key => "\x{100}", counter => 1 ) }; eval { $tfa->login( \1 ) } },
    'open, refused'           => sub { eval { Authen::TFA->new( nonsense => 1 ) } },
);

my %config = config();

# Perl values: every public method, decoded answers and exceptions included.
my %traced = (
    %calls,
    ( map { my ( $m, @arguments ) = ( $_->{name}, arguments_of($_) ); ( "method $m" => sub { eval { $tfa->$m( $_[0], @arguments ) } } ) } @$registry ),
    'a sorted answer'  => sub { $tfa->twofactorauth_get_user_configs( 'root', 'api.sort.enable' => 1 ) },
    'code by JSON'     => sub { totp( secret => 'GEZDGNBVGY3TQOJQ', algorithm => 'SHA256' ) },
    'verdict by JSON'  => sub { verify( secret => 'GEZDGNBVGY3TQOJQ', code => '000000', algorithm => 'SHA256', step => \my $step ) },
    'refusal by JSON'  => sub { eval { totp( secret => '1' ) } },
    'new and DESTROY'  => sub { my $other = Authen::TFA->new(%config) },
    'new with lookup'  => sub { my $other = Authen::TFA->new( %config, lookup => sub { return { owner => 'root' } } ); $other->login('x') },
    'new with on_audit' => sub { my $other = Authen::TFA->new( %config, on_audit => sub { return } ); $other->twofactorauth_enable_policy('root') },
    'close'            => sub { my $other = Authen::TFA->new(%config); $other->close },
    'method http'      => sub { $tfa->http( 'root', 'GET', '/' ) },
    'method functions' => sub { $tfa->functions },
    'function secret'  => sub { secret( length => 16 ) },
    'function otpauth' => sub { otpauth( secret => 'GEZDGNBVGY3TQOJQ', account => 'x' ) },
    'function qr'      => sub { Authen::TFA::qr( text => 'x', format => 'png' ) },
    'function otpauth_parse' => sub { otpauth_parse( otpauth_str => 'otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ' ) },
);
for my $name ( sort keys %traced ) {
    prepare();
    my @callers = ( 'root', 'example' );
    $traced{$name}->($_) for @callers;    # what is cached at the first call is no leak
    no_leaks_ok { $traced{$name}->($_) for @callers } $name;
}

sub resident_kb {
    open my $statm, '<', '/proc/self/statm' or die $!;
    return PAGE_KB * ( split / /, <$statm> )[1];
}

for my $name ( sort keys %calls ) {
    my $call = $calls{$name};
    prepare();

    $call->() for 1 .. CALLS / 20;
    my $before = resident_kb();
    $call->() for 1 .. CALLS;
    my $grown = resident_kb() - $before;
    cmp_ok $grown, '<=', ALLOWED_KB, "$name: @{[ CALLS ]} calls, $grown KiB more";
}

# Opening takes longer than a call: a hundredth of the number.
my $open = sub { Authen::TFA->new(%config)->login('x') };
$open->() for 1 .. 50;
my $before = resident_kb();
$open->() for 1 .. CALLS / 100;
cmp_ok resident_kb() - $before, '<=', ALLOWED_KB, 'opening and closing';

done_testing;
