# Makes the same calls to an original module and to our drop-in, and compares the results.
#
# Each runs in a child process of its own, since both have the same name. A case is a constructor call and a list of method calls; an answer
# is the result, whether the call died, and the fields of the object afterwards. Both have the same fixed time.
package Oracle;

use strict;
use warnings;

use Exporter 'import';
use Storable qw(store_fd fd_retrieve);
use Test::More;

use Authen::TFA ();

our @EXPORT = qw(answers compare pick chars NOW);

use constant NOW => 1_700_000_015;

sub pick { return $_[ rand @_ ] }

sub chars {
    my ( $count, @alphabet ) = @_;
    return join '', map { pick(@alphabet) } 1 .. $count;
}

# The answers of one of the two modules to all cases: $perform->($case) gives the list of answers, after the module was loaded by $load.
sub answers {
    my ( $which, $load, $perform, $cases ) = @_;
    pipe my $reader, my $writer or die $!;
    my $pid = fork;
    die "fork: $!" if !defined $pid;
    if ( !$pid ) {
        close $reader;
        no warnings 'once';
        *CORE::GLOBAL::time = sub { NOW };
        unshift @INC, Authen::TFA->dropin_directory if $which eq 'dropin';
        local $SIG{__WARN__} = sub { };
        my $answers = eval {
            $load->();
            [ map { [ $perform->($_) ] } @$cases ];
        };
        store_fd( $answers || [ "could not run the $which: $@" ], $writer );
        close $writer;
        require POSIX;
        POSIX::_exit(0);
    }
    close $writer;
    my $answers = fd_retrieve($reader);
    waitpid $pid, 0;
    die $answers->[0] if !ref $answers->[0];
    return $answers;
}

# One call, as plain data: { value => [...] } or { died => 'text' }, objects as their strings.
sub outcome {
    my ($code) = @_;
    my @value;
    return eval { @value = $code->(); 1 } ? { value => [ map { plain($_) } @value ] } : { died => "$@" };
}

sub plain {
    my ($value) = @_;
    return $value if !defined $value;
    return [ map { plain($_) } @$value ] if ref $value eq 'ARRAY';
    return { map { $_ => plain( $value->{$_} ) } keys %$value } if ref $value eq 'HASH';
    return "$value";
}

# Compares answer by answer. $corrected->($case, $call, $original, $before) names the corrected fault that a call runs into and gives a check for
# what ours does instead: then the rest of that case is left, since the two go different ways from there. Everything else must agree.
sub compare {
    my ( $cases, $original, $dropin, $corrected ) = @_;
    my ( %count, %faults, @different );
    for my $number ( 0 .. $#$cases ) {
        my $case   = $cases->[$number];
        my $before = {};
        for my $at ( 0 .. $#{ $case->{calls} } ) {
            my ( $call, $theirs, $ours ) = ( $case->{calls}[$at], $original->[$number][$at], $dropin->[$number][$at] );
            $count{ $call->[0] }++;
            if ( my ( $fault, $check ) = $corrected->( $case, $call, $theirs, $before ) ) {
                $faults{$fault}++;
                push @different, "$fault: " . show( $case, $call, $theirs, $ours ) if !$check->( $ours, $theirs );
                last;
            }
            push @different, show( $case, $call, $theirs, $ours ) if !same( $theirs, $ours );
            last if exists $theirs->{died};
            $before = $theirs->{object} || {};
        }
    }
    return ( \%count, \%faults, \@different );
}

# Both died, or both gave the same. Texts of errors may differ: ours do not repeat secrets.
sub same {
    my ( $theirs, $ours ) = @_;
    return 1 if exists $theirs->{died} && exists $ours->{died};
    return 0 if exists $theirs->{died} || exists $ours->{died};
    return flat($theirs) eq flat($ours);
}

sub flat {
    my ($value) = @_;
    return 'undef' if !defined $value;
    return '[' . join( ',', map { flat($_) } @$value ) . ']' if ref $value eq 'ARRAY';
    return '{' . join( ',', map { "$_=>" . flat( $value->{$_} ) } sort keys %$value ) . '}' if ref $value eq 'HASH';
    return "'$value'";
}

sub show {
    my ( $case, $call, $theirs, $ours ) = @_;
    my $text = join ' ', 'new' . flat( $case->{new} ), flat($call), "\n  original", flat($theirs), "\n  drop-in ", flat($ours);
    $text =~ s/([^\x20-\x7e\n])/sprintf '\x{%x}', ord $1/ge;
    return $text;
}

1;
