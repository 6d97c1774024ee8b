"""Every code that an alarm may have."""

from typing import Final

from supervisor.ahead import watch
from supervisor.decisions.alarms import CHANNEL_ALARMS
from supervisor.intake.news import INTAKE_ALARMS
from supervisor.loops import list_ends
from supervisor.loops.collection import ASRUN_ALARMS
from supervisor.loops.node_alarms import NODE_ALARMS
from supervisor.loops.recorder_roster import SCHEDULE_ALARMS
from supervisor.loops.supervision import SUPERVISOR_ALARMS
from supervisor.webhooks.sending import WEBHOOK_ALARMS

ALARM_CODES: Final = frozenset(
    (
        *CHANNEL_ALARMS,
        *NODE_ALARMS,
        *SCHEDULE_ALARMS,
        *ASRUN_ALARMS,
        *INTAKE_ALARMS,
        *SUPERVISOR_ALARMS,
        *list_ends.CODES,
        *watch.CODES,
        *WEBHOOK_ALARMS,
    )
)
"""Who raises a new kind adds it here, so that a station can say what is to be done then."""
