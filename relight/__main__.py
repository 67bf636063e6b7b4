# SPDX-License-Identifier: Apache-2.0
"""``python -m relight``: the command line.

It lies in ``relight_app``, which the library never imports; here it is only started.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("relight_app", run_name="__main__", alter_sys=True)
