"""Runs the tests of a module, except those named after it, and prints a line of JSON for each."""
import json
import os
import sys
import unittest

os.chdir("/tmp")
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
        say("fail", test.id(), self._exc_info_to_string(err, test))

    addFailure = addError

    def addUnexpectedSuccess(self, test):
        say("fail", test.id(), "it was expected to fail")

    def addExpectedFailure(self, test, err):
        say("pass", test.id())

    def addSkip(self, test, reason):
        say("skip", test.id(), reason)


def kept(suite):
    """The suite without what is excluded, its classes together."""
    return unittest.TestSuite(
        kept(test) if isinstance(test, unittest.TestSuite) else test
        for test in suite
        if isinstance(test, unittest.TestSuite) or test.id() not in excluded
    )


try:
    loaded = unittest.defaultTestLoader.loadTestsFromName(module)
except unittest.SkipTest as reason:
    say("skip", module, str(reason))
else:
    kept(loaded).run(Result())
say("end", module)
