# The main functions through Perl: policy, enrolment, login, replay, guessing, recovery codes, administration.
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Test::More;
use TestTFA;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my %accounts = (
    example   => { owner => 'reseller1', domain => 'example.com', team => ['team_user'] },
    reseller1 => { owner => 'root', domain => 'reseller.example', reseller => 1 },
    other     => { owner => 'root', domain => 'other.example' },
);
my $tfa = open_tfa( accounts => { inline => \%accounts }, lockout => { failures => '3', seconds => '60' } );
isa_ok $tfa, 'Authen::TFA';

is_deeply $tfa->twofactorauth_policy_status('root'), { is_enabled => 0 }, 'the policy is off at first';
like thrown { $tfa->generate_user_configuration('example') }, qr/Two-factor authentication is not enabled on this server\./, 'and enrolment is refused';
is_deeply $tfa->twofactorauth_enable_policy('root'), {}, 'a function without data gives an empty hash, which is true';
is_deeply $tfa->twofactorauth_policy_status('root'), { is_enabled => 1 }, 'the policy is on';

# issuers, and characters beyond ASCII
$tfa->twofactorauth_set_issuer( 'root', issuer => 'Žižkov Hosting ☺' );
is $tfa->get_user_configuration('other')->{issuer}, 'Žižkov Hosting ☺', 'characters in, characters out';
$tfa->twofactorauth_set_issuer( 'reseller1', { issuer => "caf\x{e9}" } );
is $tfa->get_user_configuration('example')->{issuer}, "caf\x{e9}", 'one hash reference works as well as a list';

# enrolment
my $new = $tfa->generate_user_configuration('example');
like $new->{secret}, qr/\A[A-Z2-7]{16}\z/, 'a secret is generated';
like $new->{otpauth_str}, qr{\Aotpauth://totp/caf%C3%A9:example\?secret=\Q$new->{secret}\E&issuer=caf%C3%A9\z}, 'and its URI';
my $error = thrown { $tfa->set_user_configuration( 'example', secret => $new->{secret}, tfa_token => '000000' ) };
isa_ok $error, 'Authen::TFA::Error';
is $error->reason,  'The security code is invalid.', 'an invalid code does not enrol';
is $error->command, 'set_user_configuration',        'the error names the function';
is "$error", 'set_user_configuration: The security code is invalid.', 'and is a string';
ok $error, 'and is true';
my $now = time;
is_deeply $tfa->set_user_configuration( 'example', secret => $new->{secret}, tfa_token => oath_code( $new->{secret}, $now - 90 ) ), { tfa_configured => 1 }, 'a valid one does';
is $tfa->get_user_configuration('example')->{is_enabled}, 1, 'and it is stored';

# login
is $tfa->login('other'), 2, 'not required of a subject without two-factor authentication';
my $code = oath_code( $new->{secret}, $now );
ok !$tfa->login('example'), 'a login without a code is denied';
is $tfa->login( 'example', $code ), 1, 'a valid code is accepted';
my $verdict = $tfa->login( 'example', $code );
ok !$verdict, 'the same code again is not';
cmp_ok $verdict, '==', 0, 'the verdict is 0';
ok !$tfa->login( 'example', undef ), 'nor is a missing one';
is $tfa->login( 'example', oath_code( $new->{secret}, $now + 60 ) ), 1, 'the next code is accepted';
$verdict = $tfa->login( 'nobody', $code );
ok !$verdict, 'a subject that the directory does not have is denied';
cmp_ok $verdict, '==', -2, 'and the number says that there is no answer';

# guessing
ok !$tfa->login( 'example', '000000' ), 'an invalid code is denied' for 1 .. 3;
$verdict = $tfa->login( 'example', oath_code( $new->{secret}, $now + 90 ) );
ok !$verdict, 'after too many, a valid code is not examined: a lock is false in Perl too';
cmp_ok $verdict, '==', -1, 'and its number is -1';
my $status = $tfa->twofactorauth_login_status( 'root', user => 'example' );
is $status->{locked}, 1, 'the status says so';
cmp_ok $status->{retry_after}, '>', 0, 'and when to try again';
my $verified = $tfa->twofactorauth_verify_login( 'root', user => 'example', tfa_token => '000000' );
is_deeply [ @{$verified}{qw(required verified locked)} ], [ 1, 0, 1 ], 'verify_login returns the same';
$tfa->twofactorauth_unlock_user( 'root', user => 'example' );
is $tfa->login( 'example', oath_code( $new->{secret}, $now + 90 ) ), 1, 'after the lock is lifted, it is accepted';

# recovery codes
my $codes = $tfa->generate_recovery_codes('example')->{recovery_codes};
is scalar @$codes, 10, 'ten recovery codes';
is $tfa->login( 'example', $codes->[0] ), 1, 'one is accepted';
ok !$tfa->login( 'example', $codes->[0] ), 'once';

# administration
is_deeply [ sort keys %{ $tfa->twofactorauth_get_user_configs('reseller1') } ], [qw(example reseller1)], 'a reseller lists its own';
my $secrets = $tfa->twofactorauth_get_tfa_config_for_user( 'root', user => 'example' );
is $secrets->{example}{primary_account}{secret}, $new->{secret}, 'root reads a configuration';
$tfa->twofactorauth_set_tfa_config_for_user( 'root', { other => { primary_account => { secret => 'GEZDGNBVGY3TQOJQ' }, email => {}, team => {} } } );
is $tfa->login( 'other', oath_code( 'GEZDGNBVGY3TQOJQ', time ) ), 1, 'and writes one: nested arguments are sent';
my $removed = $tfa->twofactorauth_remove_user_config( 'reseller1', 'user-0' => 'example', 'user-1' => 'other' );
is_deeply $removed, { failed => { other => 'You are not authorized to modify "other"' }, users_modified => ['example'] }, 'removal returns what it did';
like thrown { $tfa->twofactorauth_disable_policy('example') }, qr/You are not authorized to call "twofactorauth_disable_policy"\./, 'roles are enforced';

# calls about other calls
ok +( grep { $_ eq 'twofactorauth_policy_status' } @{ $tfa->applist('root')->{app} } ), 'applist';
my $batch = $tfa->batch( 'root', command => [ 'twofactorauth_policy_status', 'twofactorauth_get_user_configs?user=other' ] );
is_deeply [ map { $_->{metadata}{result} } @{ $batch->{result} } ], [ 1, 1 ], 'batch takes repeated arguments as an array';
is $tfa->uapi_cpanel( 'root', 'cpanel.user' => 'other', 'cpanel.module' => 'TwoFactorAuth', 'cpanel.function' => 'get_user_configuration' )->{uapi}{status}, 1, 'uapi_cpanel';
my %cpanel = ( user => 'other', module => 'TwoFactorAuth', func => 'get_user_configuration', apiversion => 3 );
is $tfa->cpanel( 'root', map { ( "cpanel_jsonapi_$_" => $cpanel{$_} ) } keys %cpanel )->{result}{status}, 1, 'cpanel';
isa_ok thrown { $tfa->cpanel('root') }, 'Authen::TFA::Error', 'cpanel without parameters';

# the generic calls return envelopes, and do not throw when the call is refused
is_deeply $tfa->whmapi1( 'root', 'twofactorauth_policy_status' ),
    { data => { is_enabled => 1 }, metadata => { command => 'twofactorauth_policy_status', reason => 'OK', result => 1, version => 1 } }, 'whmapi1';
is $tfa->whmapi1( 'root', 'nonsense' )->{metadata}{reason}, 'Unknown app ("nonsense") requested for this version (1) of the API.', 'and its refusal';
is $tfa->uapi( 'example', 'TwoFactorAuth', 'get_user_configuration' )->{status}, 1, 'uapi';
is $tfa->uapi( 'example', 'TwoFactorAuth', 'nonsense' )->{status}, 0, 'and its refusal';
my $response = $tfa->http( 'root', 'GET', '/json-api/twofactorauth_policy_status?api.version=1' );
is $response->{status}, 200, 'http';
like $response->{body}, qr/"is_enabled":1/, 'and its body';

# opening
for my $wrong ( [ nonsense => 1 ], [ store => 'sqlite:relative.db' ], [ skew => 'many' ], [ lockout => { failures => 'x' } ] ) {
    my $error = thrown { open_tfa(@$wrong) };
    isa_ok $error, 'Authen::TFA::Error', "a bad $wrong->[0]";
    is $error->command, 'open', 'from open';
    like $error->reason, qr/\Q$wrong->[0]\E/, 'naming the key';
}

done_testing;
