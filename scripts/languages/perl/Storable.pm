package Storable;

# In place of the module, whose code in C this build of Perl has not: a copy of plain data.

use strict;
use warnings;
use parent "Exporter";

our $VERSION = "3.37";
our @EXPORT_OK = qw(dclone);

sub dclone {
    my ($value) = @_;
    my $kind = ref $value;
    return [map { ref $_ ? dclone($_) : $_ } @$value] if $kind eq "ARRAY";
    return { map { ref $_ ? dclone($_) : $_ } %$value } if $kind eq "HASH";
    die "a $kind cannot be copied";
}

1;
