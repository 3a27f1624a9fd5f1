"""The bench: one live picture of nodes, chain, price and market, and the controls of its run."""

import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from anywidget import AnyWidget
from traitlets import Dict, Int, List, TraitError, Unicode

from streamlet_lab.errors import InvalidInput, StreamletLabError, printable
from streamlet_lab.experiment import Experiment
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.units import to_name
from streamlet_lab.widgets.answers import Answer, Question, key_of, make_answer
from streamlet_lab.widgets.figures import SEEN, draw_panel, draw_still, say_in_one_sentence
from streamlet_lab.widgets.knobs import KNOBS, as_code, describe, experiment_of, to_settings
from streamlet_lab.widgets.limits import why_not_many
from streamlet_lab.widgets.loop import GivenUp, Loop, Task
from streamlet_lab.widgets.many import RUNS, play_many
from streamlet_lab.widgets.page import joined_script, style_sheet, write_page
from streamlet_lab.widgets.presets import describe_presets

#: The version of the messages between a bench and its views.
VERSION: Final = 1

_BETWEEN_REPORTS_S: Final = 0.25


class Bench(AnyWidget):
    """A run to look at, to change and to touch, in the browser.

    It is run at once, and again whenever something is changed there or here: ``bench.settings =
    {"nodes": 7}``. One run is under way, and the newest settings wait behind it. There are no
    signatures unless `settings` ask for them.

    Parameters
    ----------
    show, panels : list of str, optional
        Which controls, with ``"presets"`` and ``"touches"``, and which panels there are; else all.
    touches : list of dict, optional
        What was done to the run, and when: see
        :meth:`Touch.read <streamlet_lab.widgets.touches.Touch.read>`.
    **settings
        Of controls, by name, or whatever an :class:`~streamlet_lab.experiment.Experiment` takes.

    Attributes
    ----------
    settings : dict
        Those that were given, here or in the browser.
    code : str
        The experiment as code; empty while the settings are refused.
    status : dict
        ``state`` is ``"idle"``, ``"running"``, ``"refused"`` or ``"stopped"``; ``sentence`` says
        why, ``field`` of which control; ``epoch`` of ``epochs`` are done, or ``unit`` ``"runs"``,
        and the others may take ``left_s`` seconds.
    many : dict
        What became of many runs: see :func:`~streamlet_lab.widgets.many.play_many`.

    Raises
    ------
    InvalidInput
        If the settings mean no experiment.

    Examples
    --------
    >>> bench = Bench(epochs=12, nodes=7, fault="crash", faulty=2)
    >>> bench.result.summary["finalized_blocks"]
    9
    >>> bench.settings = {"epochs": 12}
    >>> print(bench.code)
    sl.Experiment(epochs=12, signatures="none")
    """

    _esm = joined_script()
    _css = style_sheet()

    # What the browser asks.
    settings = Dict().tag(sync=True)
    touches: List[Any] = List().tag(sync=True)
    asked = Int(0).tag(sync=True)
    # What it is told.
    controls: List[Any] = List().tag(sync=True)
    presets: List[Any] = List().tag(sync=True)
    panels = List(Unicode()).tag(sync=True)
    shown = List(Unicode()).tag(sync=True)
    code = Unicode().tag(sync=True)
    status = Dict().tag(sync=True)
    film = Dict().tag(sync=True)
    many = Dict().tag(sync=True)

    def __init__(
        self,
        *,
        show: Iterable[str] | None = None,
        panels: Iterable[str] | None = None,
        touches: Sequence[Mapping[str, Any]] = (),
        **settings: Any,
    ) -> None:
        self._loop: Loop[Question] = Loop(self._answer)
        given = to_settings(**settings)
        experiment_of(given, touches)
        key_of(given, touches)
        self._question: Question | None = None
        self._last: Answer | None = None
        self._still: tuple[str, bytes] | None = None
        self._trouble: Exception | None = None
        self._progress = 0, 0, "epochs"
        super().__init__(
            settings=given,
            touches=[dict(touch) for touch in touches],
            presets=describe_presets(),
            panels=_names(SEEN if panels is None else panels, SEEN, "panels"),
            shown=_names(() if show is None else show, (*KNOBS, "presets", "touches"), "show"),
            status=self._status("idle"),
        )
        self.observe(self._ask, ["settings", "touches", "asked"])
        self.on_msg(self._receive)
        self._ask()

    # --- What a program asks of it

    @property
    def experiment(self) -> Experiment:
        """What the settings and the touches mean, or an `InvalidInput`."""
        return experiment_of(self.settings, self.touches)

    @property
    def result(self) -> Result:
        """What became of the newest run, once it is finished; or why it is not, raised."""
        return self._answered().result

    def wait(self) -> None:
        """Wait until what was asked last is answered, refused or stopped; Ctrl-C stops it."""
        try:
            self._loop.wait()
        except KeyboardInterrupt:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what is under way, and what waits behind it."""
        with self._loop.lock:
            if not self._loop.stop():
                return
            done, total, unit = self._progress
            sentence = f"Stopped after {done:,} of {total:,} {unit}."
            if unit == "epochs":
                self._trouble = StreamletLabError(f"{sentence} What is changed next is run.")
            self._say("stopped", sentence)

    def run_many(self) -> dict[str, Any]:
        """Run the same settings with many seeds, and return what :attr:`many` then is."""
        self.many = {}
        self._ask_many()
        self._answered()
        if not self.many:
            raise StreamletLabError(self.status["sentence"])
        return dict(self.many)

    def figure(self, panel: str) -> bytes:
        """Return what a panel shows as a matplotlib chart, PNG."""
        return draw_panel(self._answered().result, panel)

    def to_html(self, path: str | Path) -> None:
        """Write one HTML file that plays the run without a kernel."""
        write_page(self._answered().film, path)

    def close(self) -> None:
        """Stop, end all views, and free what they show: a notebook's ``Out`` keeps the bench."""
        super().close()
        self.unobserve_all()
        # When Python ends, the thread has ended already, perhaps with the lock.
        if not sys.is_finalizing():
            with self._loop.lock:
                self._loop.stop()
                self._question = self._last = self._still = None
                self._trouble = StreamletLabError("This bench is closed: make another one.")
                self.film, self.many = {}, {}

    def _answered(self) -> Answer:
        self.wait()
        if self._trouble is not None:
            raise self._trouble
        assert self._last is not None
        return self._last

    # --- From the browser

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a view says; what is of a wrong type is said to be so."""
        # While changes are held back here, none may come from the thread: it would be lost.
        with self._loop.lock:
            try:
                super().set_state(sync_data)
            except TraitError as error:
                self._refuse(str(error))

    def _receive(self, _: object, message: object, buffers: object) -> None:
        """Do what a view asks for beside a run."""
        kinds: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "stop": lambda message: self.stop(),
            "many": lambda message: self._ask_many(),
            "figure": self._send_figure,
            "save": self._send_saved,
        }
        try:
            if not isinstance(message, dict) or message.get("version") != VERSION:
                expected = f"of version {VERSION}: reload the page, or restart the kernel"
                raise InvalidInput("message", message, expected)
            kinds[to_name(message.get("type"), kinds, "message")](message)
        except Exception as error:
            # No cell shows the traceback of a callback: said here, or nowhere.
            self._refuse(_sentence(error))

    def _send_figure(self, message: Mapping[str, Any]) -> None:
        png = draw_panel(self._on_screen(), message.get("panel"))
        self._send_message("figure", panel=message["panel"], buffers=[png])

    def _send_saved(self, message: Mapping[str, Any]) -> None:
        result = self._on_screen()
        names = (Path(f"bench{number}.zip") for number in ("", *(f"-{n}" for n in range(2, 1000))))
        path = next((name for name in names if not name.exists()), None)
        if path is None:
            raise StreamletLabError("There are bench.zip to bench-999.zip: remove some.")
        result.save(path)
        self._send_message("saved", path=str(path))

    def _on_screen(self) -> Result:
        """Return what the view shows: who waits here for a newer run could not be stopped."""
        if self._last is None:
            raise StreamletLabError("There is no finished run yet.")
        return self._last.result

    def _refuse(self, sentence: str) -> None:
        self._send_message("refused", sentence=sentence)

    def _send_message(self, kind: str, buffers: Sequence[bytes] = (), **what: Any) -> None:
        self.send({"version": VERSION, "type": kind, **what}, buffers=[*buffers])

    # --- A question

    def _ask(self, _: object = None) -> None:
        """Describe the settings as they are now, and have their run made."""
        with self._loop.lock:
            key = key_of(self.settings, self.touches)
            now = self._question
            if now is not None and (now.key, now.asked) == (key, self.asked):
                return
            self.controls = describe(self.settings, self.touches)
            try:
                experiment = self.experiment
            except InvalidInput as error:
                self._question, self._trouble, self.code = None, error, ""
                self._loop.stop()
                self._say("refused", _sentence(error), field=error.field)
                return
            self._trouble = None
            self._progress = 0, experiment.config.epochs, "epochs"
            self.code = as_code(experiment)
            self._question = Question(key, self.asked, experiment)
            self._loop.ask(self._question)

    def _ask_many(self) -> None:
        with self._loop.lock:
            question = self._question
            if question is None:
                raise self._trouble or StreamletLabError("There is nothing to run.")
            reason = why_not_many(question.experiment)
            if reason is not None:
                raise StreamletLabError(reason)
            self._trouble = None
            if self._last is not None and self._last.key == question.key:
                self._progress = 0, RUNS, "runs"
            self._loop.ask(replace(question, many=True))

    # --- Its answer, in the thread of the loop

    def _answer(self, task: Task[Question]) -> None:
        question = task.question
        try:
            answer, asked = self._last, question.asked
            done = {"status": self._status("idle", asked=asked)}
            told: dict[str, Any] = {} if question.many else {**done}
            if answer is None or answer.key != question.key:
                answer = make_answer(question, self._reporter(task, "epochs"))
                told |= {"_last": answer, "many": {}}
            if "_last" in told or self.film.get("asked") != asked:
                film = answer.film
                told["film"] = {"header": film.header, "buffers": film.buffers, "asked": asked}
            self._tell(task, **told)
            if question.many:
                many = play_many(question.experiment.config, self._reporter(task, "runs"))
                self._tell(task, many={**many, "asked": asked}, **done)
        except GivenUp:
            pass  # who gave it up has said so, or asks for something else
        except Exception as error:
            with self._loop.lock:
                if not task.is_stopped:
                    self._trouble = error
                    self._say("refused", _sentence(error), field=getattr(error, "field", ""))

    def _reporter(self, task: Task[Question], unit: str) -> Progress:
        """Return what says how far it is, four times a second, and gives up."""
        began = told = time.monotonic()  # a view says by itself that it waits

        def report(done: int, total: int) -> None:
            nonlocal told
            task.check()
            self._progress = done, total, unit
            if (now := time.monotonic()) - told >= _BETWEEN_REPORTS_S:
                told = now
                left = (now - began) * (total - done) / done if done else 0.0
                status = self._status("running", epoch=done, epochs=total, unit=unit, left_s=left)
                self._tell(task, status={**status, "asked": task.question.asked})

        return report

    def _tell(self, task: Task[Question], **traits: Any) -> None:
        """Set what the browser is told, unless nobody waits for it any more."""
        with self._loop.lock:
            if task.is_stopped:
                raise GivenUp
            with self.hold_sync():  # in one message, so that a view draws once
                for name, value in traits.items():
                    setattr(self, name, value)

    def _say(self, state: str, sentence: str, **more: Any) -> None:
        self.status = self._status(state, sentence=sentence, **more)

    def _status(self, state: str, **more: Any) -> dict[str, Any]:
        zero = dict.fromkeys(("epoch", "epochs", "left_s"), 0)
        plain = {"state": state, "sentence": "", "field": "", "unit": "epochs", "asked": self.asked}
        return {**plain, **zero, **more}

    # --- How it is shown

    def __repr__(self) -> str:
        """Return the code that makes it again."""
        defaults = {control["name"]: control["default"] for control in self.controls}
        given: dict[str, Any] = {}
        if self.shown:
            given["show"] = self.shown
        if self.panels != [*SEEN]:
            given["panels"] = self.panels
        given |= {
            name: value
            for name, value in self.settings.items()
            if name not in defaults or defaults[name] != value
        }
        if self.touches:
            given["touches"] = self.touches
        return f"Bench({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def _ipython_display_(self) -> None:
        """Show the view, and below it a picture that stays where there is no kernel.

        A front end that shows the view hides the picture.
        """
        from IPython.display import display  # only IPython calls this

        if self.comm is not None:
            view = super()._repr_mimebundle_()
            assert view is not None
            display(*view[:1], metadata=view[1], raw=True)  # type: ignore[no-untyped-call]
        display(self._picture(), raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the view, the picture, and a sentence, for whoever shows one of them."""
        data, metadata = super()._repr_mimebundle_() or ({}, {})
        return {**data, **self._picture()}, metadata

    def _picture(self) -> dict[str, Any]:
        """Return what the panels show, and a sentence."""
        try:
            answer = self._answered()
        except StreamletLabError as error:
            return {"text/plain": _sentence(error)}
        if self._still is None or self._still[0] != answer.key:
            self._still = answer.key, draw_still(answer.result, self.panels)
        return {
            "text/plain": say_in_one_sentence(answer.film.header),
            "image/png": self._still[1],
        }


def _names(given: Iterable[str], known: Collection[str], field: str) -> list[str]:
    """Return names, each of which is known."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidInput(field, given, "a list of names")
    return [to_name(name, known, field) for name in given]


def _sentence(error: Exception) -> str:
    """Return what went wrong; of what the lab did not expect also its kind."""
    is_expected = isinstance(error, StreamletLabError)
    return printable(str(error) if is_expected else f"{type(error).__name__}: {error}")
