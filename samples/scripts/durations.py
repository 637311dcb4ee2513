"""Prints how long each recording in ../audio is, in seconds."""

import pathlib
import wave


def duration(path: pathlib.Path) -> float:
    with wave.open(str(path), "rb") as recording:
        return recording.getnframes() / recording.getframerate()


if __name__ == "__main__":
    audio = pathlib.Path(__file__).resolve().parent.parent / "audio"
    for path in sorted(audio.glob("*.wav")):
        print(f"{duration(path):6.2f}  {path.name}")
