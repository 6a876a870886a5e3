# A tied hash that keeps its keys in the order in which they were first stored: what a sorted answer of the library decodes to.
package Authen::TFA::OrderedHash;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

# The object: the values by key, the keys in order, and the place of the iterator.
sub TIEHASH { return bless { value => {}, keys => [], at => 0 }, shift }

sub STORE {
    my ( $self, $key, $value ) = @_;
    push @{ $self->{keys} }, $key if !exists $self->{value}{$key};
    return $self->{value}{$key} = $value;
}

sub FETCH  { return $_[0]{value}{ $_[1] } }
sub EXISTS { return exists $_[0]{value}{ $_[1] } }
sub SCALAR { return scalar @{ $_[0]{keys} } }

sub DELETE {
    my ( $self, $key ) = @_;
    return undef if !exists $self->{value}{$key};
    my ($place) = grep { $self->{keys}[$_] eq $key } 0 .. $#{ $self->{keys} };
    splice @{ $self->{keys} }, $place, 1;
    $self->{at}-- if $place < $self->{at};    # each() may delete the key that it has just returned
    return delete $self->{value}{$key};
}

sub CLEAR {
    my ($self) = @_;
    @{$self}{qw(value keys at)} = ( {}, [], 0 );
    return;
}

sub FIRSTKEY {
    my ($self) = @_;
    $self->{at} = 0;
    return $self->NEXTKEY;
}

sub NEXTKEY {
    my ($self) = @_;
    return $self->{keys}[ $self->{at}++ ];
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::OrderedHash - a hash that keeps the order of its keys

=head1 DESCRIPTION

For L<Authen::TFA> only: answers to calls that sort (C<api.sort.enable> and the like) are tied to this class, so that C<keys>, C<values> and C<each> follow the
order of the answer.

=cut
