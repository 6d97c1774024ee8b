"""What screens beside the wall have in common: asking first, doing, and saying what became of it."""

from collections.abc import Callable, Coroutine
from functools import partial

from mcr_console.client import ClientError
from mcr_console.screens.arming import Answer, ArmScreen, Question
from mcr_console.screens.sheet_screen import SheetScreen


class ArmedScreen(SheetScreen):
    """``done_again`` is called when something was done or refused: what is shown is to be asked for again."""

    def done_again(self) -> None:
        """Asks anew."""

    def arm(
        self,
        question: Question,
        essence: Callable[[], object],
        do: Callable[[Answer], Coroutine[None, None, object]],
        done: str,
        *,
        reason: str = "",
    ) -> None:
        """Asks with the focus on Cancel; what is chosen is done to what stood there when the key was pressed."""

        def answered(answer: Answer | None) -> None:
            if answer is None or answer.why_not:
                why = "cancelled" if answer is None else answer.why_not
                self.session.message = f"nothing sent, {why}: {question.button}"
            else:
                self.run_worker(partial(self._do, do, answer, done), group="armed", exit_on_error=False)

        self.app.push_screen(  # pyright: ignore[reportUnknownMemberType] - App is generic
            ArmScreen(question, self.session.clock, essence, reason=reason), answered
        )

    async def _do(self, do: Callable[[Answer], Coroutine[None, None, object]], answer: Answer, done: str) -> None:
        try:
            await do(answer)
        except ClientError as error:
            self.session.message = f"{error.title}: {error.detail} {error.hint}".strip()
        else:
            self.session.message = done
        self.done_again()
        self.tick()
