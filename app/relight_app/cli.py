# SPDX-License-Identifier: Apache-2.0
"""The command line: ``relight PHOTO... [-o OUT]``."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from relight.work.leave import leave_at_once, leave_by_exception

if TYPE_CHECKING:
    from relight_app.light_option import LightChoice

DONE, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses. For a wrong command line typer exits with 2."""
RETRIES = 2
"""How often a photo is started again on a cluster, whose machines come and go."""

HELP = """Add a studio key light to portrait photos.

Finds the faces, estimates the light already there and adds one key light where a portrait \
photographer would put it. PHOTO is a file, a folder (searched with all its subfolders) or - for \
standard input.

The relit photo is written beside the original as NAME.relit.SUFFIX, or to -o. It keeps the \
original's file type; types that cannot be written (GIF, BMP, AVIF) become PNG.
"""
EPILOG = """[bold]Examples[/bold]

Light placed automatically, to portrait.relit.jpg:
  relight portrait.jpg

To out.jpg, with out.compare.jpg, before beside after:
  relight portrait.jpg -o out.jpg --compare

Automatic direction, but this intensity:
  relight portrait.jpg --intensity 0.8

A warm light from the right and above; two lights:
  relight portrait.jpg --azimuth 45 --elevation 30 --color warm
  relight portrait.jpg --light -45,30 --light 150,20,0.5,#4080ff

All photos in a folder and its subfolders, to another folder; through a pipe:
  relight holiday/ -o relit/
  cat in.jpg | relight - > out.jpg

A cloud folder, on all machines of a Ray cluster:
  relight s3://bucket/in -o s3://bucket/out --runner ray --address auto

A clip, to clip.relit.mp4, with its sound:
  relight clip.mp4 --pattern loop

In the browser, with the light on a handle:
  relight serve

[bold]Folders[/bold]: photos whose output exists are skipped, so repeat the command to complete \
an interrupted run; --overwrite relights them again. Earlier outputs (*.relit.*), hidden files \
and linked folders are left out. Where a.bmp and a.png lie together, a.bmp becomes a.bmp.png.

[bold]Exit status[/bold]: 0 all photos done, 1 some failed, 2 wrong command line and nothing \
done, 130 interrupted.
"""

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: without the program's name; None takes ``sys.argv``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with contextlib.suppress(ValueError):  # not in the main thread
        leave_by_exception()
    if given[:1] == ["serve"]:  # a photo or folder called serve is given as ./serve
        from relight_app.server.command import main as serve

        serve(given[1:])
    try:
        app(given, prog_name="relight")
    finally:
        with contextlib.suppress(ValueError):
            leave_at_once()


def _show_version(wanted: bool) -> None:
    if wanted:
        from relight import __version__

        typer.echo(f"relight {__version__}")
        raise typer.Exit


@app.command(help=HELP, epilog=EPILOG, no_args_is_help=False)
def relight(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO", help="Files, folders, or -.", show_default=False),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="A file or - (standard output) for one photo, or a folder, in which photos keep"
            " their names and subfolders.",
            rich_help_panel="Output",
        ),
    ] = None,
    azimuth: Annotated[
        float | None,
        typer.Option(
            metavar="DEG",
            help="Direction of the light: 0 from the camera, > 0 from the right of the picture."
            " The elevation stays automatic unless given; the intensity becomes 1.",
            rich_help_panel="Light",
        ),
    ] = None,
    elevation: Annotated[
        float | None,
        typer.Option(
            metavar="DEG",
            help="Height of the light, -90 to 90, > 0 from above. See --azimuth for the rest.",
            rich_help_panel="Light",
        ),
    ] = None,
    intensity: Annotated[
        float | None,
        typer.Option(
            metavar="K",
            help="1 doubles the light on a face that looks into it. Alone: automatic direction.",
            rich_help_panel="Light",
        ),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(
            metavar="COLOR",
            help="#rrggbb, a temperature (3200K) or a name: candle, warm, golden, white, cool, red"
            " ... Alone: automatic direction and intensity.",
            rich_help_panel="Light",
        ),
    ] = None,
    light: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AZ,EL[,K[,COLOR[,SOFTNESS]]]",
            help="A complete light instead of the automatic one; repeat it for several lights.",
            rich_help_panel="Light",
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A pattern of portrait light: loop, rembrandt, butterfly, split, clamshell, rim or"
            " balance (docs/patterns.md). With its own fill.",
            rich_help_panel="Light",
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="REFERENCE",
            help="Light like that on another portrait: the key's direction from the head, the ratio"
            " of key to fill, and the warmth.",
            rich_help_panel="Light",
        ),
    ] = None,
    everyone: Annotated[
        bool,
        typer.Option(
            "--everyone",
            help="Light all faces of a group, not only the four largest.",
            rich_help_panel="Light",
        ),
    ] = False,
    strength: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Factor on all added light, automatic or not; 0 keeps the photo's pixels.",
            rich_help_panel="Light",
        ),
    ] = 1.0,
    fill: Annotated[
        float | None,
        typer.Option(
            metavar="STOPS",
            help="Light that is already on the person, in stops: -1 leaves half of it, which makes"
            " room for the key on a bright face; 0 leaves all. Alone: the rest stays automatic.",
            rich_help_panel="Light",
            show_default=False,
        ),
    ] = None,
    gloss: Annotated[
        float,
        typer.Option(
            metavar="G",
            help="Factor on the highlights that the light makes on skin and hair: 1 as estimated, 0"
            " matte.",
            rich_help_panel="Light",
        ),
    ] = 1.0,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Also write OUTPUT-NAME.compare.jpg: before beside after.",
            rich_help_panel="Output",
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Also write OUTPUT-NAME.explain.png: normals, existing light, key gain and more.",
            rich_help_panel="Output",
        ),
    ] = False,
    save_lighting: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the existing light around the largest face as a .hdr or .exr map;"
            " for several photos as OUTPUT-NAME.FILE beside each output.",
            rich_help_panel="Output",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Write a report to standard output: one JSON object per line and photo, as each"
            " photo is finished.",
            rich_help_panel="Output",
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace existing outputs. A photo itself is never replaced.",
            rich_help_panel="Output",
        ),
    ] = False,
    keep_profile: Annotated[
        bool,
        typer.Option(
            "--keep-profile",
            help="Work in the photo's own colours (Display P3, Adobe RGB, ProPhoto ...) and write"
            " its profile back, instead of converting it to sRGB.",
            rich_help_panel="Output",
        ),
    ] = False,
    keep_dates: Annotated[
        bool,
        typer.Option(
            "--keep-dates",
            help="Give the relit photo the dates of the photo's file.",
            rich_help_panel="Output",
        ),
    ] = False,
    summary: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write every photo's light and outcome to a .csv or .jsonl file, a line as"
            " each is finished; a repeated run adds to it.",
            rich_help_panel="Output",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Processes for several photos.  [dim]\\[default: one per core, if there is memory"
            " for them][/dim]",
            show_default=False,
        ),
    ] = None,
    runner: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Where photos are relit: local (processes on this machine) or ray (a Ray cluster"
            " whose machines see the same folders or URLs).",
            rich_help_panel="Scale",
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The Ray cluster, or auto; if not given, one is started on this machine.",
            rich_help_panel="Scale",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Report failures only.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Relight photos; users see :data:`HELP`."""
    from relight.work.factory import make_runner
    from relight_app import cloud, destination
    from relight_app.light_option import check_gloss, check_strength, fill_share
    from relight_app.summary import Summary
    from relight_app.task import Task
    from relight_app.terminal import Report, printable

    options = destination.OutputOptions(
        output, compare, explain, save_lighting, overwrite, keep_dates
    )
    try:
        choice = _choose_light(azimuth, elevation, intensity, color, light, pattern, like, everyone)
        check_strength(strength)
        check_gloss(gloss)
        share = fill_share(fill)
        in_cloud = cloud.is_cloud(photos, output)
        plan = (cloud if in_cloud else destination).make_plan(photos, options)
        if plan.single and output in (None, destination.STREAM):
            _check_stdout([job.output is None for job in plan.jobs], as_json)
        sums = Summary(summary, overwrite=overwrite) if summary is not None else None
        engine = None
        if plan.jobs and (runner != "local" or address):
            engine = make_runner(runner, jobs, address, retries=RETRIES)
    except ValueError as error:
        raise typer.BadParameter(printable(str(error))) from error
    report = Report(plan, as_json=as_json, quiet=quiet, summary=sums)
    try:
        task = Task(choice, strength, share, overwrite, keep_profile, keep_dates, gloss)
        report.follow(cloud.CloudTask(task) if in_cloud else task, jobs, engine)
    except KeyboardInterrupt:
        report.say("interrupted; the photos written so far are complete")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _drop_stdout()
        raise typer.Exit(FAILED) from None
    raise typer.Exit(FAILED if report.failures else DONE)


def _choose_light(
    azimuth: float | None,
    elevation: float | None,
    intensity: float | None,
    color: str | None,
    lights: Sequence[str] | None,
    pattern: str | None,
    like: str | None,
    everyone: bool,
) -> LightChoice:
    from relight_app.light_option import LightChoice, parse_color, parse_light

    return LightChoice(
        azimuth,
        elevation,
        intensity,
        None if color is None else parse_color(color),
        tuple(parse_light(text) for text in lights or ()),
        pattern,
        like,
        everyone,
    )


def _check_stdout(to_stdout: Sequence[bool], as_json: bool) -> None:
    if not any(to_stdout):
        return
    if as_json:
        raise ValueError("--json and the photo would both go to standard output; use -o FILE")
    if sys.stdout.isatty():
        raise ValueError("the photo would go to the terminal; use -o FILE or a pipe")


def _drop_stdout() -> None:
    """Nobody reads standard output any more: keep the interpreter from complaining at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
