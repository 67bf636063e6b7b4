# SPDX-License-Identifier: Apache-2.0
"""``python -m relight_app``: the command line, as ``relight``."""

if __name__ == "__main__":
    from relight_app.cli import main

    main()
