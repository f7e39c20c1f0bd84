"""Networks with faults between the clients and the real stack."""

import json

import httpx


class RealNetwork(httpx.BaseTransport):
    """The network as it is."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        return self._network.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._network.close()


class LosesAnswers(RealNetwork):
    """Loses the answer to every write of a row, or call of a function, after it has been done."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; lose its answer."""
        response = super().handle_request(request)
        if "/rest/" in request.url.path and request.method != "GET" and self._loses(request):
            response.read()
            raise httpx.ReadError("the connection was closed", request=request)
        return response

    def _loses(self, request: httpx.Request) -> bool:
        return True


class LosesFirstAnswers(LosesAnswers):
    """Loses the answer only the first time that a request is sent."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, bytes]] = set()

    def _loses(self, request: httpx.Request) -> bool:
        sent = (str(request.url), request.read())
        first = sent not in self._seen
        self._seen.add(sent)
        return first


class SpoilsFirstToken(RealNetwork):
    """Changes the token of the first request for rows, so that the project refuses it."""

    def __init__(self) -> None:
        super().__init__()
        self.spoiled = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        if "/rest/" in request.url.path and not self.spoiled:
            self.spoiled += 1
            request.headers["Authorization"] = f"{request.headers['Authorization'][:-4]}xxxx"
        return super().handle_request(request)


class Severable(RealNetwork):
    """Connects until `severed` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.severed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, unless the network is severed."""
        if self.severed:
            raise httpx.ConnectError("severed", request=request)
        return super().handle_request(request)


class ShortLivedTokens(RealNetwork):
    """Says of all tokens that they expire after a second."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        response = super().handle_request(request)
        if not request.url.path.startswith("/auth/"):
            return response
        session = json.loads(response.read())
        return httpx.Response(response.status_code, json={**session, "expires_in": 1}, request=request)
