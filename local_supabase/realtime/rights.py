"""What a channel may do in its room: everything in a public one, what policies allow in a private one."""

from collections.abc import Mapping

from local_supabase.identity import Identity
from local_supabase.realtime.private import Extension, Policies, PolicyUnavailable, Reading


class Rights:
    """Asked once for a token, and then remembered. `reading` None stands for a public channel."""

    def __init__(
        self,
        policies: Policies,
        topic: str,
        headers: Mapping[str, str],
        identity: Identity,
        reading: Reading | None,
    ) -> None:
        self._policies = policies
        self._topic = topic
        self._headers = headers
        self._reading = reading
        self._writing: dict[Extension, bool] = {}
        self.identity = identity

    @property
    def reads_broadcasts(self) -> bool:
        """Whether broadcasts may be heard."""
        return self._reading is None or self._reading.broadcast

    @property
    def reads_presence(self) -> bool:
        """Whether presence may be seen; not before it was asked for."""
        return self._reading is None or bool(self._reading.presence)

    async def may_write(self, extension: Extension) -> bool:
        """Tell whether messages of this kind may be sent; not while Postgres cannot be asked."""
        if self._reading is None:
            return True
        allowed = self._writing.get(extension)
        if allowed is None:
            try:
                allowed = await self._policies.may_write(self._topic, self.identity, self._headers, extension)
            except PolicyUnavailable:
                return False
            self._writing[extension] = allowed
        return allowed

    async def may_track(self) -> bool:
        """Tell whether presence may be sent, and learn whether it may be seen."""
        if self._reading is not None and self._reading.presence is None:
            try:
                self._reading = await self._read(presence=True)
            except PolicyUnavailable:
                return False
        return await self.may_write(Extension.PRESENCE)

    async def renew(self, identity: Identity) -> bool:
        """Go on under a new token; False when it may not read what the former one could.

        Raises `PolicyUnavailable`.
        """
        self.identity = identity
        self._writing.clear()
        before = self._reading
        if before is None:
            return True
        self._reading = now = await self._read(presence=before.presence is not None)
        lost_broadcasts = before.broadcast and not now.broadcast
        lost_presence = bool(before.presence) and not now.presence
        return not (lost_broadcasts or lost_presence)

    async def _read(self, *, presence: bool) -> Reading:
        return await self._policies.read(self._topic, self.identity, self._headers, presence=presence)
