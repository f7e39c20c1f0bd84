"""The tags that previews of links are made from."""

from frontend.preview import Preview


def test_texts_stay_texts_in_the_head() -> None:
    head = Preview('"><script>alert(1)</script>', "a\nb  'c' & d", "event?id=1&x=2").head('The "bar"')
    assert "<script" not in head
    assert 'property="og:title" content="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in head
    assert 'property="og:description" content="a b &#x27;c&#x27; &amp; d"' in head
    assert 'href="./event?id=1&amp;x=2"' in head
    assert 'content="The &quot;bar&quot;"' in head
