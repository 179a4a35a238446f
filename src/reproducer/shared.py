def shown(octets):
    more = f" and {len(octets) - 80} octets more" if len(octets) > 80 else ""
    return f"{octets[:80]!r}{more}"


def is_last(frame):
    # Whether it ends the reply that it belongs to.
    return all(e in (None, o) for e, o in zip(LAST, frame))


def is_whole(octets, expected):
    # All octets of a turn; or a frame; or the frames of a reply.
    if isinstance(expected, list):
        return len(octets) == len(expected)
    end = frame_size(octets)
    if end is None or end > len(octets):
        return False
    return expected is None or is_last(octets[:end]) or is_whole(octets[end:], expected)


def begin(sock, speaker, own=None, whole=True):
    # What is said before the first frame, turn by turn; None for any octet, or for a frame. What a side says by
    # itself are segments, turn by turn.
    for turn, says, expected in PROLOGUE:
        if turn == speaker:
            if own is not None and not own:
                return
            for octets in [says] if own is None else own.pop(0):
                sock.sendall(octets)
                time.sleep(0 if own is None else BETWEEN)
            if own == [] and not whole:
                return
            continue
        came = b""
        while not is_whole(came, expected):
            octet = sock.recv(1)
            if not octet:
                break
            came += octet
        fits = is_whole(came, expected)
        if isinstance(expected, list):
            fits = fits and all(e in (None, o) for e, o in zip(expected, came))
        say("", f"the {turn} begins with {shown(came)}{'' if fits else ', which is WRONG'}")
