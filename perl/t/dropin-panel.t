# The panel's own modules: called with argument and result objects written as the panel's public documentation describes them.
use strict;
use warnings;

use lib 't/lib';
use File::Temp ();
use Test::More;
use TestTFA;
use Authen::TFA::Panel ();

BEGIN { dropin() }
use Whostmgr::API::1::TwoFactorAuth ();
use Cpanel::API::TwoFactorAuth ();
use Cpanel::LiveAPI ();
use Cpanel::Security::Authn::TwoFactorAuth::Google ();

{
    package My::Args;    # arguments of a UAPI call
    sub new { my ( $class, %given ) = @_; return bless {%given}, $class }
    sub get { my ( $self, @names ) = @_; return @names == 1 ? $self->{ $names[0] } : @{$self}{@names} }
    sub get_required { my ( $self, $name ) = @_; return $self->{$name} // die "$name is required" }
    sub get_length_required { my ( $self, $name ) = @_; return length( $self->{$name} // '' ) ? $self->{$name} : die "$name is required" }
    sub exists { my ( $self, $name ) = @_; return exists $self->{$name} }
    sub keys { my ($self) = @_; return keys %$self }
    sub add { my ( $self, $name, $value ) = @_; return $self->{$name} = $value }
}
{
    package My::Result;    # result of a UAPI call
    sub new { my ($class) = @_; return bless { data => undef, errors => [], messages => [], metadata => {} }, $class }
    sub data { my ( $self, @value ) = @_; $self->{data} = $value[0] if @value; return $self->{data} }
    sub error       { my ( $self, @text ) = @_; push @{ $self->{errors} }, @text; return }
    sub raw_error   { my ( $self, @text ) = @_; push @{ $self->{errors} }, @text; return }
    sub message     { my ( $self, @text ) = @_; push @{ $self->{messages} }, @text; return }
    sub raw_message { my ( $self, @text ) = @_; push @{ $self->{messages} }, @text; return }
    sub metadata { my ( $self, $key, $value ) = @_; return $self->{metadata}{$key} = $value }
}
{
    package My::Metadata;    # metadata of a WHM call, as an object
    sub new        { return bless {}, shift }
    sub set_ok     { my ($self) = @_; @{$self}{qw(result reason)} = ( 1, 'OK' ); return }
    sub set_not_ok { my ( $self, $reason ) = @_; @{$self}{qw(result reason)} = ( 0, $reason ); return }
}

my %config = config( accounts => { inline => { example => { owner => 'root', domain => 'example.com', team => ['team_user'] }, other => { owner => 'root', domain => 'other.example' } } } );
Authen::TFA::Panel->configure(%config);

# WHM API 1
$ENV{REMOTE_USER} = 'root';
my $whm = sub { my ( $name, $args ) = @_; my %metadata; my $data = Whostmgr::API::1::TwoFactorAuth->can($name)->( $args || {}, \%metadata ); return ( $data, \%metadata ) };
my ( $data, $metadata ) = $whm->('twofactorauth_policy_status');
is_deeply $data, { is_enabled => 0 }, 'a WHM function gives its data';
is_deeply $metadata, { result => 1, reason => 'OK' }, 'and fills the metadata';
( $data, $metadata ) = $whm->('twofactorauth_enable_policy');
is_deeply [ $data, $metadata ], [ undef, { result => 1, reason => 'OK' } ], 'a function without data gives none';
( $data, $metadata ) = $whm->( twofactorauth_set_issuer => { issuer => 'Example', 'api.version' => 1 } );
is $metadata->{result}, 1, 'arguments are passed on, the version is the dispatcher\'s';
( $data, $metadata ) = $whm->( twofactorauth_set_issuer => {} );
is_deeply [ $data, $metadata ], [ undef, { result => 0, reason => 'The parameter "issuer" is required.', reason_code => 'parameter_required' } ], 'failure has no data, and a reason code';
my $object = My::Metadata->new;
is_deeply [ Whostmgr::API::1::TwoFactorAuth::twofactorauth_policy_status( {}, $object ) ], [ { is_enabled => 1 } ], 'metadata may be an object';
is_deeply { %$object }, { result => 1, reason => 'OK' }, 'with set_ok';
is_deeply [ Whostmgr::API::1::TwoFactorAuth::twofactorauth_set_issuer( {}, $object ) ], [], 'nothing is returned on failure';
is_deeply { %$object }, { result => 0, reason => 'The parameter "issuer" is required.' }, 'with set_not_ok';
{
    local $ENV{REMOTE_USER} = 'example';
    ( $data, $metadata ) = $whm->('twofactorauth_disable_policy');
    is $metadata->{reason}, 'You are not authorized to call "twofactorauth_disable_policy".', 'the caller is REMOTE_USER';
    delete $ENV{REMOTE_USER};
    ( $data, $metadata ) = $whm->('twofactorauth_policy_status');
    is_deeply [ $data, $metadata->{result} ], [ undef, 0 ], 'without one nothing is done';
    like $metadata->{reason}, qr/REMOTE_USER does not name the caller/, 'and the reason says so';
}
( $data, $metadata ) = $whm->( twofactorauth_set_tfa_config_for_user => { example => { primary_account => { secret => 'GEZDGNBVGY3TQOJQ' } } } );
is $metadata->{result}, 1, 'nested arguments arrive';
( $data, $metadata ) = $whm->( twofactorauth_remove_user_config => { 'user-0' => 'example', 'user-1' => 'nobody' } );
is_deeply $data, { failed => { nobody => 'The user "nobody" does not exist.' }, users_modified => ['example'] }, 'as do repeated ones';

# UAPI
$Cpanel::user = 'example';
local $ENV{REMOTE_USER};
my $uapi = sub { my ( $name, %args ) = @_; my $result = My::Result->new; my $ok = Cpanel::API::TwoFactorAuth->can($name)->( My::Args->new(%args), $result ); return ( $ok, $result ) };
my ( $ok, $result ) = $uapi->('generate_user_configuration');
is $ok, 1, 'a UAPI function returns 1';
my $secret = $result->data->{secret};
like $result->data->{otpauth_str}, qr/secret=\Q$secret\E/, 'and gives its data to the result';
( $ok, $result ) = $uapi->( set_user_configuration => ( secret => $secret, tfa_token => '000000' ) );
is $ok, 0, 'failure returns 0';
is_deeply $result->{errors}, ['The security code is invalid.'], 'the result has the reason';
is_deeply $result->{metadata}, { reason_code => 'invalid_code' }, 'and its code';
is $result->data, undef, 'without data';
( $ok, $result ) = $uapi->( set_user_configuration => ( secret => $secret ) );
is_deeply [ $ok, $result->{errors} ], [ 0, ['The parameter "tfa_token" is required.'] ], 'a missing argument is named';
( $ok, $result ) = $uapi->( set_user_configuration => ( secret => $secret, tfa_token => oath_code( $secret, time - 60 ), 'api.paginate' => 1, unknown => [] ) );
is_deeply [ $ok, $result->data, $result->{errors} ], [ 1, { tfa_configured => 1 }, [] ], 'a valid code; arguments that the function does not take are not sent';
is Authen::TFA::Panel::tfa()->login( 'example', oath_code( $secret, time ) ), 1, 'and then logs in';
{
    local ( $Cpanel::user, $ENV{REMOTE_USER} ) = ( undef, 'example' );
    ( $ok, $result ) = $uapi->('get_user_configuration');
    is_deeply [ $ok, $result->data ], [ 1, { is_enabled => 1, issuer => 'Example' } ], 'REMOTE_USER names the caller when the panel does not';
}

# A person who is logged in to the panel of an account acts as that person, never as the account.
for my $person ( 'mailbox@example.com', 'team_user@example', 'other', 'root', 'nobody' ) {
    local $ENV{REMOTE_USER} = $person;
    my $allowed = $person =~ /@/;
    my %outcome = (
        UAPI     => ( $uapi->('remove_user_configuration') )[0],
        LiveAPI  => Cpanel::LiveAPI->new->uapi( 'TwoFactorAuth', 'remove_user_configuration' )->{cpanelresult}{result}{status},
        template => Authen::TFA::Panel::template_execute()->( 'TwoFactorAuth', 'remove_user_configuration' )->{status},
    );
    is_deeply \%outcome, { map { $_ => $allowed ? 1 : 0 } keys %outcome }, "$person: " . ( $allowed ? 'removes its own second factor' : 'is refused' );
    is Authen::TFA::Panel::tfa()->get_user_configuration('example')->{is_enabled}, 1, "$person: the second factor of the account is still there";
}
{
    local $ENV{REMOTE_USER} = 'other';
    ( $ok, $result ) = $uapi->('get_user_configuration');
    is_deeply $result->{errors}, ['You are not authorized to call "get_user_configuration".'], 'the refusal states its reason';
    is_deeply $result->{metadata}, { reason_code => 'not_authorized' }, 'and its code';
    local $ENV{REMOTE_USER} = 'example';
    is( ( $uapi->('get_user_configuration') )[0], 1, 'the account itself is accepted' );
}

# LiveAPI
my $live = Cpanel::LiveAPI->new;
my $answer = $live->uapi( 'TwoFactorAuth', 'get_user_configuration' );
is_deeply $answer->{cpanelresult}{result}{data}, { is_enabled => 1, issuer => 'Example' }, 'LiveAPI';
is $answer->{cpanelresult}{result}{status}, 1, 'with a status';
$answer = $live->uapi( 'TwoFactorAuth', 'set_user_configuration', { secret => $secret, tfa_token => '000000' } );
is_deeply [ @{ $answer->{cpanelresult}{result} }{qw(status data errors)} ], [ 0, undef, ['The security code is invalid.'] ], 'or errors';
$answer = $live->uapi( 'Email', 'list_pops' );
is $answer->{cpanelresult}{result}{status}, 0, 'another module is refused';
ok $live->end, 'end';

# the template function
my $execute = Authen::TFA::Panel::template_execute();
is $execute->( 'TwoFactorAuth', 'get_user_configuration' )->{data}{issuer}, 'Example', 'execute';
is $execute->( 'TwoFactorAuth', 'set_user_configuration', { secret => 'x', tfa_token => 'y' } )->{status}, 0, 'with arguments';
{
    local ( $Cpanel::user, $ENV{REMOTE_USER} );
    is $execute->( 'TwoFactorAuth', 'get_user_configuration' )->{status}, 0, 'without a caller nothing is done';
}

# the code generator
my $google = Cpanel::Security::Authn::TwoFactorAuth::Google->new( { account_name => 'example', secret => $secret, issuer => 'Example' } );
like $google->generate_code, qr/\A[0-9]{6}\z/, 'a code is generated';
ok +( grep { $google->generate_code eq oath_code( $secret, time - 30 * $_ ) } 0, 1 ), 'the one of this time step';
like( Cpanel::Security::Authn::TwoFactorAuth::Google->new( { account_name => '', secret => $secret, issuer => '' } )->generate_code, qr/\A[0-9]{6}\z/, 'without an account name too' );
like thrown { Cpanel::Security::Authn::TwoFactorAuth::Google->new( { account_name => 'example' } ) }, qr/The parameter "secret" is required\. at \Q$0\E/, 'a secret is needed';
like thrown { Cpanel::Security::Authn::TwoFactorAuth::Google->new }, qr/new takes a hash reference/, 'and a hash reference';

# Without configure, the library reads the configuration of the server.
$ENV{REMOTE_USER} = 'root';
Authen::TFA::Panel->configure;
my $directory = File::Temp->newdir;
my $write = sub { my ( $name, $text ) = @_; open my $file, '>', "$directory/$name" or die $!; print {$file} $text; close $file or die $!; return "$directory/$name" };
local $ENV{TFA_CONFIG} = "$directory/none.toml";
( $data, $metadata ) = $whm->('twofactorauth_policy_status');
is_deeply [ $metadata->{result}, $metadata->{reason_code} ], [ 0, 'unavailable' ], 'a missing file is a failure';
like $metadata->{reason}, qr/^The two-factor authentication data is not available: .*\Q$directory\E/, 'that names the file';
$ENV{TFA_CONFIG} = $write->( 'wrong.json', '{"nonsense": 1}' );
( $data, $metadata ) = $whm->('twofactorauth_policy_status');
like $metadata->{reason}, qr/nonsense/, 'so is a file that the library refuses';
is( Cpanel::LiveAPI->new->uapi( 'TwoFactorAuth', 'get_user_configuration' )->{cpanelresult}{result}{status}, 0, 'in every convention' );
for my $file ( $write->( 'tfa.json', qq({"store": "$config{store}"}) ), $write->( 'tfa.toml', qq(store = "$config{store}"\n) ) ) {
    $ENV{TFA_CONFIG} = $file;
    Authen::TFA::Panel->configure;
    ( $data, $metadata ) = $whm->('twofactorauth_policy_status');
    is_deeply $data, { is_enabled => 1 }, "$file opens the store";
    is( Authen::TFA->new->twofactorauth_policy_status('root')->{is_enabled}, 1, 'also by new without arguments' );
    is( Authen::TFA->new( hostname => 'other.example' )->twofactorauth_get_issuer('root')->{issuer}, 'Example', 'or with other keys than the store' );
}

done_testing;
