# Authen::TFA: libtfa for Perl. Promises that every function of the library's registry is a method which returns plain data or throws an
# Authen::TFA::Error, and that the functions for one-time codes cost little more than the C calls.
# JSON, Carp and the error class are loaded at first use: a panel's short-lived scripts load this module often.
package Authen::TFA;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

# qr is not exported: Perl reads that name as its quoting operator, so it is called as Authen::TFA::qr or as a method.
our @EXPORT_OK = qw(hotp totp verify base32_decode secret otpauth otpauth_parse);
our %EXPORT_TAGS = ( all => \@EXPORT_OK );

# Exporter is loaded only when something is imported: it costs a millisecond.
sub import {
    return if @_ == 1;
    require Exporter;
    goto &Exporter::import;
}

require XSLoader;
XSLoader::load( __PACKAGE__, $VERSION );

sub new {
    my $class = shift;
    my %config = _pairs( 'new', @_ );
    my %callback = map { $_ => delete $config{$_} } qw(lookup on_audit);
    for my $name ( sort keys %callback ) {
        _croak(qq{The parameter "$name" is not valid: it is not a code reference})
            if defined $callback{$name} && ref $callback{$name} ne 'CODE';
    }
    my $opened = _open(
        ref $class || $class,
        %config ? _encode( _typed( \%config ) ) : undef,
        $callback{lookup}   && _lookup_for( $callback{lookup} ),
        $callback{on_audit} && _audit_for( $callback{on_audit} )
    );
    _throw( 'open', _decode($opened) ) if !ref $opened;
    return $opened;
}

# Calls that return the library's whole answer.

sub whmapi1 {
    my ( $self, $caller, $function ) = splice @_, 0, 3;
    my $arguments = _arguments( $function, @_ );
    return _answer_to( $arguments, _whmapi1( $self, _named( caller => $caller ), _named( function => $function ), $arguments ) );
}

sub uapi {
    my ( $self, $caller, $module, $function ) = splice @_, 0, 4;
    my $arguments = _arguments( $function, @_ );
    return _answer_to( $arguments,
        _uapi( $self, _named( caller => $caller ), _named( module => $module ), _named( function => $function ), $arguments ) );
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

# Functions without a store.

sub secret        { return _data_of( secret        => _secret( _stateless_arguments( secret => @_ ) ) )->{secret} }
sub otpauth       { return _data_of( otpauth       => _otpauth( _stateless_arguments( otpauth => @_ ) ) )->{otpauth_str} }
sub otpauth_parse { return _data_of( otpauth_parse => _otpauth_parse( _stateless_arguments( otpauth_parse => @_ ) ) ) }

sub qr {
    my $picture = _data_of( qr => _qr( _stateless_arguments( qr => @_ ) ) );
    return $picture->{qr} if $picture->{content_type} ne 'image/png';
    require MIME::Base64;
    return MIME::Base64::decode_base64( $picture->{qr} );
}

# One-time codes by the library's JSON functions: what codes.c leaves to them, errors included.

sub _totp { return _data_of( totp => _code( _code_arguments( totp => @_ ) ) )->{code} }
sub _hotp { return _data_of( hotp => _code( _code_arguments( hotp => @_, type => 'hotp' ) ) )->{code} }

sub _verify {
    my @given = @_;
    my ($at) = grep { $_ % 2 == @given % 2 && $given[$_] eq 'step' } 0 .. $#given;
    my ( undef, $step ) = defined $at ? splice @given, $at, 2 : ();
    _croak('The parameter "step" is not valid: it is not a reference to a variable') if defined $at && !( ref $step && !Internals::SvREADONLY($$step) );
    my $verdict = _data_of( verify => _verify_code( _code_arguments( verify => @given ) ) );
    $$step = $verdict->{step} if defined $at && $verdict->{is_valid};
    return !!$verdict->{is_valid};
}

# A secret is given as Base32 or as bytes, which JSON carries as hexadecimal. A moment can have a fraction, as from Time::HiRes.
sub _code_arguments {
    my ( $function, @given ) = @_;
    shift @given if @given % 2;
    my %given = @given;
    _croak('One of the parameters "secret" (Base32) and "key" (bytes) is required.') if exists $given{secret} == exists $given{key};
    if ( exists $given{key} ) {
        my $key = delete $given{key};
        _croak('The parameter "key" is required.') if !defined $key;
        utf8::downgrade( $key, 1 ) or _croak('The parameter "key" is not valid: it contains a wide character');
        $given{secret_hex} = unpack 'H*', $key;
    }
    $given{time} = int $given{time} if defined $given{time} && $given{time} =~ /\A[0-9]+\.[0-9]+\z/;
    return _arguments( $function, %given );
}

# ---------------------------------------------------------------- methods by the names of the registry

my $registry;    # the rows of the library's registry
my %methods;     # their names, each with a method

sub functions {
    $registry ||= _decode( _functions() );
    return $registry;
}

# The names of an API's functions, in the order of the registry: 'whm' or 'uapi'.
sub function_names {
    my ($api) = @_;
    return map { $_->{name} } grep { $_->{api} eq $api } @{ functions() };
}

sub _methods {
    %methods = map { ( $_->{name} => $_->{api} eq 'whm' ? _whm_method( $_->{name} ) : _uapi_method( $_->{name} ) ) } @{ functions() } if !%methods;
    return \%methods;
}

sub _whm_method {
    my ($name) = @_;
    return sub {
        my ( $self, $caller ) = splice @_, 0, 2;
        return _whm_data( $name, $self->whmapi1( $caller, $name, @_ ) );
    };
}

sub _uapi_method {
    my ($name) = @_;
    return sub {
        my ( $self, $caller ) = splice @_, 0, 2;
        return _uapi_data( $name, $self->uapi( $caller, 'TwoFactorAuth', $name, @_ ) );
    };
}

# The registry is read at the first call of a method, so that loading costs nothing and a library that lacks a function fails at the call.
sub AUTOLOAD {
    my ($name) = our $AUTOLOAD =~ /([^:]+)\z/;
    my $method = $name =~ /\A_/ ? undef : _methods()->{$name};
    _croak( qq{libtfa @{[ version() ]} has no function "$name", which was called} ) if !$method;
    no strict 'refs';
    *$name = $method;
    goto &$method;
}

sub can {
    my ( $class, $name ) = @_;
    return UNIVERSAL::can( $class, $name ) || _methods()->{$name};
}

sub DESTROY { return }    # AUTOLOAD must not look for it

sub dropin_directory {
    ( my $directory = __FILE__ ) =~ s{\.pm\z}{/dropin};
    return $directory;
}

# ---------------------------------------------------------------- answers

sub _whm_data {
    my ( $command, $envelope ) = @_;
    my $metadata = $envelope->{metadata};
    return $envelope if !$metadata;    # the answer of "cpanel" has an envelope of its own
    _throw( $command, $metadata ) if !$metadata->{result};
    return exists $envelope->{data} ? $envelope->{data} : {};
}

sub _uapi_data {
    my ( $command, $result ) = @_;
    _throw( $command, { %{ $result->{metadata} || {} }, reason => join ' ', @{ $result->{errors} || [] } } ) if !$result->{status};
    return defined $result->{data} ? $result->{data} : {};
}

sub _data_of {
    my ( $command, $json ) = @_;
    my $answer = _decode($json);
    _throw( $command, $answer ) if exists $answer->{error};
    return $answer;
}

# Throws what a failed answer says: its reason, as "reason" or "error", and the code of it.
sub _throw {
    my ( $command, $failure ) = @_;
    my ($reason) = grep { defined } @{$failure}{qw(reason error)};
    require Authen::TFA::Error;
    Authen::TFA::Error->throw( command => $command, reason => $reason, reason_code => $failure->{reason_code} );
}

# ---------------------------------------------------------------- arguments

sub _croak {
    require Carp;
    local $Carp::Internal{ +__PACKAGE__ } = 1;
    Carp::croak(@_);
}

# Name => value pairs, from a list or from one hash reference. The names of a hash come with user-2 before user-10.
sub _pairs {
    my $function = shift;
    if ( @_ == 1 && ref $_[0] eq 'HASH' ) {
        my %given = %{ $_[0] };
        return map { $_ => $given{$_} } sort { length $a <=> length $b || $a cmp $b } keys %given;
    }
    _croak("$function takes name => value pairs or one hash reference") if @_ % 2;
    return @_;
}

# A string that the library can take, or a croak that names the parameter.
sub _named {
    my ( $name, $value ) = @_;
    _croak(qq{The parameter "$name" is required.}) if !defined $value;
    _croak(qq{The parameter "$name" is not valid: it is a reference})
        if ref $value && !( $INC{'overload.pm'} && overload::Method( $value, '""' ) );
    $value = "$value";
    _croak(qq{The parameter "$name" is not valid: it contains a NUL character}) if index( $value, "\0" ) >= 0;
    return $value;
}

# Perl does not distinguish numbers from strings, and the library's parameters are strings: strings are sent, at any depth.
sub _stringified {
    my ( $name, $value ) = @_;
    return { map { $_ => _stringified( $_, $value->{$_} ) } keys %$value } if ref $value eq 'HASH';
    return [ map { _stringified( $name, $_ ) } @$value ] if ref $value eq 'ARRAY';
    return _named( $name, $value );
}

sub _stringified_pairs {
    my @pairs = @_;
    return map { $_ % 2 ? _stringified( @pairs[ $_ - 1, $_ ] ) : $pairs[$_] } 0 .. $#pairs;
}

# The configuration's numbers and switches are typed. Outside the account directory no text consists of digits alone.
sub _typed {
    my ($given) = @_;
    my %copy = %$given;
    for my $key ( grep { $_ ne 'accounts' && defined $copy{$_} } keys %copy ) {
        my $value = $copy{$key};
        $copy{$key} = ref $value eq 'HASH' ? _typed($value) : _is_false($value) || $value =~ /\A[0-9]{1,9}\z/ ? int $value : $value;
    }
    return \%copy;
}

# Whether a value is what Perl's operators return for false: the empty string that is also the number 0, as xor shows.
sub _is_false {
    my ($value) = @_;
    return !ref $value && $value eq '' && length( $value ^ $value );
}

# The arguments of a function as JSON text, or undef when there are none.
sub _arguments {
    my @pairs = _stringified_pairs(&_pairs);
    return @pairs ? _encode_pairs(@pairs) : undef;
}

# Functions without a store can be called as methods, with the invocant first: before pairs that makes the count odd.
sub _stateless_arguments {
    my $function = shift;
    shift if @_ % 2 && ref $_[0] ne 'HASH' || @_ == 2 && ref $_[1] eq 'HASH';
    return _arguments( $function, @_ );
}

# ---------------------------------------------------------------- callbacks

# The code that the library's lookup calls: returns JSON, or undef for "no such thing", or dies with a plain string when there is no answer.
# The warning is given here and not in C, where a __WARN__ handler that dies would unwind the library.
sub _lookup_for {
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

# The code that receives each audit entry. An exception of the callback, or of a __WARN__ handler, does not reach the library.
sub _audit_for {
    my ($on_audit) = @_;
    return sub {
        my ($entry) = @_;
        eval { $on_audit->( _decode($entry) ); 1 } or warn "Authen::TFA: the audit callback failed: $@";
        return;
    };
}

# ---------------------------------------------------------------- JSON

sub _encode       { require Authen::TFA::JSON; goto &Authen::TFA::JSON::encode }
sub _encode_pairs { require Authen::TFA::JSON; goto &Authen::TFA::JSON::encode_pairs }
sub _decode       { require Authen::TFA::JSON; goto &Authen::TFA::JSON::decode }

# The answer to a call with these arguments. The keys of an answer that is sorted keep their order.
sub _answer_to {
    my ( $arguments, $json ) = @_;
    return _decode($json) if !defined $arguments || $arguments !~ /\bapi\.sort/;
    require Authen::TFA::JSON;
    return Authen::TFA::JSON::decode_ordered($json);
}

1;
