# Authen::TFA: the Perl face of libtfa. It promises that every documented function is a method that returns plain data or throws an
# Authen::TFA::Error, and that the one-time code functions cost little more than the C calls they stand for.
# JSON::PP, Carp and the error class are loaded when they are first needed: a panel's short-lived scripts load this often.
package Authen::TFA;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

# qr is not among them: Perl reads that name as its quoting operator, so it is called as Authen::TFA::qr or as a method.
our @EXPORT_OK = qw(hotp totp verify base32_decode secret otpauth otpauth_parse);
our %EXPORT_TAGS = ( all => \@EXPORT_OK );

# Exporter is loaded for those who import something: that is milliseconds for those who do not.
sub import {
    return if @_ == 1;
    require Exporter;
    goto &Exporter::import;
}

require XSLoader;
XSLoader::load( __PACKAGE__, $VERSION );

# The registry's function names, by door. t/functions.t fails when the library knows one that is not here, or the other way round.
my %FUNCTIONS = (
    whm => [
        (
            map { "twofactorauth_$_" }
                qw(
                enable_policy disable_policy policy_status generate_tfa_config set_tfa_config get_issuer set_issuer
                get_user_configs remove_user_config get_tfa_config_for_user set_tfa_config_for_user
                login_status verify_login unlock_user generate_recovery_codes
                )
        ),
        qw(applist batch uapi_cpanel cpanel)
    ],
    uapi => [
        qw(
            generate_user_configuration get_user_configuration set_user_configuration remove_user_configuration
            get_team_user_configuration generate_recovery_codes
            )
    ],
);

for my $name ( @{ $FUNCTIONS{whm} } ) {
    no strict 'refs';
    *$name = sub {
        my ( $self, $caller ) = splice @_, 0, 2;
        return _whm_data( $name, $self->whmapi1( $caller, $name, @_ ) );
    };
}

for my $name ( @{ $FUNCTIONS{uapi} } ) {
    no strict 'refs';
    *$name = sub {
        my ( $self, $caller ) = splice @_, 0, 2;
        return _uapi_data( $name, $self->uapi( $caller, 'TwoFactorAuth', $name, @_ ) );
    };
}

sub new {
    my $class = shift;
    my %config = _pairs( 'new', @_ );
    my %callback = map { $_ => delete $config{$_} } qw(lookup on_audit);
    for my $name ( sort keys %callback ) {
        _croak(qq{The parameter "$name" is not valid: it is not a code reference})
            if defined $callback{$name} && ref $callback{$name} ne 'CODE';
    }
    my ( $self, $error ) = _open(
        ref $class || $class,
        %config ? _encode( _numbers( \%config ) ) : undef,
        $callback{lookup}   && _answering( $callback{lookup} ),
        $callback{on_audit} && _hearing( $callback{on_audit} )
    );
    _throw( 'open', _decode($error)->{error} ) if !$self;
    return $self;
}

sub whmapi1 {
    my ( $self, $caller, $function ) = splice @_, 0, 3;
    return _decode( _whmapi1( $self, _named( caller => $caller ), _named( function => $function ), _arguments( $function, @_ ) ) );
}

sub uapi {
    my ( $self, $caller, $module, $function ) = splice @_, 0, 4;
    return _decode(
        _uapi( $self, _named( caller => $caller ), _named( module => $module ), _named( function => $function ), _arguments( $function, @_ ) )
    );
}

sub http {
    my ( $self, $caller, $method, $target, $body ) = @_;
    return _decode(
        _http(
            $self,
            ( map { _named(@$_) } [ caller => $caller ], [ method => $method ], [ target => $target ] ),
            defined $body ? _named( body => $body ) : undef
        )
    );
}

sub functions { return _decode( _functions() ) }

sub secret        { return _answer( secret        => _secret( _stateless_arguments( secret        => @_ ) ) )->{secret} }
sub otpauth       { return _answer( otpauth       => _otpauth( _stateless_arguments( otpauth      => @_ ) ) )->{otpauth_str} }
sub otpauth_parse { return _answer( otpauth_parse => _otpauth_parse( _stateless_arguments( otpauth_parse => @_ ) ) ) }

sub qr {
    my $answer = _answer( qr => _qr( _stateless_arguments( qr => @_ ) ) );
    return $answer->{qr} if $answer->{content_type} ne 'image/png';
    require MIME::Base64;
    return MIME::Base64::decode_base64( $answer->{qr} );
}

sub function_names {
    my ($door) = @_;
    return @{ $FUNCTIONS{$door} };
}

sub dropin_directory {
    ( my $directory = __FILE__ ) =~ s{\.pm\z}{/dropin};
    return $directory;
}

# ---------------------------------------------------------------- answers

sub _whm_data {
    my ( $command, $envelope ) = @_;
    return $envelope if !exists $envelope->{metadata};    # the answer of "cpanel" has an envelope of its own
    _throw( $command, $envelope->{metadata}{reason} ) if !$envelope->{metadata}{result};
    return exists $envelope->{data} ? $envelope->{data} : {};
}

sub _uapi_data {
    my ( $command, $result ) = @_;
    _throw( $command, join ' ', @{ $result->{errors} || [] } ) if !$result->{status};
    return defined $result->{data} ? $result->{data} : {};
}

sub _answer {
    my ( $command, $json ) = @_;
    my $answer = _decode($json);
    _throw( $command, $answer->{error} ) if exists $answer->{error};
    return $answer;
}

sub _throw {
    my ( $command, $reason ) = @_;
    require Authen::TFA::Error;
    Authen::TFA::Error->throw( command => $command, reason => $reason );
}

# ---------------------------------------------------------------- arguments

sub _croak {
    require Carp;
    local $Carp::Internal{ +__PACKAGE__ } = 1;
    Carp::croak(@_);
}

# A hash reference, or name => value pairs.
sub _pairs {
    my $function = shift;
    return %{ $_[0] } if @_ == 1 && ref $_[0] eq 'HASH';
    _croak("$function takes name => value pairs or one hash reference") if @_ % 2;
    return @_;
}

# A string that may cross the border, or a croak that names the parameter.
sub _named {
    my ( $name, $value ) = @_;
    _croak(qq{The parameter "$name" is required.}) if !defined $value;
    _croak(qq{The parameter "$name" is not valid: it is a reference})
        if ref $value && !( $INC{'overload.pm'} && overload::Method( $value, '""' ) );
    $value = "$value";
    _croak(qq{The parameter "$name" is not valid: it contains a NUL character}) if index( $value, "\0" ) >= 0;
    return $value;
}

# Perl does not tell numbers from strings and the library's parameters are strings, so that is what is sent, at any depth.
sub _stringified {
    my ( $name, $value ) = @_;
    return { map { $_ => _stringified( $_, $value->{$_} ) } keys %$value } if ref $value eq 'HASH';
    return [ map { _stringified( $name, $_ ) } @$value ] if ref $value eq 'ARRAY';
    return _named( $name, $value );
}

# Where the library wants numbers, Perl programs may have read them from anywhere as strings. What is no number stays, to be refused.
# Where it wants true or false, which JSON writes by names of their own, what Perl takes for true is true.
sub _numbers {
    my ($given) = @_;
    my %copy = %$given;
    ref $copy{$_} eq 'HASH' and $copy{$_} = _numbers( $copy{$_} ) for qw(lockout audit);
    $copy{syslog} = $copy{syslog} ? \1 : \0 if defined $copy{syslog};
    for my $key (qw(length secret_length digits period skew failures seconds max_seconds hard_limit days)) {
        $copy{$key} += 0 if defined $copy{$key} && $copy{$key} =~ /\A[0-9]{1,9}\z/;
    }
    return \%copy;
}

# The arguments of a function as JSON text, or undef when there are none.
sub _arguments {
    my %given = _pairs(@_);
    return %given ? _encode( _stringified( args => \%given ) ) : undef;
}

# Stateless functions may be called as methods, with the invocant first: before pairs that makes the count odd.
sub _stateless_arguments {
    my $function = shift;
    shift if @_ % 2 && ref $_[0] ne 'HASH' || @_ == 2 && ref $_[1] eq 'HASH';
    my %given = _pairs( $function, @_ );
    return %given ? _encode( _numbers( _stringified( args => \%given ) ) ) : undef;
}

# What the library's lookup calls: gives JSON, or undef for "no such thing", or dies with a plain string when it cannot be told.
# The warning is given here and not in C, where a __WARN__ handler that dies would jump across the library.
sub _answering {
    my ($lookup) = @_;
    return sub {
        my $answer;
        eval { $answer = $lookup->(@_); 1 } or do {
            warn "Authen::TFA: the account directory failed: $@";
            die "failed\n";
        };
        return undef if !defined $answer;
        my $reply = _stringified( answer => $answer );
        $reply->{reseller} = $answer->{reseller} ? 1 : 0 if ref $reply eq 'HASH';
        return _encode($reply);
    };
}

# What the library tells of each line of the audit trail. Nothing that the callback dies of matters to the library, nor
# what a __WARN__ handler makes of the warning.
sub _hearing {
    my ($on_audit) = @_;
    return sub {
        my ($line) = @_;
        eval { $on_audit->( _decode($line) ); 1 } or warn "Authen::TFA: the audit callback failed: $@";
        return;
    };
}

# ---------------------------------------------------------------- JSON

my ( $encoder, $decoder );

# ASCII goes out, so that the text is the same as characters and as bytes; UTF-8 comes back.
sub _encode {
    require JSON::PP;
    return ( $encoder ||= JSON::PP->new->ascii->allow_nonref )->encode( $_[0] );
}

sub _decode {
    require JSON::PP;
    return ( $decoder ||= JSON::PP->new->utf8->allow_nonref )->decode( $_[0] );
}

1;
