# The function "execute" in Template Toolkit pages, as the panel's documentation writes it, by the real Template Toolkit.
use strict;
use warnings;

use lib 't/lib';
use Template;
use Test::More;
use TestTFA;
use Authen::TFA::Panel ();

my %config = config( accounts => { inline => { example => { owner => 'root', domain => 'example.com' } } } );
Authen::TFA::Panel->configure(%config);
Authen::TFA::Panel::tfa()->twofactorauth_enable_policy('root');
$ENV{REMOTE_USER} = 'example';

my $template = Template->new( VARIABLES => { execute => Authen::TFA::Panel::template_execute() } ) or die Template->error;

sub page {
    my ( $page, %variables ) = @_;
    $template->process( \$page, \%variables, \my $output ) or die $template->error;
    return $output;
}

my $secret = page(q{[% SET r = execute('TwoFactorAuth', 'generate_user_configuration') %][% r.data.secret %]});
like $secret, qr/\A[A-Z2-7]{16}\z/, 'a page shows a new secret';

my $set = q{[% SET r = execute('TwoFactorAuth', 'set_user_configuration', { secret => s, tfa_token => t }) %][% r.status %]|[% r.errors.0 %]|[% r.data.tfa_configured %]};
is page( $set, s => $secret, t => '000000' ), '0|The security code is invalid.|', 'it shows why a code was refused';
is page( $set, s => $secret, t => oath_code( $secret, time ) ), '1||1', 'and that another was accepted';
is page(q{[% execute('TwoFactorAuth', 'get_user_configuration').data.is_enabled %]}), '1', 'a call within an expression';
is page(q{[% execute('Nonsense', 'x').status %]}), '0', 'another module is refused';

done_testing;
