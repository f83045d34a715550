# SPDX-License-Identifier: BSD-3-Clause
"""Runs a module's tests, and says in its last line how many passed and failed."""

import unittest


def run(module):
    """The exit status: 0 if there were tests, and all passed."""
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner().run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if failed == 0 and result.testsRun > 0 else 1
