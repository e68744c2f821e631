
# WASI has no processes: a test that looks at what another perl has done is skipped.
{
    no warnings 'redefine';
    my $started = 0;
    my $told = \&_ok;
    *_ok = sub {
        goto &$told unless $started;
        $started = 0;
        _print "ok $test # skip WASI has no processes\n";
        $test = $test + 1;
        return 1;
    };
    *runperl = *run_perl = *fresh_perl = sub { $started = 1; return "" };
    *watchdog = sub ($;$) { };
    *which_perl = sub { return "./perl" };
}
1;
