import httpx

from local_supabase.runtime import StackInfo


def test_an_unknown_path_is_refused_in_the_words_of_the_hosted_gateway(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/nothing/here")
    assert answer.status_code == 404
    assert answer.json() == {"error": "requested path is invalid"}


def test_a_request_without_a_key_is_refused(stack: StackInfo) -> None:
    answer = httpx.get(f"{stack.url}/rest/v1/anything")
    assert answer.status_code == 401
    assert answer.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }
