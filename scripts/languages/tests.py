"""Runs the tests of a module, except those named after it, and prints a line of JSON for each."""
import os
import sys
import unittest

from lines import Result, kept, say

os.chdir("/tmp")
module, *excluded = sys.argv[1:]

try:
    loaded = unittest.defaultTestLoader.loadTestsFromName(module)
except unittest.SkipTest as reason:
    say("skip", module, str(reason))
else:
    kept(loaded, excluded).run(Result())
say("end", module)
