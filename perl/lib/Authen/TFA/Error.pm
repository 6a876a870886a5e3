# The exception that Authen::TFA throws when the library refuses a call or cannot answer it. Loaded when the first one is thrown.
package Authen::TFA::Error;

require 5.016;
use strict;
use warnings;

use overload '""' => \&as_string, bool => sub { 1 }, fallback => 1;

our $VERSION = '0.1.0';

sub new {
    my ( $class, %fields ) = @_;
    return bless {%fields}, $class;
}

sub throw {
    my ( $class, %fields ) = @_;
    die $class->new(%fields);
}

sub reason      { $_[0]{reason} }
sub reason_code { $_[0]{reason_code} }
sub command     { $_[0]{command} }

sub as_string {
    my ($self) = @_;
    return "$self->{command}: $self->{reason}";
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::Error - why the library refused a call

=head1 SYNOPSIS

    eval { $tfa->twofactorauth_set_issuer( 'root', issuer => "two\nlines" ); 1 } or do {
        my $error = $@;
        die $error unless ref $error && $error->isa('Authen::TFA::Error');
        print $error->command, ' failed: ', $error->reason, "\n" if $error->reason_code eq 'invalid_parameter';
    };

=head1 DESCRIPTION

The methods of L<Authen::TFA> throw an object of this class when the library refuses a call or cannot answer it. Wrong use of the Perl interface
itself (a parameter that is undefined or of the wrong kind) croaks with a plain string instead, since it is a mistake in the program. Neither ever contains a
secret or a code.

=head1 METHODS

=head2 new

=head2 throw

C<< Authen::TFA::Error->throw( command => $name, reason => $text, reason_code => $code ) >> dies with a new object; C<new> returns one.

=head2 reason

The library's reason, for people to read, such as C<The security code is invalid.> Its wording can change.

=head2 reason_code

The reason as a stable word, for programs, such as C<invalid_code>. The library's F<docs/api.md> lists them. Undefined when the store
cannot be opened, or when the library is older than reason codes.

=head2 command

The function that failed, such as C<twofactorauth_set_tfa_config>.

=head2 as_string

C<"command: reason">, which is also what the object is as a string. The object is always true.

=cut
