"""What the station wants done when an alarm is raised, in its own words."""

from collections.abc import Sequence

from fastapi import Request

from db.models import Alarm
from db.repositories.instructions import Instructions
from supervisor.alarm_codes import ALARM_CODES
from supervisor.api import views
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import Permission, may, require_sight, visible
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.errors import Forbidden, Invalid
from supervisor.principal import Principal
from supervisor.schemas.alarm import Instruction, InstructionIn
from supervisor.schemas.base import Id, Page

routes = router("alarms")


@routes.get("/instructions", responses=documented())
async def list_instructions(context: Ctx, who: Who) -> Page[Instruction]:
    """Of all alarms of a code, and of the channels and recorders that one sees; they are few, so it is one page."""
    async with context.store.read() as tx:
        rows = await tx.instructions.list()
        if (projects := visible(who)) is not None:
            mine = {one.id for one in await tx.channels.list(projects=projects)}
            mine |= {one.id for one in await tx.recorders.list() if one.project_id in projects}
            rows = [row for row in rows if (subject := row.channel_id or row.recorder_id) is None or subject in mine]
    return Page(items=tuple(Instruction.model_validate(row) for row in rows))


@routes.put("/instructions", responses=documented(404))
async def set_instruction(context: Ctx, who: Who, request: Request, values: InstructionIn) -> Instruction:
    """In the place of what was said of the same alarms before. Alarms that are open show it at once."""
    if values.channel_id and values.recorder_id:
        raise Invalid("an instruction is of a channel or of a recorder", hint="Set one for each.")
    if not (values.channel_id or values.recorder_id or values.code):
        raise Invalid("which alarms is it for?", hint="Give channel_id, recorder_id or code.")
    if values.code and values.code not in ALARM_CODES:
        raise Invalid(f"no alarm has the code {values.code}", hint=f"There are: {', '.join(sorted(ALARM_CODES))}.")
    async with context.store.write() as tx:
        if values.channel_id:
            row = await tx.channels.get(values.channel_id)
            require_sight(who, row.project_id, "channel", row.id)
        elif values.recorder_id:
            recorder = await tx.recorders.get(values.recorder_id)
            require_sight(who, recorder.project_id, "recorder", recorder.id)
        else:
            _require_station(who)
        said = await tx.instructions.set(
            values.channel_id, values.recorder_id, values.code, values.text, who.name, context.clock.now()
        )
        told, texts = await tx.instructions.tell_open_alarms(said), await tx.instructions.texts()
    note(request, f"instruction:{said.id}", of=said.key, text=said.text)
    _publish(context, told, texts)
    return Instruction.model_validate(said)


@routes.delete("/instructions/{instruction_id}", status_code=204, responses=documented(404))
async def delete_instruction(context: Ctx, who: Who, request: Request, instruction_id: Id) -> None:
    """Nothing is said of these alarms any more."""
    async with context.store.write() as tx:
        said = await tx.instructions.delete(instruction_id)
        if said.channel_id is not None:
            require_sight(who, (await tx.channels.get(said.channel_id)).project_id, "instruction", instruction_id)
        elif said.recorder_id is not None:
            require_sight(who, (await tx.recorders.get(said.recorder_id)).project_id, "instruction", instruction_id)
        else:
            _require_station(who)
        told, texts = await tx.instructions.tell_open_alarms(said), await tx.instructions.texts()
    note(request, of=said.key, text=said.text)
    _publish(context, told, texts)


def _require_station(who: Principal) -> None:
    """What is said of every alarm of a code is said to all projects."""
    if not may(who, Permission.MAINTAIN):
        raise Forbidden(f"{who.name} ({who.role}) may not say what is to be done for every channel")


def _publish(context: Context, told: Sequence[Alarm], texts: Instructions) -> None:
    context.supervision.alarms.instruct(texts)
    for row in told:
        context.events.publish("alarm", views.alarm(row))
