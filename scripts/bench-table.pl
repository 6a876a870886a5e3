#!/usr/bin/env perl
# Formats the JSON lines of the benchmarks as docs/benchmarks.md: bench-table.pl LINES
use strict;
use warnings;
use utf8;
use JSON::PP qw(decode_json);

sub first_line { my ( $path, $pattern ) = @_; open my $file, '<', $path or return 'unknown'; /$pattern/ and return $1 while <$file>; return 'unknown' }

# 1234567 as 1,234,567.
sub grouped { my ($number) = @_; 1 while $number =~ s/^(\d+)(\d{3})/$1,$2/; return $number }

# Nanoseconds in a readable unit, bytes in digits.
sub shown {
    my ( $value, $name ) = @_;
    return '' if !defined $value;
    return grouped( sprintf '%.0f', $value ) if $name =~ /bytes|memory/;
    return sprintf '%.2f ms', $value / 1e6 if $value >= 1e6;
    return sprintf '%.1f µs', $value / 1e3 if $value >= 1e4;
    return sprintf '%.2f µs', $value / 1e3 if $value >= 1e3;
    return sprintf '%.0f ns', $value;
}

binmode STDOUT, ':encoding(UTF-8)';
chomp( my $date = `date -u +%F`, my $cores = `nproc`, my $kernel = `uname -r` );
my $processor = first_line( '/proc/cpuinfo', qr/^model name\s*:\s*(.*)/ );
my $debian    = first_line( '/etc/os-release', qr/^PRETTY_NAME="(.*)"/ );

print <<"END";
# Benchmarks

`make bench` wrote this page on $date: $processor, $cores cores, $debian, Linux $kernel (a virtual machine). Each ratio is that of
libtfa to the peer, both measured in turn in one run; times are medians. A target is an upper bound of the ratio unless it says
otherwise.
END

open my $lines, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (<$lines>) {
    my $line = decode_json($_);
    if ( my $section = $line->{section} ) {
        print "\n## $section\n\n| | ours | peer | ratio | target |\n|---|---:|---:|---:|---:|\n";
        next;
    }
    my $name = $line->{name};
    print '| ', join( ' | ', $name, shown( $line->{ours}, $name ), shown( $line->{peer}, $name ), map { $_ // '' } @$line{qw(ratio target)} ), " |\n";
}
