"""
Runs a module of CPython's tests as regrtest does, except the tests named after it, and prints a line of
JSON for each.
"""
import os
import sys

from lines import Result, kept, say
from test.libregrtest import cmdline, main, setup, single
from test.libregrtest.result import State

module, *excluded = sys.argv[1:]


class Runner:
    def run(self, suite):
        result = Result()
        kept(suite, excluded).run(result)
        return result


single.get_test_runner = lambda *words, **options: Runner()
os.chdir(os.environ["TMPDIR"])
setup.setup_process()
options = cmdline._parse_args(["--fast-ci", "--randseed=1", module])
ended = single.run_single_test(module, main.Regrtest(options).create_run_tests((module,)))
if ended.state in (State.SKIPPED, State.RESOURCE_DENIED):
    say("skip", module, ended.state)
elif ended.state not in (State.PASSED, State.FAILED, State.DID_NOT_RUN):
    say("fail", module, ended.state)
say("end", module)
