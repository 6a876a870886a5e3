# What the drop-ins for the panel's own modules share: one open handle for the process, and the panel's two calling conventions.
# Promises that every error is returned to the panel as a failure of the call: nothing here dies, and nothing here grants access.
package Authen::TFA::Panel;

require 5.016;
use strict;
use warnings;

use Authen::TFA ();

our $VERSION = '0.1.0';

my %config;        # what configure was given; empty means the configuration of the server
my $tfa;           # the handle, opened at the first call
my %parameters;    # function name => its parameters' names, from the library's registry

sub configure {
    my ( $class, %given ) = @_;
    %config = %given;
    undef $tfa;
    return;
}

sub tfa { return $tfa ||= Authen::TFA->new(%config) }

# ---------------------------------------------------------------- WHM API 1: the arguments are a hash, the outcome goes into the metadata

sub whm {
    my ( $function, $args, $metadata ) = @_;
    my $envelope = eval { tfa()->whmapi1( _remote_user(), $function, _whm_arguments($args) ) };
    $envelope ||= { metadata => { result => 0, _failure($@) } };
    _fill( $metadata, $envelope->{metadata} );
    return exists $envelope->{data} ? $envelope->{data} : ();
}

# The version and the output control (api.*) belong to the panel's own dispatcher.
sub _whm_arguments {
    my ($args) = @_;
    return map { $_ => $args->{$_} } grep { !/^api\./ && defined $args->{$_} } keys %{ $args || {} };
}

sub _fill {
    my ( $metadata, $outcome ) = @_;
    if ( eval { $metadata->can('set_ok') } ) {
        return $outcome->{result} ? $metadata->set_ok : $metadata->set_not_ok( $outcome->{reason} );
    }
    my @fields = grep { exists $outcome->{$_} } qw(result reason reason_code);
    @{$metadata}{@fields} = @{$outcome}{@fields};
    return;
}

# ---------------------------------------------------------------- UAPI: argument and result are objects

sub uapi {
    my ( $function, $args, $result ) = @_;
    my $answer = answer( 'TwoFactorAuth', $function, _uapi_arguments( $function, $args ) );
    my $metadata = $answer->{metadata} || {};
    $result->metadata( $_, $metadata->{$_} ) for sort keys %$metadata;
    if ( !$answer->{status} ) {
        my $error = $result->can('raw_error') ? 'raw_error' : 'error';
        $result->$error($_) for @{ $answer->{errors} };
        return 0;
    }
    $result->data( $answer->{data} );
    return 1;
}

# The inner result of a UAPI call, whatever the outcome.
sub answer {
    my ( $module, $function, @arguments ) = @_;
    my $answer = eval { tfa()->uapi( _panel_caller($function), $module, $function, @arguments ) };
    return $answer if $answer;
    my %failure = _failure($@);
    my $reason  = delete $failure{reason};
    return { data => undef, errors => [$reason], messages => undef, metadata => \%failure, status => 0, warnings => undef };
}

sub _uapi_arguments {
    my ( $function, $args ) = @_;
    %parameters = map { $_->{name} => [ map { $_->{name} } @{ $_->{parameters} } ] } grep { $_->{api} eq 'uapi' } @{ Authen::TFA::functions() }
        if !%parameters;
    my %arguments;
    for my $name ( @{ $parameters{$function} || [] } ) {
        my ($value) = $args->get($name);
        $arguments{$name} = $value if defined $value;
    }
    return %arguments;
}

# The template function: [% SET r = execute('TwoFactorAuth', 'get_user_configuration') %]
sub template_execute {
    return sub {
        my ( $module, $function, $arguments ) = @_;
        return answer( $module, $function, %{ $arguments || {} } );
    };
}

# ---------------------------------------------------------------- who calls

sub _remote_user { return _environment( $ENV{REMOTE_USER} ) || die "REMOTE_USER does not name the caller\n" }

# The authenticated person (contract section 11). $Cpanel::user is the account whose panel is open; REMOTE_USER, when it differs, is the
# mailbox or team user that logged in to it, which must not act with the account's authority.
sub _panel_caller {
    my ($function) = @_;
    my ( $account, $person ) = do {
        no warnings 'once';
        ( _environment($Cpanel::user), _environment( $ENV{REMOTE_USER} ) );
    };
    return _remote_user() if !defined $account;
    return $account if !defined $person || $person eq $account;
    require Authen::TFA::Error;
    Authen::TFA::Error->throw( command => $function, reason => qq{You are not authorized to call "$function".}, reason_code => 'not_authorized' )
        if !_is_subject( $person, $account );
    return $person;
}

# Whether a person is a subject of an account. A name that the library cannot resolve is not.
sub _is_subject {
    my ( $person, $account ) = @_;
    my $resolved = tfa()->whmapi1( 'root', 'twofactorauth_resolve_user', user => $person );
    return $resolved->{metadata}{result} && $resolved->{data}{account} eq $account;
}

sub _environment {
    my ($value) = @_;
    return defined $value && length $value ? $value : undef;
}

# The reason and the reason code of an exception. A refusal has its own; any other exception means that there is no answer.
sub _failure {
    my ($error) = @_;
    return ( reason => $error->reason, reason_code => $error->reason_code ) if ref $error && defined $error->reason_code;
    $error = $error->reason if ref $error;
    chomp $error;
    return ( reason => "The two-factor authentication data is not available: $error", reason_code => 'unavailable' );
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::Panel - what the drop-ins for the panel's own modules share

=head1 SYNOPSIS

    use Authen::TFA::Panel ();
    use Authen::TFA ();
    use lib Authen::TFA->dropin_directory;
    require Whostmgr::API::1::TwoFactorAuth;

    Authen::TFA::Panel->configure( create => 1, store => "sqlite:$directory/panel.db", hostname => 'server.example.com' );

    local $ENV{REMOTE_USER} = 'root';
    my %metadata;
    my $data = Whostmgr::API::1::TwoFactorAuth::twofactorauth_policy_status( {}, \%metadata );
    print $metadata{result} ? "enabled: $data->{is_enabled}\n" : "failed: $metadata{reason}\n";

=head1 DESCRIPTION

The drop-ins for the panel's own modules (L<Authen::TFA::Dropins>) share one handle for the process, opened at the first call. Every error is returned to the
panel in the panel's own way; nothing dies.

The configuration is that of the server, which the command line uses too: see L<Authen::TFA/new>.

=head1 WHO CALLS

WHM functions are called as C<REMOTE_USER>. UAPI functions are called as the authenticated person: C<REMOTE_USER>, or C<$Cpanel::user> when
C<REMOTE_USER> is not set. When both are set and differ, C<REMOTE_USER> must be a mailbox or team user of the account C<$Cpanel::user>; otherwise
the call is refused.

=head1 FUNCTIONS

=head2 configure

C<< Authen::TFA::Panel->configure(%config) >> sets a configuration in place of the server's, as for L<Authen::TFA/new>, from the next call on. Without
arguments, the server's is used again.

=head2 tfa

Returns the handle, an L<Authen::TFA> object. Dies when it cannot be opened.

=head2 template_execute

    my $template = Template->new( VARIABLES => { execute => Authen::TFA::Panel::template_execute() } );

Returns the function C<execute> for Template Toolkit pages. The function returns the inner result of the call, made as the caller that L</WHO CALLS> defines:

    [% SET r = execute('TwoFactorAuth', 'set_user_configuration', { secret => s, tfa_token => t }) %]
    [% IF r.status %]Done.[% ELSE %][% r.errors.0 | html %][% END %]

=head2 whm

C<whm( $function, \%args, $metadata )>: a WHM call in the panel's convention. C<$metadata> receives C<result>, C<reason> and, on failure, C<reason_code>; an object with
C<set_ok> and C<set_not_ok> receives the outcome through these.

=head2 uapi

C<uapi( $function, $args, $result )>: a UAPI call in the panel's convention. On failure, C<reason_code> is in the result's metadata.

=head2 answer

C<answer( $module, $function, %arguments )>: the inner result of a UAPI call, whatever the outcome.

=cut
