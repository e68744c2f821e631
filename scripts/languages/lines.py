"""Results of unittest as lines of JSON, one for each thing that happens to a test."""
import json
import sys
import unittest


def say(how, test, text=""):
    sys.__stdout__.write("@@" + json.dumps([how, test, text]) + "\n")
    sys.__stdout__.flush()


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        say("begin", test.id())

    def stopTest(self, test):
        super().stopTest(test)
        say("done", test.id())

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


def kept(suite, excluded):
    """The suite without what is excluded, its classes together."""
    return unittest.TestSuite(
        kept(test, excluded) if isinstance(test, unittest.TestSuite) else test
        for test in suite
        if isinstance(test, unittest.TestSuite) or test.id() not in excluded
    )
