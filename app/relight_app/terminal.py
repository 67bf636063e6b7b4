# SPDX-License-Identifier: Apache-2.0
"""What the user sees: text on standard error, JSON lines on standard output."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console

from relight.work.pool import Pool
from relight.work.runner import Runner
from relight_app import batch
from relight_app.destination import Plan
from relight_app.summary import Summary
from relight_app.task import Outcome, Task


def printable(text: str) -> str:
    """One line for a terminal: line ends and other unprintable characters are escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


class Report:
    """Follows the work and reports it.

    Attributes:
        failures: one line per photo that failed.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        as_json: bool = False,
        quiet: bool = False,
        summary: Summary | None = None,
    ) -> None:
        """Prepare.

        Args:
            plan: what is to be done.
            as_json: whether each outcome is written to standard output.
            quiet: whether only failures are reported.
            summary: file that gets a line for each photo.
        """
        self.failures: list[str] = []
        self._plan, self._as_json, self._quiet = plan, as_json, quiet
        self._summary = summary
        self._total = len(plan.jobs) + len(plan.skipped) + len(plan.failures)
        self._counts: dict[str, int] = {}
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._has_bar = len(plan.jobs) > 1 and not quiet and self._console.is_terminal

    def say(self, text: str) -> None:
        """One line on standard error."""
        self._console.print(f"relight: {printable(text)}", markup=False)

    def follow(self, work: batch.Work, workers: int | None, runner: Runner | None = None) -> None:
        """Do the plan's work and report it.

        Args:
            work: does one job.
            workers: number of processes; None chooses one.
            runner: where the work is done; None relights a single photo in this process, several
                in other processes.

        Raises:
            KeyboardInterrupt: after all unfinished work was stopped.
            BrokenPipeError: if nobody reads standard output any more.
        """
        jobs = self._plan.jobs
        for name, message in self._plan.failures:
            self._take(Outcome(name, "failed", message))
        for job in self._plan.skipped:
            self._take(Outcome(job.name, "skipped", "", {}, {"output": str(job.output)}))
        if runner is None and len(jobs) > 1:
            runner = Pool(workers or batch.default_workers(len(jobs)))
        outcomes = batch.run(jobs, work, runner)
        with self._film_bar(work), contextlib.closing(outcomes):
            for outcome in self._with_bar(outcomes):
                self._take(outcome)
        if self._total > 1 or not self._plan.single:
            self._summarize()

    @contextlib.contextmanager
    def _film_bar(self, work: batch.Work) -> Iterator[None]:
        """Show how far a single clip is, and how long it takes yet."""
        jobs = self._plan.jobs
        hidden = self._quiet or not self._console.is_terminal
        if hidden or len(jobs) != 1 or not isinstance(work, Task) or not jobs[0].is_clip:
            yield
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = ("Relighting", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            bar = progress.add_task("", total=None)
            work.progress = lambda done, length: progress.update(
                bar, completed=done, total=length or None
            )
            yield

    def _take(self, outcome: Outcome) -> None:
        self._counts[outcome.status] = self._counts.get(outcome.status, 0) + 1
        if self._as_json:
            sys.stdout.write(json.dumps(outcome.account()) + "\n")
            sys.stdout.flush()
        if self._summary is not None and not self._summary.trouble:
            self._summary.add(outcome)
            if self._summary.trouble:
                self.failures.append(self._summary.trouble)
                if self._plan.single:
                    self.say(self._summary.trouble)
        if not self._quiet:
            for warning in outcome.warnings:
                self.say(warning)
        if outcome.status == "failed":
            self.failures.append(outcome.message)
            if self._plan.single:
                self.say(outcome.message)
        elif outcome.status != "skipped" and not (self._quiet or self._has_bar):
            where = outcome.files.get("output", "<stdout>")
            self.say(f"{outcome.name} -> {where}: {outcome.message}")

    def _with_bar(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        if not self._has_bar:
            yield from outcomes
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = ("Relighting", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            yield from progress.track(outcomes, total=len(self._plan.jobs))

    def _summarize(self) -> None:
        words = (
            ("relit", "relit"),
            ("unchanged", "left unchanged"),
            ("skipped", "already done"),
            ("failed", "failed"),
        )
        counts = [f"{self._counts[key]} {word}" for key, word in words if key in self._counts]
        if self.failures or not self._quiet:
            photos = "1 photo" if self._total == 1 else f"{self._total} photos"
            self.say(f"{photos}: {', '.join(counts)}")
        for line in self.failures:
            self._console.print(f"  {printable(line)}", markup=False)
