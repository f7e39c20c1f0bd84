"""The list of a tenant's files."""

from db.ratings.artifacts import Artifact, Bucket
from ui.ratings.artifacts import by_name


def file(name: str) -> Artifact:
    return Artifact(Bucket.EXPORTS, f"acme/{len(name)}.csv", name, 1, "text/csv", None)


def test_files_are_sorted_by_name_without_regard_to_case_and_accents() -> None:
    files = [file("z.csv"), file("Übung 1.csv"), file("данные.csv"), file("uncle.csv"), file("Ubung.csv")]
    names = [one.name for one in by_name(files)]
    assert names == ["Übung 1.csv", "Ubung.csv", "uncle.csv", "z.csv", "данные.csv"]
