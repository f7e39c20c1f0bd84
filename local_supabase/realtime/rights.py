"""What a channel may do: everything in a public room, what policies allow in a private one."""

from collections.abc import Mapping

from local_supabase.identity import Identity
from local_supabase.realtime.private import Extension, Policies, PolicyUnavailableError, Reading


class Rights:
    """The rights of a channel, checked once for each token.

    Arguments:
        policies: checks the policies.
        topic: the name of the channel.
        headers: the headers of the handshake, which policies may read.
        identity: the role and claims of the token.
        reading: what the caller may read; None in a public channel.
    """

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
        """Whether broadcasts may be read."""
        return self._reading is None or self._reading.broadcast

    @property
    def reads_presence(self) -> bool:
        """Whether presence may be read; False until that was checked."""
        return self._reading is None or bool(self._reading.presence)

    async def may_write(self, extension: Extension) -> bool:
        """Return whether messages of this kind may be sent; False while the database does not answer."""
        if self._reading is None:
            return True
        allowed = self._writing.get(extension)
        if allowed is None:
            try:
                allowed = await self._policies.may_write(self._topic, self.identity, self._headers, extension)
            except PolicyUnavailableError:
                return False
            self._writing[extension] = allowed
        return allowed

    async def may_track(self) -> bool:
        """Return whether presence may be sent; also checks whether it may be read."""
        if self._reading is not None and self._reading.presence is None:
            try:
                self._reading = await self._read(presence=True)
            except PolicyUnavailableError:
                return False
        return await self.may_write(Extension.PRESENCE)

    async def renew(self, identity: Identity) -> bool:
        """Replace the token; return False when the new one may not read what the former one could.

        Raises `PolicyUnavailableError` when the database does not answer.
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
