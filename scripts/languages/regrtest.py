"""
Runs a module of CPython's tests as regrtest does, except the tests named after it, and prints a line of
JSON for each.
"""
import json
import os
import sys
import unittest

from test.libregrtest import cmdline, main, setup, single
from test.libregrtest.result import State

module, *excluded = sys.argv[1:]


def say(how, test, text=""):
    sys.__stdout__.write("@@" + json.dumps([how, test, text]) + "\n")
    sys.__stdout__.flush()


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        say("begin", test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            say("fail", test.id(), f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addSuccess(self, test):
        say("pass", test.id())

    def addError(self, test, err):
        super().addError(test, err)
        say("fail", test.id(), self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        say("fail", test.id(), self._exc_info_to_string(err, test))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        say("fail", test.id(), "it was expected to fail")

    def addExpectedFailure(self, test, err):
        say("pass", test.id())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        say("skip", test.id(), reason)


def kept(suite):
    """The suite without what is excluded, its classes together."""
    return unittest.TestSuite(
        kept(test) if isinstance(test, unittest.TestSuite) else test
        for test in suite
        if isinstance(test, unittest.TestSuite) or test.id() not in excluded
    )


class Runner:
    def run(self, suite):
        result = Result()
        kept(suite).run(result)
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
