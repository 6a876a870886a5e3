# JSON for Authen::TFA, by the fastest module that is installed. Promises that encoded pairs keep their order, and that decode_ordered keeps the
# order of keys. Loaded at the first call that needs it.
package Authen::TFA::JSON;

require 5.016;
use strict;
use warnings;

our $VERSION = '0.1.0';

my @BACKENDS = qw(Cpanel::JSON::XS JSON::XS JSON::PP);
my ( $encoder, $decoder );

sub backend {
    my ($class) = grep { local ( $@, $SIG{__DIE__} ); ( my $file = "$_.pm" ) =~ s{::}{/}g; eval { require $file } } @BACKENDS;
    return $class;
}

# ASCII text, which is the same as characters and as UTF-8.
sub encode {
    return ( $encoder ||= backend()->new->ascii->allow_nonref->canonical )->encode( $_[0] );
}

# UTF-8 bytes in, characters out.
sub decode {
    return ( $decoder ||= backend()->new->utf8->allow_nonref )->decode( $_[0] );
}

# A JSON object with the names in the order given. A name that is repeated keeps its first place and takes its last value.
sub encode_pairs {
    my ( @names, %values );
    while (@_) {
        my ( $name, $value ) = splice @_, 0, 2;
        push @names, $name if !exists $values{$name};
        $values{$name} = $value;
    }
    return '{' . join( ',', map { encode("$_") . ':' . encode( $values{$_} ) } @names ) . '}';
}

# Like decode, with every object as a hash that keeps the order of its keys.
sub decode_ordered {
    my ($text) = @_;
    require Authen::TFA::OrderedHash;
    return _ordered( \$text );
}

my $STRING = qr/"(?:[^"\\]++|\\.)*+"/s;

# One value at the position of a text that is known to be JSON.
sub _ordered {
    my ($text) = @_;
    if ( $$text =~ /\G\s*\{/gc ) {
        tie my %hash, 'Authen::TFA::OrderedHash';
        while ( $$text =~ /\G[\s,]*($STRING)\s*:/gc ) {
            my $name = decode($1);
            $hash{$name} = _ordered($text);
        }
        $$text =~ /\G\s*\}/gc;
        return \%hash;
    }
    if ( $$text =~ /\G\s*\[/gc ) {
        my @list;
        while ( $$text =~ /\G[\s,]*+(?!\])/gc ) { push @list, _ordered($text) }
        $$text =~ /\G\s*\]/gc;
        return \@list;
    }
    $$text =~ /\G\s*($STRING|[^\s,\]\}]++)/gc or die "The answer of libtfa is not JSON\n";
    return decode($1);
}

1;

__END__

=encoding utf8

=head1 NAME

Authen::TFA::JSON - JSON by the fastest module that is installed

=head1 DESCRIPTION

For L<Authen::TFA> only. Cpanel::JSON::XS is used when it is installed, then JSON::XS, then JSON::PP of the Perl core.

=head1 FUNCTIONS

=head2 backend

The name of the module in use.

=head2 encode

C<encode($value)> returns ASCII text.

=head2 encode_pairs

C<encode_pairs(@pairs)> returns an object with the names in the order given.

=head2 decode

C<decode($bytes)> returns the value of UTF-8 text.

=head2 decode_ordered

C<decode_ordered($bytes)> returns the value with every object as an L<Authen::TFA::OrderedHash>.

=cut
