# Drop-in for the panel's LiveAPI, for calls to the module TwoFactorAuth: no socket, no other process.
#     my $answer = Cpanel::LiveAPI->new->uapi( 'TwoFactorAuth', 'get_user_configuration' );
#     print $answer->{cpanelresult}{result}{status};
# Authen::TFA::Panel defines who the caller is. A call to another module returns an error.
package Cpanel::LiveAPI;

require 5.016;
use strict;
use warnings;

use Authen::TFA::Panel ();

our $VERSION = '0.1.0';

sub new {
    my ($class) = @_;
    return bless {}, ref $class || $class;
}

sub uapi {
    my ( $self, $module, $function, $arguments ) = @_;
    my $result = Authen::TFA::Panel::answer( $module, $function, %{ $arguments || {} } );
    return { cpanelresult => { apiversion => 3, func => $function, module => $module, result => $result } };
}

# The original closes its socket here; there is none.
sub end { return 1 }

1;
