# Reading an argument can run Perl code that frees and changes every other argument of the call: an overloaded object, a tied variable. Each XS function is
# called with such an argument in each place. xt/valgrind.t runs this test under valgrind, which finds each use of freed memory.
use strict;
use warnings;

use B ();
use lib 't/lib';
use Test::More;
use TestTFA;
use Authen::TFA ();

my @stack;    # the arguments of the call that is running
my $read;     # whether the evil argument was read

my $effect;   # what reading it does: 'frees' the arguments, or 'changes' them first
my @reused;   # takes the memory that was freed

# Frees every argument, the evil one included, after replacing their buffers when it is to change them.
sub destroy_arguments {
    $read = 1;
    for ( grep { $effect eq 'changes' && !tied $_ } @stack ) {
        $_ = 'y' x 4096;
        undef $_;
    }
    @stack  = ();
    @reused = map { 'z' x $_ } 1 .. 200;
    return;
}

{
    package Overloaded;
    use overload '""' => sub { my $value = $_[0]{value}; main::destroy_arguments(); return $value }, bool => sub { 1 }, fallback => 1;
    sub new { my ( $class, $value ) = @_; return bless { value => $value }, $class }
}
{
    package Tied;
    sub TIESCALAR { my ( $class, $value ) = @_; return bless { value => $value }, $class }
    sub FETCH { my ($self) = @_; my $value = $self->{value}; main::destroy_arguments(); return $value }
    sub STORE { return }
}

# An object or a buffer to which nothing else refers.
my %config = config();
sub fresh {
    my ($value) = @_;
    return Authen::TFA->new(%config) if ref $value eq 'Authen::TFA';
    return ref $value || !defined $value ? $value : join '', split //, $value;
}

my %evil = (
    overloaded => sub { my ( $place, $value ) = @_; $stack[$place] = Overloaded->new($value) },
    tied       => sub { my ( $place, $value ) = @_; tie $stack[$place], 'Tied', $value },
);

# ---------------------------------------------------------------- the functions and their arguments, from the module itself

my @functions = do {
    no strict 'refs';
    grep { defined &{"Authen::TFA::$_"} && B::svref_2object( \&{"Authen::TFA::$_"} )->FILE eq 'TFA.c' } sort keys %Authen::TFA::;
};

# The names of the arguments, as the usage message has them, or none when the function takes a list.
sub parameters {
    my ($name) = @_;
    return if eval { Authen::TFA->can($name)->(); 1 };
    my ($list) = $@ =~ /^Usage: Authen::TFA::\w+\(([^)]*)\)/ or return;
    return map { /^\s*(\w+)/ } split /,/, $list;
}

# The names of a list of pairs are those of the example in the documentation, with the other form of the secret.
my $pod = do { open my $page, '<', 'lib/Authen/TFA.pod' or die $!; local $/; <$page> };

sub pairs {
    my ($name) = @_;
    my ($example) = $pod =~ /^=head2 \Q$name\E\n+    my \$\w+ = \w+\( (.*) \);$/m or return;
    my @names = $example =~ /(\w+) =>/g;
    return ( [@names], [ map { $_ eq 'secret' ? 'key' : $_ } @names ] );
}

my $tfa = Authen::TFA->new(%config);
my %value = (
    self => $tfa, class => 'Authen::TFA', config => '{"skew":1}', to_lookup => undef, to_audit => undef,
    subject => 'example', code => '123456', caller => 'root', module => 'TwoFactorAuth', arguments => '{"user":"example"}',
    method => 'GET', target => '/json-api/applist?api.version=1', body => 'user=example', text => 'GEZDGNBVGY3TQOJQ',
    secret => 'GEZDGNBVGY3TQOJQ', key => '12345678901234567890', algorithm => 'SHA1', digits => 6, period => 30, time => 59, counter => 1, skew => 1,
    step => \my $step,
);
$value{function} = ( Authen::TFA::function_names('whm') )[0];

sub call_with_evil {
    my ( $name, $kind, $place, @arguments ) = @_;
    @stack = map { fresh($_) } @arguments;
    $evil{$kind}->( $place, fresh( $arguments[$place] ) );
    $read = 0;
    local $SIG{__WARN__} = sub { };    # the pairs that are left are not what they were
    return eval { Authen::TFA->can($name)->(@stack) };
}

my ( %tried, %was_read );
for my $name (@functions) {
    my @parameters = parameters($name);
    is_deeply [ grep { !exists $value{$_} } @parameters ], [], "$name: this test has values for its arguments";
    my @lists = @parameters ? [ @value{@parameters} ] : map { [ map { ( $_ => $value{$_} ) } @$_ ] } pairs($name);
    for my $list (@lists) {
        for my $place ( 0 .. $#$list ) {
            for my $kind ( sort keys %evil ) {
                for ( 'changes', 'frees' ) {
                    $effect = $_;
                    call_with_evil( $name, $kind, $place, @$list );
                    $tried{$name}++;
                    $was_read{$name} += $read;
                }
            }
        }
    }
}
cmp_ok scalar( keys %tried ), '>', 10, 'functions with arguments were found';
is_deeply [ grep { !$was_read{$_} } sort keys %tried ], [], 'each read its evil arguments';

# Arguments that are freed keep their values until the call ends, before and after the place of the evil one.
$effect = 'frees';
for my $kind ( sort keys %evil ) {
    for my $place ( 1 .. 4 ) {
        my $answer = call_with_evil( '_uapi', $kind, $place, $tfa, 'root', 'TwoFactorAuth', 'no_such_function', '{}' );
        like $answer, qr/"no_such_function/, "$kind, in place $place: the other arguments keep their values";
    }
    my @pairs = ( key => '12345678901234567890', counter => '1', digits => '6', algorithm => 'SHA1' );
    is call_with_evil( 'hotp', $kind, $_, @pairs ), '287082', "$kind, in place $_ of pairs" for 1, 3, 5, 7;
}
is $tfa->login('example'), 2, 'the object still works';

done_testing;
