"""A browser without a screen: asks a Streamlit server for reruns in its own protocol."""

import time
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

_WAIT_SECONDS = 60


class ClientError(RuntimeError):
    """The server's script failed, or stopped answering."""


class Client:
    """One session: `with Client(url, page="dpo") as client: client.rerun()`."""

    def __init__(self, url: str, *, page: str = "", query: str = "", cookie: str = "") -> None:
        self.page = page
        self.query = query
        self.fragments: list[str] = []
        self.timed = ""  # the fragment that asks to be rerun again and again, if there is one
        self.buttons: dict[str, tuple[str, str]] = {}  # label -> id, fragment
        self.words = 0
        self._page_hash = ""
        self._cached: set[str] = set()
        self._connection = _connection(url, cookie)

    def __enter__(self) -> Self:
        self._socket = self._connection.__enter__()
        self.rerun()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.__exit__(kind, error, traceback)

    def press(self, label: str) -> float:
        """Press the button with this label, and return the seconds until the rerun was finished.

        Raises:
            ClientError: as for `rerun`.
            KeyError: there is no such button.
        """
        button, fragment = self.buttons[label]
        return self.rerun(fragment=fragment, pressed=button)

    def rerun(self, *, fragment: str = "", pressed: str = "") -> float:
        """Rerun the page, or one fragment of it, and return the seconds until it was finished.

        Raises:
            ClientError: when the script raised, or nothing came for a minute.
        """
        request = BackMsg()
        state = request.rerun_script
        state.page_script_hash = self._page_hash
        state.page_name = "" if self._page_hash else self.page
        state.fragment_id = fragment
        state.query_string = self.query
        if pressed:
            state.widget_states.widgets.add(id=pressed, trigger_value=True)
        state.cached_message_hashes.extend(self._cached)
        started = time.perf_counter()
        self._socket.send(request.SerializeToString())
        messages = self._until_finished()
        seconds = time.perf_counter() - started
        self._read(messages, whole=not fragment)
        return seconds

    def _until_finished(self) -> list[ForwardMsg]:
        messages = []
        while True:
            try:
                data = self._socket.recv(_WAIT_SECONDS)
            except TimeoutError as silence:
                raise ClientError(f"expected an answer in {_WAIT_SECONDS} s, got none") from silence
            messages.append(ForwardMsg.FromString(data.encode() if isinstance(data, str) else data))
            if _finished(messages[-1]):
                return messages

    def _read(self, messages: list[ForwardMsg], *, whole: bool) -> None:
        for message in messages:
            self._note(message)
        deltas = [message.delta for message in messages if message.HasField("delta")]
        asks = any(message.HasField("auto_rerun") for message in _last_run(messages))
        if not asks and not all(delta.fragment_id for delta in deltas):
            self.timed = ""  # the page was drawn anew, and nothing on it asks
        buttons = [(d.new_element.button, d.fragment_id) for d in deltas]
        self.buttons |= {each.label: (each.id, fragment) for each, fragment in buttons if each.id}
        if whole:
            self.fragments = list(dict.fromkeys(d.fragment_id for d in deltas if d.fragment_id))
            self.words = sum(len(d.new_element.markdown.body.split()) for d in deltas)

    def _note(self, message: ForwardMsg) -> None:
        """Remember what a browser would of one message."""
        if message.metadata.cacheable and message.hash:
            self._cached.add(message.hash)
        if message.HasField("delta") and message.delta.new_element.HasField("exception"):
            raise ClientError(message.delta.new_element.exception.message)
        if message.HasField("auto_rerun"):
            self.timed = message.auto_rerun.fragment_id
        if message.HasField("stop_auto_rerun"):
            self.timed = ""
        if message.HasField("navigation"):
            self._page_hash = message.navigation.page_script_hash


def _finished(message: ForwardMsg) -> bool:
    """Whether nothing more comes: a script that asks for a rerun is followed by it."""
    early = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
    return message.WhichOneof("type") == "script_finished" and message.script_finished != early


def _last_run(messages: list[ForwardMsg]) -> list[ForwardMsg]:
    """What the last of several runs of the script sent."""
    begins = [at for at, message in enumerate(messages) if message.HasField("new_session")]
    return messages[begins[-1] :] if begins else messages


def _connection(url: str, cookie: str) -> ClientConnection:
    return connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]  # a NewType of str, not exported
        additional_headers={"Cookie": cookie} if cookie else {},
        compression=None,
        max_size=None,
    )
